#include "kernels/int_gemm.h"

#include <cstring>

#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/int_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/int_sums-inl.h"
#include "kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

size_t Lanes() { return hn::Lanes(DI()); }
bool FastBytes() { return HWY_TARGET <= HWY_AVX3_DL; }  // VNNI

HWY_INLINE int32_t LoadWord(const uint8_t* from) {
  int32_t word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

// kSplitRows: float output.
template <size_t W>
HWY_NOINLINE void FinishSplit(const Sums& from, const TapRow& row, size_t out_channels,
                              const Epilogue& epilogue) {
  const DF d;
  const DI di;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float values[W * HWY_MAX_BYTES / sizeof(float)];
  for (size_t p = 0; p < from.pixels; ++p) {
    for (size_t i = 0; i < W; ++i) {
      const VI sum = hn::Load(di, from.sums + (p * W + i) * lanes);
      const VF v = hn::Mul(hn::ConvertTo(d, sum), hn::LoadU(d, epilogue.scale + i * lanes));
      hn::Store(hn::Add(v, hn::LoadU(d, epilogue.bias + i * lanes)), d, values + i * lanes);
    }
    SplitPixel(values, row, out_channels, from.first_pixel + p);
  }
}

Finisher FinisherOf(TapStore store, const TapRow& row, const Epilogue& epilogue) {
  if (store == TapStore::kSplitRows) return {FinishSplit<1>, FinishSplit<2>};
  if (store == TapStore::kDivide) return FinisherFor<Join::kDivide>(epilogue);
  if (store == TapStore::kMultiply) return FinisherFor<Join::kMultiply>(epilogue);
  if (store == TapStore::kDivideRoot) return FinisherFor<Join::kDivideRoot>(epilogue);
  if (store == TapStore::kMultiplyRoot) return FinisherFor<Join::kMultiplyRoot>(epilogue);
  return PlainFinisher(row, epilogue);
}

// The products of P pixels x W vectors. Strides are in bytes, because two element types share it.
template <class Policy, size_t P, size_t W>
HWY_NOINLINE void SumTile(const PackedIntTaps& packed, const TapRow& row, size_t first_pixel,
                          size_t vector, int32_t* HWY_RESTRICT sums) {
  const DI d;
  const size_t lanes = hn::Lanes(d);
  const size_t element = packed.input == Element::kU8 ? 1 : 2;
  const int32_t* HWY_RESTRICT w = packed.weights.get() + vector * lanes * packed.depth;
  VI sum[P][W];
  {
    const VI start0 = hn::Load(d, packed.start.get() + vector * lanes);
    const VI start1 = hn::Load(d, packed.start.get() + (vector + W - 1) * lanes);
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      sum[p][0] = start0;
      if (W == 2) sum[p][W - 1] = start1;
    }
  }
  const size_t taps = packed.groups.size();
  for (size_t t = 0; t < taps; ++t) {
    const size_t stride = row.strides[t] * element;
    const uint8_t* in0 = static_cast<const uint8_t*>(row.taps[t]) + first_pixel * stride;
    const uint8_t* in1 = in0 + 3 * stride;
    const uint8_t* in2 = in1 + 3 * stride;
    const uint8_t* in3 = in2 + 3 * stride;
    for (size_t k = packed.groups[t]; k != 0; --k) {
      const VI w0 = hn::Load(d, w);
      const VI w1 = W == 2 ? hn::Load(d, w + lanes) : w0;
#pragma GCC unroll 12
      for (size_t p = 0; p < P; ++p) {
        const uint8_t* base = p < 3 ? in0 : p < 6 ? in1 : p < 9 ? in2 : in3;
        const size_t offset = (p % 3) == 0 ? 0 : (p % 3) == 1 ? stride : 2 * stride;
        const VI x = hn::Set(d, LoadWord(base + offset));
        sum[p][0] = Policy::Accumulate(x, w0, sum[p][0]);
        if (W == 2) sum[p][W - 1] = Policy::Accumulate(x, w1, sum[p][W - 1]);
      }
      w += W * lanes;
      in0 += 4;
      in1 += 4;
      in2 += 4;
      in3 += 4;
    }
  }
#pragma GCC unroll 12
  for (size_t p = 0; p < P; ++p) {
    hn::Store(sum[p][0], d, sums + p * W * lanes);
    if (W == 2) hn::Store(sum[p][W - 1], d, sums + (p * W + 1) * lanes);
  }
}

// Pixels whose sums wait for the epilogue together: a few tiles, so that the epilogue's constants
// are loaded rarely; and few enough that the sums stay in L1 (6 KiB at most).
constexpr size_t kChunk = 4 * kTile;

// The tiles of a chunk that begins at `first_pixel`.
template <class Policy>
struct ChunkTile {
  const PackedIntTaps& packed;
  const TapRow& row;
  size_t first_pixel;
  int32_t* sums;

  template <size_t P, size_t W>
  HWY_INLINE void Run(size_t pixel, size_t vector) const {
    SumTile<Policy, P, W>(packed, row, first_pixel + pixel, vector,
                          sums + pixel * W * hn::Lanes(DI()));
  }
};

template <class Policy, size_t W>
HWY_INLINE void RunBlock(const PackedIntTaps& packed, const TapRow& row, const Epilogue& epilogue,
                         size_t vector, Finisher::Function finish) {
  HWY_ALIGN int32_t sums[kChunk * W * HWY_MAX_BYTES / sizeof(int32_t)];
  for (size_t x = 0; x < row.pixels; x += kChunk) {
    const size_t pixels = HWY_MIN(kChunk, row.pixels - x);
    ForPixels<W>(pixels, vector, ChunkTile<Policy>{packed, row, x, sums});
    finish({sums, x, pixels, vector * hn::Lanes(DI())}, row, packed.out_channels, epilogue);
  }
}

template <class Policy>
void RunBlocks(const PackedIntTaps& packed, const TapRow& row, TapStore store,
               const Epilogue& epilogue, size_t block_begin, size_t block_end) {
  const Finisher finisher = FinisherOf(store, row, epilogue);
  for (size_t block = block_begin; block < block_end; ++block) {
    if (2 * block + 2 <= packed.vectors()) {
      RunBlock<Policy, 2>(packed, row, epilogue, 2 * block, finisher.two);
    } else {
      RunBlock<Policy, 1>(packed, row, epilogue, 2 * block, finisher.one);
    }
  }
}

void Run(const PackedIntTaps& packed, const TapRow& row, TapStore store, const Epilogue& epilogue,
         size_t block_begin, size_t block_end) {
  const auto run = packed.input == Element::kU8 ? RunBlocks<Quads> : RunBlocks<Pairs>;
  run(packed, row, store, epilogue, block_begin, block_end);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(Lanes);
HWY_EXPORT(FastBytes);
HWY_EXPORT(Run);

bool HasFastBytes() { return HWY_DYNAMIC_DISPATCH(FastBytes)(); }

PackedIntTaps PackIntTaps(Element input, const std::vector<uint32_t>& runs, size_t out_channels,
                          const int16_t* weights, int zero) {
  PackedIntTaps packed;
  packed.input = input;
  const size_t group = GroupOf(input);
  for (const uint32_t run : runs) {
    packed.groups.push_back(static_cast<uint32_t>((run + group - 1) / group));
    packed.depth += packed.groups.back();
  }
  packed.out_channels = out_channels;
  packed.lanes = HWY_DYNAMIC_DISPATCH(Lanes)();
  const size_t lanes = packed.lanes, vectors = packed.vectors();
  packed.weights = hwy::AllocateAligned<int32_t>(packed.depth * vectors * lanes);
  packed.start = hwy::AllocateAligned<int32_t>((vectors + 1) * lanes);
  std::vector<int64_t> sums(out_channels, 0);
  for (size_t block = 0; block < packed.blocks(); ++block) {
    const size_t first = 2 * block, width = (first + 2 <= vectors ? 2 : 1) * lanes;
    int32_t* to = packed.weights.get() + first * lanes * packed.depth;
    size_t tap_begin = 0;
    for (size_t t = 0; t < runs.size(); ++t) {
      for (size_t g = 0; g < packed.groups[t]; ++g) {
        for (size_t c = 0; c < width; ++c) {
          const size_t channel = first * lanes + c;
          uint32_t word = 0;
          for (size_t i = 0; i < group; ++i) {
            const size_t k = g * group + i;
            if (k >= runs[t] || channel >= out_channels) break;
            const int16_t value = weights[(tap_begin + k) * out_channels + channel];
            sums[channel] += value;
            const uint32_t bits =
                group == 4 ? static_cast<uint8_t>(value) : static_cast<uint16_t>(value);
            word |= bits << (32 / group * i);
          }
          *to++ = static_cast<int32_t>(word);
        }
      }
      tap_begin += runs[t];
    }
  }
  for (size_t c = 0; c < (vectors + 1) * lanes; ++c) {
    packed.start[c] = c < out_channels ? static_cast<int32_t>(-zero * sums[c]) : 0;
  }
  return packed;
}

void RunIntTaps(const PackedIntTaps& packed, const TapRow& row, TapStore store,
                const Epilogue& epilogue, size_t block_begin, size_t block_end) {
  HWY_DYNAMIC_DISPATCH(Run)(packed, row, store, epilogue, block_begin, block_end);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
