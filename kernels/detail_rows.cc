#include <algorithm>
#include <cstdlib>

#include "kernels/detail.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/detail_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

// ---- colour ------------------------------------------------------------------------------------

// Vectors hold this many pixels at most, so that the last pixels of a row fit into a buffer.
constexpr size_t kMostPixels = 64;
using DPixels = hn::CappedTag<uint8_t, kMostPixels>;
using DPlane = hn::Repartition<int16_t, DPixels>;  // half the pixels
using VPixels = hn::Vec<DPixels>;
using VPlane = hn::Vec<DPlane>;

template <bool kUpper>
HWY_INLINE VPlane Half(VPixels v) {
  if constexpr (kUpper) {
    return hn::PromoteUpperTo(DPlane(), v);
  } else {
    return hn::PromoteLowerTo(DPlane(), v);
  }
}

// (kFactor v + 2^11) >> 12 within 16 bits, |v| at most 1020: what kFactor has above 2^12 is a whole
// factor, and MulFixedPoint15 is (a b + 2^14) >> 15.
template <int kFactor>
HWY_INLINE VPlane Scaled(VPlane v) {
  const DPlane d;
  const auto rest = hn::MulFixedPoint15(hn::ShiftLeft<3>(v), hn::Set(d, kFactor % 4096));
  return hn::Add(hn::Mul(v, hn::Set(d, kFactor / 4096)), rest);
}

struct PlanesOfOne {
  static constexpr size_t kChannels = 1;
  template <bool kUpper>
  static HWY_INLINE void RunHalf(VPixels source, VPixels base, int16_t* plane) {
    const auto difference = hn::Sub(Half<kUpper>(source), Half<kUpper>(base));
    hn::StoreU(hn::ShiftLeft<4>(difference), DPlane(), plane);
  }
  static HWY_INLINE void Run(const uint8_t* source, const uint8_t* base, int16_t* const planes[3]) {
    const auto s = hn::LoadU(DPixels(), source), b = hn::LoadU(DPixels(), base);
    RunHalf<false>(s, b, planes[0]);
    RunHalf<true>(s, b, planes[0] + hn::Lanes(DPlane()));
  }
};

struct PlanesOfThree {
  static constexpr size_t kChannels = 3;
  template <bool kUpper>
  static HWY_INLINE void RunHalf(VPixels sr, VPixels sg, VPixels sb, VPixels br, VPixels bg,
                                 VPixels bb, int16_t* const planes[3]) {
    const DPlane d;
    const size_t at = kUpper ? hn::Lanes(d) : 0;
    const auto r = hn::Sub(Half<kUpper>(sr), Half<kUpper>(br));
    const auto g = hn::Sub(Half<kUpper>(sg), Half<kUpper>(bg));
    const auto b = hn::Sub(Half<kUpper>(sb), Half<kUpper>(bb));
    const auto both = hn::Add(r, b);
    hn::StoreU(Scaled<37837>(hn::Add(both, g)), d, planes[0] + at);
    hn::StoreU(Scaled<46341>(hn::Sub(r, b)), d, planes[1] + at);
    hn::StoreU(Scaled<26755>(hn::Sub(both, hn::Add(g, g))), d, planes[2] + at);
  }
  static HWY_INLINE void Run(const uint8_t* source, const uint8_t* base, int16_t* const planes[3]) {
    const DPixels d;
    VPixels sr, sg, sb, br, bg, bb;
    hn::LoadInterleaved3(d, source, sr, sg, sb);
    hn::LoadInterleaved3(d, base, br, bg, bb);
    RunHalf<false>(sr, sg, sb, br, bg, bb, planes);
    RunHalf<true>(sr, sg, sb, br, bg, bb, planes);
  }
};

// Whole vectors, then what is left of the row through buffers.
template <class Kernel>
HWY_INLINE void PlanesOfRow(const uint8_t* source, const uint8_t* base, size_t pixels,
                            int16_t* const planes[3]) {
  constexpr size_t kChannels = Kernel::kChannels;
  const size_t lanes = hn::Lanes(DPixels());
  int16_t* to[3] = {};
  std::copy_n(planes, kChannels, to);
  for (; pixels >= lanes; pixels -= lanes) {
    Kernel::Run(source, base, to);
    source += lanes * kChannels;
    base += lanes * kChannels;
    for (size_t p = 0; p < kChannels; ++p) to[p] += lanes;
  }
  if (pixels == 0) return;
  uint8_t last_source[3 * kMostPixels] = {}, last_base[3 * kMostPixels] = {};
  int16_t last[3][kMostPixels];
  int16_t* const last_planes[3] = {last[0], last[1], last[2]};
  std::copy_n(source, pixels * kChannels, last_source);
  std::copy_n(base, pixels * kChannels, last_base);
  Kernel::Run(last_source, last_base, last_planes);
  for (size_t p = 0; p < kChannels; ++p) std::copy_n(last[p], pixels, to[p]);
}

void DetailPlanesT(const uint8_t* source, const uint8_t* base, size_t pixels, size_t channels,
                   int16_t* const planes[3]) {
  if (channels == 1) {
    PlanesOfRow<PlanesOfOne>(source, base, pixels, planes);
  } else {
    PlanesOfRow<PlanesOfThree>(source, base, pixels, planes);
  }
}

// Sums are those of the even and of the odd pixels; a shift by 16 leaves their upper halves.
HWY_INLINE void DifferencesOf(VPlane p0, VPlane p1, VPlane p2, VPlane& r, VPlane& g, VPlane& b) {
  const hn::Repartition<int32_t, DPlane> d32;
  const auto sum = [&](VPlane x, VPlane y) HWY_ATTR { return hn::WidenMulPairwiseAdd(d32, x, y); };
  const auto half = hn::Set(d32, 1 << 15);
  const auto even = hn::OddEven(FirstsToSeconds(p2), p0);
  const auto odd = hn::OddEven(p2, SecondsToFirsts(p0));
  const auto outer = SetPair(d32, 2365, 1672), middle = SetPair(d32, 2365, -3344);
  const auto even_outer = hn::Add(sum(even, outer), half);
  const auto odd_outer = hn::Add(sum(odd, outer), half);
  const auto even_p1 = sum(p1, SetPair(d32, 2896, 0)), odd_p1 = sum(p1, SetPair(d32, 0, 2896));
  r = UpperHalves(hn::Add(even_outer, even_p1), hn::Add(odd_outer, odd_p1));
  g = UpperHalves(hn::Add(sum(even, middle), half), hn::Add(sum(odd, middle), half));
  b = UpperHalves(hn::Sub(even_outer, even_p1), hn::Sub(odd_outer, odd_p1));
}

// base + difference within 0..top, of two halves.
HWY_INLINE VPixels Limited(VPixels base, VPlane lower, VPlane upper, VPixels top) {
  const auto low = hn::Add(Half<false>(base), lower), high = hn::Add(Half<true>(base), upper);
  return hn::Min(hn::OrderedDemote2To(DPixels(), low, high), top);
}

struct PixelsOfOne {
  static constexpr size_t kChannels = 1;
  static HWY_INLINE VPlane Difference(const int16_t* plane) {
    const DPlane d;
    return hn::ShiftRight<4>(hn::SaturatedAdd(hn::LoadU(d, plane), hn::Set(d, 8)));
  }
  static HWY_INLINE void Run(const uint8_t* base, const int16_t* const planes[3], VPixels top,
                             uint8_t* out) {
    const DPixels d;
    const auto low = Difference(planes[0]), high = Difference(planes[0] + hn::Lanes(DPlane()));
    hn::StoreU(Limited(hn::LoadU(d, base), low, high, top), d, out);
  }
};

struct PixelsOfThree {
  static constexpr size_t kChannels = 3;
  static HWY_INLINE void At(const int16_t* const planes[3], size_t at, VPlane& r, VPlane& g,
                            VPlane& b) {
    const DPlane d;
    DifferencesOf(hn::LoadU(d, planes[0] + at), hn::LoadU(d, planes[1] + at),
                  hn::LoadU(d, planes[2] + at), r, g, b);
  }
  static HWY_INLINE void Run(const uint8_t* base, const int16_t* const planes[3], VPixels top,
                             uint8_t* out) {
    const DPixels d;
    VPixels r, g, b;
    hn::LoadInterleaved3(d, base, r, g, b);
    VPlane lower_r, lower_g, lower_b, upper_r, upper_g, upper_b;
    At(planes, 0, lower_r, lower_g, lower_b);
    At(planes, hn::Lanes(DPlane()), upper_r, upper_g, upper_b);
    hn::StoreInterleaved3(Limited(r, lower_r, upper_r, top), Limited(g, lower_g, upper_g, top),
                          Limited(b, lower_b, upper_b, top), d, out);
  }
};

template <class Kernel>
HWY_INLINE void PixelsOfRow(const uint8_t* base, const int16_t* const planes[3], size_t pixels,
                            int top, uint8_t* out) {
  constexpr size_t kChannels = Kernel::kChannels;
  const size_t lanes = hn::Lanes(DPixels());
  const auto most = hn::Set(DPixels(), static_cast<uint8_t>(top));
  const int16_t* from[3] = {};
  std::copy_n(planes, kChannels, from);
  for (; pixels >= lanes; pixels -= lanes) {
    Kernel::Run(base, from, most, out);
    base += lanes * kChannels;
    out += lanes * kChannels;
    for (size_t p = 0; p < kChannels; ++p) from[p] += lanes;
  }
  if (pixels == 0) return;
  uint8_t last_base[3 * kMostPixels] = {}, last_out[3 * kMostPixels];
  int16_t last[3][kMostPixels] = {};
  const int16_t* const last_planes[3] = {last[0], last[1], last[2]};
  std::copy_n(base, pixels * kChannels, last_base);
  for (size_t p = 0; p < kChannels; ++p) std::copy_n(from[p], pixels, last[p]);
  Kernel::Run(last_base, last_planes, most, last_out);
  std::copy_n(last_out, pixels * kChannels, out);
}

void DetailPixelsT(const uint8_t* base, const int16_t* const planes[3], size_t pixels,
                   size_t channels, int top, uint8_t* out) {
  if (channels == 1) {
    PixelsOfRow<PixelsOfOne>(base, planes, pixels, top, out);
  } else {
    PixelsOfRow<PixelsOfThree>(base, planes, pixels, top, out);
  }
}

// ---- measures ----------------------------------------------------------------------------------

constexpr size_t kLanesOfBlock = 8;  // of int16: a row of a block is a vector's part of 128 bits
constexpr size_t kMostBlocks = 4;    // of a vector

// s of a row of whole blocks.
template <size_t kChannels, class D>
HWY_INLINE hn::Vec<D> Liveliness(D d, const uint8_t* pixels) {
  const hn::Rebind<uint8_t, D> d8;
  if constexpr (kChannels == 1) {
    return hn::PromoteTo(d, hn::LoadU(d8, pixels));
  } else {
    hn::Vec<decltype(d8)> r, g, b;
    hn::LoadInterleaved3(d8, pixels, r, g, b);
    const auto outer = hn::Add(hn::PromoteTo(d, r), hn::PromoteTo(d, b));
    return hn::Add(outer, hn::ShiftLeft<1>(hn::PromoteTo(d, g)));
  }
}

// Blocks of a vector. Lanes sum up to 16 differences of at most 1020.
template <size_t kChannels, class D>
HWY_INLINE void ActivityOfBlocks(D d, const uint8_t* rows, size_t stride, size_t height,
                                 uint32_t* activity) {
  const hn::RepartitionToWide<D> d32;
  alignas(16) static constexpr int16_t kHasRight[kLanesOfBlock] = {-1, -1, -1, -1, -1, -1, -1, 0};
  const auto has_right = hn::LoadDup128(d, kHasRight);
  auto above = Liveliness<kChannels>(d, rows);
  auto sum = hn::Zero(d);
  for (size_t y = 0; y < height; ++y) {
    const auto s = Liveliness<kChannels>(d, rows + y * stride);
    const auto right = hn::ShiftRightLanes<1>(d, s);
    sum = hn::Add(sum, hn::And(hn::Abs(hn::Sub(right, s)), has_right));
    sum = hn::Add(sum, hn::Abs(hn::Sub(s, above)));
    above = s;
  }
  auto sums = hn::WidenMulPairwiseAdd(d32, sum, hn::Set(d, 1));
  sums = hn::Add(sums, hn::Shuffle1032(sums));
  sums = hn::Add(sums, hn::Shuffle2301(sums));
  int32_t lanes[kMostBlocks * kLanesOfBlock / 2];
  hn::StoreU(sums, d32, lanes);
  for (size_t k = 0; k < hn::Lanes(d) / kLanesOfBlock; ++k) {
    activity[k] = static_cast<uint32_t>(lanes[k * kLanesOfBlock / 2]);
  }
}

// A block of `width` pixels, fewer than 8.
template <size_t kChannels>
uint32_t ActivityOfPart(const uint8_t* rows, size_t stride, size_t width, size_t height) {
  const auto s = [&](size_t x, size_t y) {
    const uint8_t* const p = rows + y * stride + x * kChannels;
    return kChannels == 1 ? int{p[0]} : p[0] + 2 * p[1] + p[2];
  };
  int sum = 0;
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) {
      if (x + 1 < width) sum += std::abs(s(x + 1, y) - s(x, y));
      if (y + 1 < height) sum += std::abs(s(x, y + 1) - s(x, y));
    }
  }
  return static_cast<uint32_t>(sum);
}

template <size_t kChannels>
HWY_INLINE void ActivityOfRow(const uint8_t* rows, size_t stride, size_t pixels, size_t height,
                              uint32_t* activity) {
  const hn::CappedTag<int16_t, kMostBlocks * kLanesOfBlock> d;
  const hn::FixedTag<int16_t, kLanesOfBlock> done;
  const size_t lanes = hn::Lanes(d);
  size_t x = 0;
  for (; x + lanes <= pixels; x += lanes, activity += lanes / kLanesOfBlock) {
    ActivityOfBlocks<kChannels>(d, rows + x * kChannels, stride, height, activity);
  }
  for (; x + kLanesOfBlock <= pixels; x += kLanesOfBlock, ++activity) {
    ActivityOfBlocks<kChannels>(done, rows + x * kChannels, stride, height, activity);
  }
  if (x < pixels) {
    *activity = ActivityOfPart<kChannels>(rows + x * kChannels, stride, pixels - x, height);
  }
}

void DetailActivityT(const uint8_t* rows, size_t stride, size_t pixels, size_t height,
                     size_t channels, uint32_t* activity) {
  if (channels == 1) {
    ActivityOfRow<1>(rows, stride, pixels, height, activity);
  } else {
    ActivityOfRow<3>(rows, stride, pixels, height, activity);
  }
}

uint64_t SquaredErrorT(const uint8_t* a, const uint8_t* b, size_t n) {
  const hn::ScalableTag<uint8_t> d;
  const hn::Repartition<uint16_t, decltype(d)> du16;
  const hn::Repartition<int16_t, decltype(d)> d16;
  const hn::Repartition<int32_t, decltype(d)> d32;
  const hn::Repartition<uint32_t, decltype(d)> du32;
  const hn::Repartition<uint64_t, decltype(d)> du64;
  const auto squares = [&](hn::Vec<decltype(d)> x, hn::Vec<decltype(d)> y) HWY_ATTR {
    const auto difference = hn::Or(hn::SaturatedSub(x, y), hn::SaturatedSub(y, x));
    const auto pairs = hn::BitCast(du16, difference);
    const auto odd = hn::BitCast(d16, hn::ShiftRight<8>(pairs));
    const auto even = hn::BitCast(d16, hn::And(pairs, hn::Set(du16, 255)));
    return hn::Add(hn::WidenMulPairwiseAdd(d32, even, even),
                   hn::WidenMulPairwiseAdd(d32, odd, odd));
  };
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kMostTerms = 8192;  // 4 squares each, until a lane may leave int32
  auto sum = hn::Zero(du64);
  size_t i = 0;
  while (i + lanes <= n) {
    const size_t end = i + std::min(kMostTerms, (n - i) / lanes) * lanes;
    auto part = hn::Zero(d32);
    for (; i < end; i += lanes) {
      part = hn::Add(part, squares(hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
    }
    sum = hn::Add(sum, hn::SumsOf2(hn::BitCast(du32, part)));
  }
  if (i < n) {
    const auto part = squares(hn::LoadN(d, a + i, n - i), hn::LoadN(d, b + i, n - i));
    sum = hn::Add(sum, hn::SumsOf2(hn::BitCast(du32, part)));
  }
  return hn::ReduceSum(du64, sum);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(DetailPlanesT);
HWY_EXPORT(DetailPixelsT);
HWY_EXPORT(DetailActivityT);
HWY_EXPORT(SquaredErrorT);

void DetailPlanes(const uint8_t* source, const uint8_t* base, size_t pixels, size_t channels,
                  int16_t* const planes[3]) {
  HWY_DYNAMIC_DISPATCH(DetailPlanesT)(source, base, pixels, channels, planes);
}
void DetailPixels(const uint8_t* base, const int16_t* const planes[3], size_t pixels,
                  size_t channels, int top, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(DetailPixelsT)(base, planes, pixels, channels, top, out);
}
void DetailActivity(const uint8_t* rows, size_t stride, size_t pixels, size_t height,
                    size_t channels, uint32_t* activity) {
  HWY_DYNAMIC_DISPATCH(DetailActivityT)(rows, stride, pixels, height, channels, activity);
}
uint64_t SquaredError(const uint8_t* a, const uint8_t* b, size_t n) {
  return HWY_DYNAMIC_DISPATCH(SquaredErrorT)(a, b, n);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
