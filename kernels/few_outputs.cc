#include "kernels/few_outputs.h"

#include <cstdint>

#include "kernels/bit_cast.h"
#include "kernels/int_gemm.h"
#include "kernels/targets.h"
#include "kernels/words.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/few_outputs.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/float_sums-inl.h"
#include "kernels/int_sums-inl.h"

// Once for all targets.
#ifndef GLINT_KERNELS_FEW_OUTPUTS_ONCE_
#define GLINT_KERNELS_FEW_OUTPUTS_ONCE_
namespace glint::kernels {
namespace {

// Input pixels that are turned at a time: a multiple of every tile. One more on either side.
constexpr size_t kStretch = 64;
constexpr size_t kPlane = kStretch + 4;  // words between the channels of a turned row
constexpr size_t kRows = 3;              // of input that a pair of output rows reads

// Output (2m + row, 2n + column) sums input (m + dy, n + dx) where a weight is. A place is one
// (column, dx) for which a kernel has weights, those of dx -1 first.
struct FewOutputPlace {
  size_t column;
  int64_t dx;
};
constexpr FewOutputPlace kPlacesOf5[] = {{0, -1}, {0, 0}, {1, 0}, {0, 1}, {1, 1}};
constexpr FewOutputPlace kPlacesOf4[] = {{0, -1}, {0, 0}, {1, 0}, {1, 1}};  // and of 3

constexpr size_t Places(size_t kernel) { return kernel == 5 ? 5 : 4; }

// The rows of input that one of the two rows of output reads, of those in ConvRow::in.
struct RowsRead {
  size_t first, count;
};
constexpr RowsRead RowsOf(size_t kernel, size_t row) {
  if (kernel == 3) return row == 0 ? RowsRead{0, 1} : RowsRead{0, 2};
  if (row == 1) return {1, 2};
  return {0, kernel == 5 ? size_t{3} : size_t{2}};
}

}  // namespace
}  // namespace glint::kernels
#endif  // GLINT_KERNELS_FEW_OUTPUTS_ONCE_

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

struct FloatWords {
  using Vec = V;
  static HWY_INLINE V Of(VI words) { return hn::BitCast(D(), words); }
  static HWY_INLINE V Accumulate(V x, V w, V sum) { return hn::MulAdd(x, w, sum); }
  static HWY_INLINE V Finish(V sum, const Epilogue& /*epilogue*/, size_t /*output*/) { return sum; }
};

template <class Products>
struct IntWords {
  using Vec = VI;
  static HWY_INLINE VI Of(VI words) { return words; }
  static HWY_INLINE VI Accumulate(VI x, VI w, VI sum) { return Products::Accumulate(x, w, sum); }
  static HWY_INLINE V Finish(VI sum, const Epilogue& epilogue, size_t output) {
    const D d;
    const V v = hn::Mul(hn::ConvertTo(d, sum), hn::Set(d, epilogue.scale[output]));
    return hn::Add(v, hn::Set(d, epilogue.bias[output]));
  }
};

// A vector of words from `first` on of a pixel, which begins at any byte where it has integers.
HWY_INLINE VI LoadWords(Element input, const uint8_t* pixel, size_t first, size_t count) {
  const DI di;
  if (input == Element::kF16) {
    const auto* halves = reinterpret_cast<const hwy::float16_t*>(pixel) + first;
    return hn::BitCast(di, LoadFloat16(D(), halves, count));
  }
  const hn::Repartition<uint8_t, DI> bytes;
  const uint8_t* from = pixel + 4 * first;
  return hn::BitCast(
      di, count >= hn::Lanes(di) ? hn::LoadU(bytes, from) : hn::LoadN(bytes, from, 4 * count));
}

// Stores each 128 bits of `v`, one pixel group of a channel, to the channel's plane: block b is of
// channel 4 b.
template <size_t kBlock>
HWY_INLINE void StoreBlocks(VI v, size_t channels, int32_t* to) {
  const hn::FixedTag<int32_t, 4> block;
  if constexpr (kBlock * 16 < HWY_MAX_BYTES) {
    if (4 * kBlock >= channels) return;
    hn::StoreU(hn::ExtractBlock<kBlock>(v), block, to + 4 * kBlock * kPlane);
    StoreBlocks<kBlock + 1>(v, channels, to);
  }
}

// Turns `count` pixels, from `in` on: to[word * kPlane + pixel]. Writes up to three more pixels.
void Turn(Element input, size_t words, const uint8_t* in, size_t pixel_bytes, size_t count,
          int32_t* to) {
  const DI d;
  const hn::Repartition<int64_t, DI> d64;
  const size_t lanes = hn::Lanes(d);
  for (size_t p = 0; p < count; p += 4) {
    const uint8_t* pixel[4];
    for (size_t i = 0; i < 4; ++i) pixel[i] = in + HWY_MIN(p + i, count - 1) * pixel_bytes;
    for (size_t w = 0; w < words; w += lanes) {
      const size_t left = words - w;
      const VI a = LoadWords(input, pixel[0], w, left);
      const VI b = LoadWords(input, pixel[1], w, left);
      const VI c = LoadWords(input, pixel[2], w, left);
      const VI e = LoadWords(input, pixel[3], w, left);
      const auto ab_low = hn::BitCast(d64, hn::InterleaveLower(d, a, b));
      const auto ab_high = hn::BitCast(d64, hn::InterleaveUpper(d, a, b));
      const auto ce_low = hn::BitCast(d64, hn::InterleaveLower(d, c, e));
      const auto ce_high = hn::BitCast(d64, hn::InterleaveUpper(d, c, e));
      int32_t* plane = to + w * kPlane + p;
      StoreBlocks<0>(hn::BitCast(d, hn::InterleaveLower(d64, ab_low, ce_low)), left, plane);
      if (left > 1) {
        StoreBlocks<0>(hn::BitCast(d, hn::InterleaveUpper(d64, ab_low, ce_low)), left - 1,
                       plane + kPlane);
      }
      if (left > 2) {
        StoreBlocks<0>(hn::BitCast(d, hn::InterleaveLower(d64, ab_high, ce_high)), left - 2,
                       plane + 2 * kPlane);
      }
      if (left > 3) {
        StoreBlocks<0>(hn::BitCast(d, hn::InterleaveUpper(d64, ab_high, ce_high)), left - 3,
                       plane + 3 * kPlane);
      }
    }
  }
}

// One row of the output's two: outputs [first, first + C) of P vectors of input pixels, for both
// columns. `in`: turned rows, at the pixel before the first.
template <class Words, bool kFive, size_t C, size_t P>
HWY_NOINLINE void SumTile(const PackedFewOutputs& packed, size_t row, size_t first,
                          const int32_t* const* in, const Epilogue& epilogue, float* out) {
  using Vec = typename Words::Vec;
  const DI d;
  const size_t lanes = hn::Lanes(d);
  const size_t outputs = packed.outputs;
  const RowsRead rows = RowsOf(packed.kernel, row);
  const size_t skipped = row == 0 ? 0 : RowsOf(packed.kernel, 0).count;
  const int32_t* w =
      packed.weights.data() + skipped * packed.words * Places(packed.kernel) * outputs + first;
  Vec sum[2][C][P];
  const int32_t* start = packed.start.data() + row * 2 * outputs + first;
#pragma GCC unroll 4
  for (size_t c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (size_t p = 0; p < P; ++p) {
      sum[0][c][p] = Words::Of(hn::Set(d, start[c]));
      sum[1][c][p] = Words::Of(hn::Set(d, start[outputs + c]));
    }
  }
  for (size_t word = 0; word < packed.words; ++word) {
    for (size_t r = rows.first; r < rows.first + rows.count; ++r) {
      const int32_t* x = in[r] + word * kPlane;
      const auto add = [&](const Vec(&v)[P], size_t column) HWY_ATTR {
#pragma GCC unroll 4
        for (size_t c = 0; c < C; ++c) {
          const Vec weight = Words::Of(hn::Set(d, w[c]));
#pragma GCC unroll 4
          for (size_t p = 0; p < P; ++p) {
            sum[column][c][p] = Words::Accumulate(v[p], weight, sum[column][c][p]);
          }
        }
        w += outputs;
      };
      Vec v[P];
#pragma GCC unroll 4
      for (size_t p = 0; p < P; ++p) v[p] = Words::Of(hn::LoadU(d, x + p * lanes));
      add(v, 0);
#pragma GCC unroll 4
      for (size_t p = 0; p < P; ++p) v[p] = Words::Of(hn::LoadU(d, x + p * lanes + 1));
      add(v, 0);
      add(v, 1);
#pragma GCC unroll 4
      for (size_t p = 0; p < P; ++p) v[p] = Words::Of(hn::LoadU(d, x + p * lanes + 2));
      if (kFive) add(v, 0);
      add(v, 1);
    }
  }
#pragma GCC unroll 4
  for (size_t c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (size_t p = 0; p < P; ++p) {
      const V even = Words::Finish(sum[0][c][p], epilogue, first + c);
      const V odd = Words::Finish(sum[1][c][p], epilogue, first + c);
      hn::StoreInterleaved2(even, odd, D(), out + c * 2 * kStretch + 2 * p * lanes);
    }
  }
}

// The planes of a stretch to where the row's pixels lie.
HWY_INLINE void StorePixels(const float* planes, size_t outputs, size_t pixels, size_t stride,
                            float* to) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kSide = 2 * kStretch;  // between planes
  size_t x = 0;
  if (outputs == 3 && stride == 3) {
    for (; x + lanes <= pixels; x += lanes) {
      hn::StoreInterleaved3(hn::LoadU(d, planes + x), hn::LoadU(d, planes + kSide + x),
                            hn::LoadU(d, planes + 2 * kSide + x), d, to + 3 * x);
    }
  }
  for (; x < pixels; ++x) {
    for (size_t c = 0; c < outputs; ++c) to[x * stride + c] = planes[c * kSide + x];
  }
}

// Outputs [first, first + C) of a stretch of pixels, `planes` of its output row.
template <class Words, bool kFive, size_t C>
HWY_INLINE void SumStretch(const PackedFewOutputs& packed, size_t row, size_t first, size_t pixels,
                           const int32_t* const (&in)[kRows], const Epilogue& epilogue,
                           float* planes) {
  const size_t lanes = hn::Lanes(DI());
  constexpr size_t kMost = HWY_TARGET <= HWY_AVX3 ? 4 : 2;  // as many sums as registers hold
  float* out = planes + first * 2 * kStretch;
  const int32_t* at[kRows];
  for (size_t x = 0; x < pixels;) {
    for (size_t r = 0; r < kRows; ++r) at[r] = in[r] + x;
    const size_t vectors = HWY_MIN(kMost, (pixels - x + lanes - 1) / lanes);
    if (kMost == 4 && vectors >= 3) {
      SumTile<Words, kFive, C, kMost>(packed, row, first, at, epilogue, out + 2 * x);
      x += kMost * lanes;
    } else if (vectors >= 2) {
      SumTile<Words, kFive, C, 2>(packed, row, first, at, epilogue, out + 2 * x);
      x += 2 * lanes;
    } else {
      SumTile<Words, kFive, C, 1>(packed, row, first, at, epilogue, out + 2 * x);
      x += lanes;
    }
  }
}

template <class Words, bool kFive>
void SumRow(const PackedFewOutputs& packed, size_t row, size_t pixels,
            const int32_t* const (&in)[kRows], const Epilogue& epilogue, float* planes) {
  size_t c = 0;
  for (; c + 3 <= packed.outputs; c += 3) {
    SumStretch<Words, kFive, 3>(packed, row, c, pixels, in, epilogue, planes);
  }
  for (; c < packed.outputs; ++c) {
    SumStretch<Words, kFive, 1>(packed, row, c, pixels, in, epilogue, planes);
  }
}

// Of a row among `count`, or `count`.
HWY_INLINE size_t PlaceOf(const void* row, const void* const* among, size_t count) {
  size_t place = 0;
  while (place < count && among[place] != row) ++place;
  return place;
}

template <class Words>
void RunPairs(const PackedFewOutputs& packed, const ConvRow* rows, size_t count,
              const Epilogue& epilogue, float* scratch) {
  const size_t pixels = rows[0].pixels / 2;
  const size_t taps = packed.kernel == 3 ? 2 : 3;
  const size_t plane_words = packed.words * kPlane;
  void* const memory = scratch;
  auto* turned = static_cast<int32_t*>(memory);
  float* planes = scratch + kRows * plane_words;
  const auto sum_row = packed.kernel == 5 ? SumRow<Words, true> : SumRow<Words, false>;
  for (size_t x = 0; x < pixels; x += kStretch) {
    const size_t now = HWY_MIN(kStretch, pixels - x);
    const void* held[kRows] = {};  // by place: the row of input whose stretch is there
    for (size_t pair = 0; pair < count; ++pair) {
      const ConvRow& row = rows[pair];
      const size_t pixel_bytes = row.in_pixel_stride[0] * BytesOf(packed.input);
      const int32_t* in[kRows] = {turned, turned, turned};
      const void* const* wanted = row.in.data();
      for (size_t r = 0; r < taps; ++r) {
        size_t place = PlaceOf(wanted[r], held, kRows);
        if (place == kRows) {
          // In place of a row that this pair does not read.
          place = 0;
          while (PlaceOf(held[place], wanted, taps) != taps) ++place;
          held[place] = wanted[r];
          const auto* from = static_cast<const uint8_t*>(wanted[r]);
          Turn(packed.input, packed.words, from + x * pixel_bytes - pixel_bytes, pixel_bytes,
               now + 2, turned + place * plane_words);
        }
        in[r] = turned + place * plane_words;
      }
      void* const out[2] = {row.out, row.out_second};
      for (size_t r = 0; r < 2; ++r) {
        sum_row(packed, r, now, in, epilogue, planes);
        StorePixels(planes, packed.outputs, 2 * now, row.out_pixel_stride,
                    static_cast<float*>(out[r]) + 2 * x * row.out_pixel_stride);
      }
    }
  }
}

void Run(const PackedFewOutputs& packed, const ConvRow* rows, size_t count,
         const Epilogue& epilogue, float* scratch) {
  auto run = packed.input == Element::kI16  ? RunPairs<IntWords<Pairs>>
             : packed.input == Element::kU8 ? RunPairs<IntWords<Quads>>
                                            : RunPairs<FloatWords>;
  if (UsesAvxVnni()) {
    if (packed.input == Element::kI16) run = RunPairs<IntWords<VnniPairs>>;
    if (packed.input == Element::kU8) run = RunPairs<IntWords<VnniQuads>>;
  }
  run(packed, rows, count, epilogue, scratch);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(Run);

namespace {

// Tap of the kernel by which the input at a distance goes into an output of the parity, or -1.
int64_t TapAt(const ConvSpec& spec, size_t parity, int64_t distance) {
  const int64_t tap = static_cast<int64_t>(parity + spec.padding) - 2 * distance;
  return tap >= 0 && tap < static_cast<int64_t>(spec.kernel) ? tap : -1;
}

// Calls see(row of output, word, part of the word, place, output, weight) for each weight in the
// order in which they are packed, weight 0 where the kernel has none.
template <typename T, typename See>
void ForWeights(const ConvSpec& spec, const PackedFewOutputs& packed, size_t group, const T* weight,
                const See& see) {
  const size_t k = spec.kernel;
  for (size_t row = 0; row < 2; ++row) {
    const RowsRead rows = RowsOf(k, row);
    for (size_t word = 0; word < packed.words; ++word) {
      for (size_t r = rows.first; r < rows.first + rows.count; ++r) {
        const int64_t ky = TapAt(spec, row, FirstRowOfPair(k) + static_cast<int64_t>(r));
        for (size_t place = 0; place < Places(k); ++place) {
          const FewOutputPlace& at = k == 5 ? kPlacesOf5[place] : kPlacesOf4[place];
          const int64_t kx = TapAt(spec, at.column, at.dx);
          for (size_t o = 0; o < packed.outputs; ++o) {
            for (size_t part = 0; part < group; ++part) {
              const size_t c = word * group + part;
              const bool exists = c < packed.channels && ky >= 0 && kx >= 0;
              const size_t index = (c * packed.outputs + o) * k * k;
              see(row, at.column, o, part,
                  exists ? weight[index + static_cast<size_t>(ky) * k + static_cast<size_t>(kx)]
                         : T{0});
            }
          }
        }
      }
    }
  }
}

PackedFewOutputs Empty(const ConvSpec& spec, Element input, size_t group) {
  PackedFewOutputs packed;
  packed.input = input;
  packed.kernel = spec.kernel;
  packed.channels = spec.in_channels[0];
  packed.words = (packed.channels + group - 1) / group;
  packed.outputs = spec.out_channels;
  packed.start.assign(4 * packed.outputs, 0);
  return packed;
}

}  // namespace

PackedFewOutputs PackFewOutputs(const ConvSpec& spec, Element input, const float* weight,
                                const float* bias) {
  PackedFewOutputs packed = Empty(spec, input, 1);
  ForWeights(spec, packed, 1, weight, [&](size_t, size_t, size_t, size_t, float w) {
    packed.weights.push_back(BitCast<int32_t>(w));
  });
  for (size_t i = 0; i < packed.start.size() && bias != nullptr; ++i) {
    packed.start[i] = BitCast<int32_t>(bias[i % packed.outputs]);
  }
  return packed;
}

PackedFewOutputs PackFewOutputs(const ConvSpec& spec, Element input, const int16_t* weight,
                                int zero) {
  const size_t group = GroupOf(input);
  PackedFewOutputs packed = Empty(spec, input, group);
  uint32_t word = 0;
  ForWeights(spec, packed, group, weight,
             [&](size_t row, size_t column, size_t o, size_t part, int16_t w) {
               packed.start[(row * 2 + column) * packed.outputs + o] -= zero * w;
               const uint32_t bits =
                   group == 4 ? static_cast<uint8_t>(w) : static_cast<uint16_t>(w);
               word |= bits << ShiftInWord(group, part);
               if (part + 1 < group) return;
               packed.weights.push_back(static_cast<int32_t>(word));
               word = 0;
             });
  return packed;
}

size_t FewOutputsScratchFloats(const PackedFewOutputs& packed) {
  const size_t most_lanes = HWY_MAX_BYTES / sizeof(float);
  return kRows * packed.words * kPlane + packed.outputs * 2 * kStretch + most_lanes;
}

void RunFewOutputs(const PackedFewOutputs& packed, const ConvRow* rows, size_t count,
                   const Epilogue& epilogue, float* scratch) {
  if (count == 0) return;
  HWY_DYNAMIC_DISPATCH(Run)(packed, rows, count, epilogue, scratch);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
