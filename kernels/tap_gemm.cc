#include "kernels/tap_gemm.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels/bit_cast.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tap_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/float16-inl.h"
#include "kernels/float_sums-inl.h"
#include "kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

size_t Lanes() { return hn::Lanes(D()); }
size_t Tile() { return kTile; }
bool Float16Sums() { return HWY_HAVE_FLOAT16; }
bool FastFloat16Sums() { return HWY_HAVE_FLOAT16 && !HWY_ARCH_X86; }

HWY_INLINE V LoadWeights(const float* from) { return hn::Load(D(), from); }
HWY_INLINE V LoadWeights(const hwy::float16_t* from) { return LoadFloat16(D(), from); }

// `count` products a pixel: P pixels, `stride` floats apart, by W vectors. Returns the weights
// behind those used.
template <class Policy, size_t P, size_t W, typename T>
HWY_INLINE const T* AddProducts(const float* in, size_t stride, size_t count,
                                const T* HWY_RESTRICT w, V (&sum)[P][W]) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  // Four bases and one stride reach all pixels, so that no address is spilled.
  const float* in0 = in;
  const float* in1 = in0 + 3 * stride;
  const float* in2 = in1 + 3 * stride;
  const float* in3 = in2 + 3 * stride;
  for (size_t k = 0; k < count; ++k) {
    const V w0 = LoadWeights(w);
    const V w1 = W == 2 ? LoadWeights(w + lanes) : w0;
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      const float* base = p < 3 ? in0 : p < 6 ? in1 : p < 9 ? in2 : in3;
      const size_t offset = (p % 3) == 0 ? 0 : (p % 3) == 1 ? stride : 2 * stride;
      const V x = hn::Set(d, base[offset]);
      sum[p][0] = Policy::Accumulate(x, w0, sum[p][0]);
      if (W == 2) sum[p][W - 1] = Policy::Accumulate(x, w1, sum[p][W - 1]);
    }
    w += W * lanes;
    ++in0;
    ++in1;
    ++in2;
    ++in3;
  }
  return w;
}

// Channels of a tile's pixels that are widened from float16 at a time: two vectors. So few let the
// CPU widen the next ones while it still multiplies. On Zen 3 with AVX2, 64 channels cost 12 % of
// the speed; two vectors cost 0 to 6 %, which float16 weights bring back, for they are less to
// load.
constexpr size_t kWide = 2 * HWY_MAX_BYTES / sizeof(float);

template <class Policy, size_t P, size_t W, typename T>
HWY_INLINE const T* AddProducts(const hwy::float16_t* in, size_t stride, size_t count, const T* w,
                                V (&sum)[P][W]) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float wide[P * kWide];
  for (size_t first = 0; first < count; first += kWide) {
    const size_t part = HWY_MIN(kWide, count - first);
    for (size_t k = 0; k < part; k += lanes) {
#pragma GCC unroll 12
      for (size_t p = 0; p < P; ++p) {
        hn::Store(LoadFloat16(d, in + first + p * stride + k), d, wide + p * kWide + k);
      }
    }
    w = AddProducts<Policy, P, W>(wide, kWide, part, w, sum);
  }
  return w;
}

// The epilogue of sums in memory, for a few tiles at once: its constants are loaded rarely, and it
// is not unrolled behind every form of tile.
template <Join J, Element R, Element Out, size_t W>
HWY_NOINLINE void FinishSums(const Sums<float>& from, const TapRow& row, size_t out_channels,
                             const Epilogue& epilogue) {
  const D d;
  const size_t lanes = hn::Lanes(d), channel = from.channel, count = out_channels - channel;
  const size_t other_bytes = row.residual_stride * BytesOf(R);
  const size_t out_bytes = row.out_stride * BytesOf(Out);
  const uint8_t* other = static_cast<const uint8_t*>(row.residual);
  if constexpr (J != Join::kNone) other += from.first_pixel * other_bytes;
  uint8_t* out = static_cast<uint8_t*>(row.out) + from.first_pixel * out_bytes;
  // Copies, for stores may alias whatever is not local.
  const float* HWY_RESTRICT sums = from.sums;
  const float* HWY_RESTRICT gain = epilogue.gain;
  const float* HWY_RESTRICT other_scale = epilogue.residual_scale;
  const bool leaky_relu = J <= Join::kAdd && epilogue.leaky_relu;
  const V slope = hn::Set(d, epilogue.slope);
  const float low = epilogue.low, high = epilogue.high;
  const size_t pixels = from.pixels;
  constexpr bool kDivides = J == Join::kDivide || J == Join::kDivideRoot;
  for (size_t p = 0; p < pixels; ++p) {
#pragma GCC unroll 2
    for (size_t i = 0; i < W; ++i, sums += lanes) {
      const size_t first = channel + i * lanes, left = count - i * lanes;
      V v = hn::Load(d, sums);
      if constexpr (J == Join::kDivideRoot || J == Join::kMultiplyRoot) v = hn::Sqrt(v);
      if constexpr (J != Join::kNone) {
        const V x = LoadResidual<R>(other, first, left, other_scale);
        v = J == Join::kAdd ? hn::Add(v, x) : kDivides ? hn::Div(x, v) : hn::Mul(x, v);
      }
      if (leaky_relu) v = hn::Max(v, hn::Mul(v, slope));
      if (gain != nullptr) v = hn::Mul(v, LoadCount(gain + first, left));
      StoreElement<Out>(v, out, first, left, low, high);
    }
    if constexpr (J != Join::kNone) other += other_bytes;
    out += out_bytes;
  }
}

template <Join J, Element R>
Finisher<float> FinisherFor(Element out) {
  if (out == Element::kF32) {
    return {FinishSums<J, R, Element::kF32, 1>, FinishSums<J, R, Element::kF32, 2>};
  }
  return {FinishSums<J, R, Element::kF16, 1>, FinishSums<J, R, Element::kF16, 2>};
}

template <Join J>
Finisher<float> FinisherFor(const Epilogue& epilogue) {
  return epilogue.residual == Element::kF32 ? FinisherFor<J, Element::kF32>(epilogue.out)
                                            : FinisherFor<J, Element::kF16>(epilogue.out);
}

Finisher<float> FinisherFor(Join join, const Epilogue& epilogue) {
  switch (join) {
    case Join::kNone:
      return FinisherFor<Join::kNone, Element::kF32>(epilogue.out);
    case Join::kAdd:
      return FinisherFor<Join::kAdd>(epilogue);
    case Join::kDivide:
      return FinisherFor<Join::kDivide>(epilogue);
    case Join::kMultiply:
      return FinisherFor<Join::kMultiply>(epilogue);
    case Join::kDivideRoot:
      return FinisherFor<Join::kDivideRoot>(epilogue);
    case Join::kMultiplyRoot:
      return FinisherFor<Join::kMultiplyRoot>(epilogue);
  }
  return {};
}

// Bias and products of P pixels x W vectors of inputs X and weights T. Sums live in registers: the
// arrays are indexed by constants only.
template <class Policy, typename X, typename T, size_t P, size_t W>
HWY_INLINE void SumUp(const PackedTaps& packed, const TapRow& row, size_t first_pixel,
                      size_t vector, V (&sum)[P][W]) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const void* weights = packed.weights.get();
  const T* w = static_cast<const T*>(weights) + vector * lanes * packed.depth;
  {
    const V bias0 = hn::Load(d, packed.bias.get() + vector * lanes);
    const V bias1 = hn::Load(d, packed.bias.get() + (vector + W - 1) * lanes);
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      sum[p][0] = bias0;
      if (W == 2) sum[p][W - 1] = bias1;
    }
  }
  const size_t taps = packed.runs.size();
  for (size_t t = 0; t < taps; ++t) {
    const X* in = static_cast<const X*>(row.taps[t]) + first_pixel * row.strides[t];
    w = AddProducts<Policy, P, W>(in, row.strides[t], packed.runs[t], w, sum);
  }
}

template <class Policy, typename X, typename T, size_t P, size_t W>
HWY_NOINLINE void SumTile(const PackedTaps& packed, const TapRow& row, size_t first_pixel,
                          size_t vector, float* HWY_RESTRICT sums) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum[P][W];
  SumUp<Policy, X, T, P, W>(packed, row, first_pixel, vector, sum);
#pragma GCC unroll 12
  for (size_t p = 0; p < P; ++p) {
    hn::Store(sum[p][0], d, sums + p * W * lanes);
    if (W == 2) hn::Store(sum[p][W - 1], d, sums + (p * W + 1) * lanes);
  }
}

// A whole tile of floats with its epilogue, in registers: what FinishSums does in memory, in the
// same order. For this most frequent case the way through memory would be a tenth of a 1x1.
template <class Policy, Join J>
HWY_NOINLINE void WholeTile(const PackedTaps& packed, const TapRow& row, const Epilogue& epilogue,
                            size_t first_pixel, size_t vector) {
  constexpr size_t P = kTile;
  const D d;
  const size_t lanes = hn::Lanes(d), channel = vector * lanes;
  V sum[P][2];
  SumUp<Policy, float, float, P, 2>(packed, row, first_pixel, vector, sum);
  if constexpr (J != Join::kNone) {
    const size_t stride = row.residual_stride;
    const float* from = static_cast<const float*>(row.residual) + first_pixel * stride + channel;
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p, from += stride) {
#pragma GCC unroll 2
      for (size_t i = 0; i < 2; ++i) {
        const V x = hn::LoadU(d, from + i * lanes);
        sum[p][i] = J == Join::kAdd      ? hn::Add(sum[p][i], x)
                    : J == Join::kDivide ? hn::Div(x, sum[p][i])
                                         : hn::Mul(x, sum[p][i]);
      }
    }
  }
  if (J <= Join::kAdd && epilogue.leaky_relu) {
    const V slope = hn::Set(d, epilogue.slope);
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      sum[p][0] = hn::Max(sum[p][0], hn::Mul(sum[p][0], slope));
      sum[p][1] = hn::Max(sum[p][1], hn::Mul(sum[p][1], slope));
    }
  }
  if (epilogue.gain != nullptr) {
    const V gain0 = hn::LoadU(d, epilogue.gain + channel);
    const V gain1 = hn::LoadU(d, epilogue.gain + channel + lanes);
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      sum[p][0] = hn::Mul(sum[p][0], gain0);
      sum[p][1] = hn::Mul(sum[p][1], gain1);
    }
  }
  float* to = static_cast<float*>(row.out) + first_pixel * row.out_stride + channel;
#pragma GCC unroll 12
  for (size_t p = 0; p < P; ++p, to += row.out_stride) {
    hn::StoreU(sum[p][0], d, to);
    hn::StoreU(sum[p][1], d, to + lanes);
  }
}

using RunWholeTile = void (*)(const PackedTaps& packed, const TapRow& row, const Epilogue& epilogue,
                              size_t first_pixel, size_t vector);

// Or nullptr.
template <class Policy>
RunWholeTile WholeTileFor(const PackedTaps& packed, Join join, const Epilogue& epilogue) {
  const bool floats = packed.input == Element::kF32 && packed.element == Element::kF32 &&
                      epilogue.out == Element::kF32;
  if (!floats || (join != Join::kNone && epilogue.residual != Element::kF32)) return nullptr;
  if (join == Join::kNone) return WholeTile<Policy, Join::kNone>;
  if (join == Join::kAdd) return WholeTile<Policy, Join::kAdd>;
  if constexpr (std::is_same_v<Policy, Fused>) {  // a GDN is of class close
    if (join == Join::kDivide) return WholeTile<Policy, Join::kDivide>;
    if (join == Join::kMultiply) return WholeTile<Policy, Join::kMultiply>;
  }
  return nullptr;
}

// Tiles that end in registers.
struct WholeTiles {
  const PackedTaps& packed;
  const TapRow& row;
  const Epilogue& epilogue;
  RunWholeTile run;

  size_t Run(size_t vector, size_t begin, size_t end) const {
    if (run == nullptr || (vector + 2) * packed.lanes > packed.out_channels) return begin;
    for (; begin + kTile <= end; begin += kTile) run(packed, row, epilogue, begin, vector);
    return begin;
  }
};

#if HWY_HAVE_FLOAT16
using DH = hn::Repartition<hwy::float16_t, D>;
using VH = hn::Vec<DH>;

// Adds the two chains of each output, widens the result and adds it to `sum`. The chains are
// neighbouring 16-bit lanes, so the widening is by hand: the bits go to their places, and the
// product moves the exponent.
HWY_INLINE V AddBlock(VH chains, V sum) {
  const DH dh;
  const hn::RepartitionToWide<hn::RebindToSigned<DH>> di;
  const hn::RebindToUnsigned<DH> du;
  const VH turned = hn::BitCast(dh, hn::Reverse2(du, hn::BitCast(du, chains)));
  const auto both = hn::BitCast(di, hn::Add(chains, turned));
  const auto placed = hn::And(hn::ShiftRight<3>(both), hn::Set(di, static_cast<int>(0x8FFFE000)));
  return hn::MulAdd(hn::BitCast(D(), placed), hn::Set(D(), 0x1p112f), sum);
}

// As SumTile, with float16 sums: two channels of a pixel are one word, broadcast at once. The
// blocks' float sums stay in memory, for registers hold the chains.
template <size_t P, size_t W>
HWY_NOINLINE void SumFloat16Tile(const PackedTaps& packed, const TapRow& row, size_t first_pixel,
                                 size_t vector, float* HWY_RESTRICT sums) {
  const D d;
  const DH dh;
  const hn::RepartitionToWide<hn::RebindToUnsigned<DH>> du;
  const size_t lanes = hn::Lanes(d);
  const void* weights = packed.weights.get();
  const hwy::float16_t* w =
      static_cast<const hwy::float16_t*>(weights) + vector * lanes * packed.depth;
  for (size_t p = 0; p < P; ++p) {
    for (size_t v = 0; v < W; ++v) {
      const V bias = hn::Load(d, packed.bias.get() + (vector + v) * lanes);
      hn::Store(bias, d, sums + (p * W + v) * lanes);
    }
  }
  const size_t taps = packed.runs.size();
  for (size_t t = 0; t < taps; ++t) {
    const size_t stride = row.strides[t];
    const auto* in = static_cast<const hwy::float16_t*>(row.taps[t]) + first_pixel * stride;
    for (size_t first = 0; first < packed.runs[t]; first += kFloat16Block) {
      VH chains[P][W];
#pragma GCC unroll 12
      for (size_t p = 0; p < P; ++p) {
        chains[p][0] = hn::Zero(dh);
        if (W == 2) chains[p][W - 1] = hn::Zero(dh);
      }
      const size_t count = HWY_MIN(kFloat16Block, packed.runs[t] - first);
      for (size_t k = 0; k < count; k += 2) {
        const VH w0 = hn::Load(dh, w);
        const VH w1 = W == 2 ? hn::Load(dh, w + 2 * lanes) : w0;
#pragma GCC unroll 12
        for (size_t p = 0; p < P; ++p) {
          uint32_t word;
          std::memcpy(&word, in + p * stride + first + k, sizeof(word));
          const VH x = hn::BitCast(dh, hn::Set(du, word));
          chains[p][0] = hn::MulAdd(x, w0, chains[p][0]);
          if (W == 2) chains[p][W - 1] = hn::MulAdd(x, w1, chains[p][W - 1]);
        }
        w += 2 * W * lanes;
      }
#pragma GCC unroll 12
      for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 2
        for (size_t v = 0; v < W; ++v) {
          float* sum = sums + (p * W + v) * lanes;
          hn::Store(AddBlock(chains[p][v], hn::Load(d, sum)), d, sum);
        }
      }
    }
  }
}

struct Float16Tile {
  using Sum = float;
  const PackedTaps& packed;
  const TapRow& row;
  size_t first_pixel;
  float* sums;

  template <size_t P, size_t W>
  HWY_INLINE void Run(size_t pixel, size_t vector) const {
    SumFloat16Tile<P, W>(packed, row, first_pixel + pixel, vector,
                         sums + pixel * W * hn::Lanes(D()));
  }
};
#endif  // HWY_HAVE_FLOAT16

// The tiles of a chunk that begins at `first_pixel`.
template <class Policy, typename X, typename T>
struct PolicyTile {
  using Sum = float;
  const PackedTaps& packed;
  const TapRow& row;
  size_t first_pixel;
  float* sums;

  template <size_t P, size_t W>
  HWY_INLINE void Run(size_t pixel, size_t vector) const {
    SumTile<Policy, X, T, P, W>(packed, row, first_pixel + pixel, vector,
                                sums + pixel * W * hn::Lanes(D()));
  }
};

template <class Policy>
void RunTypes(const PackedTaps& packed, const TapRow& row, Join join, const Epilogue& epilogue,
              size_t block_begin, size_t block_end) {
  using hwy::float16_t;
  const bool wide_input = packed.input == Element::kF32;
  const bool wide = packed.element == Element::kF32;
  const auto run =
      wide_input ? wide ? RunBlocks<PolicyTile<Policy, float, float>, PackedTaps, WholeTiles>
                        : RunBlocks<PolicyTile<Policy, float, float16_t>, PackedTaps, WholeTiles>
      : wide ? RunBlocks<PolicyTile<Policy, float16_t, float>, PackedTaps, WholeTiles>
                 : RunBlocks<PolicyTile<Policy, float16_t, float16_t>, PackedTaps, WholeTiles>;
  const WholeTiles whole{packed, row, epilogue, WholeTileFor<Policy>(packed, join, epilogue)};
  run(packed, row, epilogue, FinisherFor(join, epilogue), whole, block_begin, block_end);
}

void Run(const PackedTaps& packed, const TapRow& row, Numerics numerics, Join join,
         const Epilogue& epilogue, size_t block_begin, size_t block_end) {
#if HWY_HAVE_FLOAT16
  if (packed.float16_sums) {
    return RunBlocks<Float16Tile>(packed, row, epilogue, FinisherFor(join, epilogue), NoTiles(),
                                  block_begin, block_end);
  }
#endif
  const auto run = numerics == Numerics::kExact ? RunTypes<Separate> : RunTypes<Fused>;
  run(packed, row, join, epilogue, block_begin, block_end);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(Lanes);
HWY_EXPORT(Tile);
HWY_EXPORT(Float16Sums);
HWY_EXPORT(FastFloat16Sums);
HWY_EXPORT(Run);

size_t TilePixels() { return HWY_DYNAMIC_DISPATCH(Tile)(); }
size_t VectorLanes() { return HWY_DYNAMIC_DISPATCH(Lanes)(); }

namespace {

constexpr uint32_t kLeastNormal16 = 113u << 23, kBeyond16 = 143u << 23;  // bits of floats

// Whether a float16 has the value of the float with these bits.
bool IsFloat16(uint32_t bits) {
  const uint32_t magnitude = bits & 0x7fffffff, exponent = magnitude >> 23;
  if (magnitude == 0) return true;
  if (magnitude >= kBeyond16 || exponent < 103) return false;
  const uint32_t lost = magnitude >= kLeastNormal16 ? 13 : 126 - exponent;
  return (bits & ((1u << lost) - 1)) == 0;
}

bool AreFloat16(const float* values, size_t count) {
  return std::all_of(values, values + count,
                     [](float v) { return IsFloat16(BitCast<uint32_t>(v)); });
}

// Of a float for which IsFloat16 holds: much faster than a conversion that rounds.
uint16_t AsFloat16(float value) {
  const uint32_t bits = BitCast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude >= kLeastNormal16) {
    return static_cast<uint16_t>(sign | (magnitude - (112u << 23)) >> 13);
  }
  // The last place of the sum is 2^-24, that of a float16 below the normal ones.
  const float sum = BitCast<float>(magnitude) + 0.5f;
  return static_cast<uint16_t>(sign | (BitCast<uint32_t>(sum) - 0x3f000000));
}

// Whether no block of products can reach beyond float16, its roundings of 2^-11 each included, when
// no input exceeds `most`.
bool BlocksFit(const std::vector<uint32_t>& runs, size_t out_channels, const float* weights,
               float most) {
  const double limit = 65504.0 * (1.0 - static_cast<double>(kFloat16Block) / 2048.0);
  for (const uint32_t run : runs) {
    for (size_t first = 0; first < run; first += kFloat16Block) {
      const size_t end = std::min<size_t>(run, first + kFloat16Block);
      for (size_t c = 0; c < out_channels; ++c) {
        double sum = 0;
        for (size_t k = first; k < end; ++k) {
          sum += std::abs(static_cast<double>(weights[k * out_channels + c]));
        }
        if (!(sum * static_cast<double>(most) <= limit)) return false;
      }
    }
    weights += run * out_channels;
  }
  return true;
}

}  // namespace

bool HasFloat16Sums() { return HWY_DYNAMIC_DISPATCH(Float16Sums)(); }
bool HasFastFloat16Sums() { return HWY_DYNAMIC_DISPATCH(FastFloat16Sums)(); }

PackedTaps PackTaps(const TapTypes& types, const std::vector<uint32_t>& runs, size_t out_channels,
                    const float* weights, const float* bias) {
  PackedTaps packed;
  packed.input = types.input;
  packed.runs = runs;
  size_t depth = 0;
  for (const uint32_t run : runs) depth += run;
  const bool float16 = types.element == Element::kF16 && AreFloat16(weights, depth * out_channels);
  packed.element = float16 ? Element::kF16 : Element::kF32;
  packed.float16_sums = float16 && types.input == Element::kF16 && types.most > 0 &&
                        HasFloat16Sums() && BlocksFit(runs, out_channels, weights, types.most);
  const size_t group = packed.float16_sums ? 2 : 1;  // weights of an output that lie side by side
  for (const uint32_t run : runs) packed.depth += (run + group - 1) / group * group;
  packed.out_channels = out_channels;
  packed.lanes = HWY_DYNAMIC_DISPATCH(Lanes)();
  const size_t lanes = packed.lanes, vectors = packed.vectors(), bytes = BytesOf(packed.element);
  packed.weights = NewAlignedArray<uint8_t>(packed.depth * vectors * lanes * bytes);
  packed.bias = NewAlignedArray<float>((vectors + 1) * lanes);
  for (size_t c = 0; c < (vectors + 1) * lanes; ++c) {
    packed.bias[c] = c < out_channels && bias != nullptr ? bias[c] : 0.0f;
  }
  for (size_t block = 0; block < packed.blocks(); ++block) {
    const size_t first = 2 * block * lanes, width = (2 * block + 2 <= vectors ? 2 : 1) * lanes;
    const size_t exist = std::min(width, out_channels - first);
    uint8_t* to = packed.weights.get() + first * packed.depth * bytes;
    const float* row = weights + first;
    if (!float16) {
      for (size_t k = 0; k < depth; ++k, row += out_channels, to += width * bytes) {
        std::memcpy(to, row, exist * bytes);
        std::memset(to + exist * bytes, 0, (width - exist) * bytes);
      }
      continue;
    }
    auto* words = reinterpret_cast<uint16_t*>(to);
    for (const uint32_t run : runs) {
      for (size_t k = 0; k < run; k += group, words += width * group) {
        std::fill(words, words + width * group, uint16_t{0});
        for (size_t i = 0; i < group && k + i < run; ++i) {
          const float* from = row + (k + i) * out_channels;
          for (size_t c = 0; c < exist; ++c) words[c * group + i] = AsFloat16(from[c]);
        }
      }
      row += run * out_channels;
    }
  }
  return packed;
}

void RunTaps(const PackedTaps& packed, const TapRow& row, Numerics numerics, Join join,
             const Epilogue& epilogue, size_t block_begin, size_t block_end) {
  HWY_DYNAMIC_DISPATCH(Run)(packed, row, numerics, join, epilogue, block_begin, block_end);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
