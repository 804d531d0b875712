#include "kernels/int_gemm.h"

#include <cstring>

#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/int_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using DF = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<DF>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;

size_t Lanes() { return hn::Lanes(DI()); }
bool FastBytes() { return HWY_TARGET <= HWY_AVX3_DL; }  // VNNI

// Two products of 16 bits a lane.
struct Pairs {
  static HWY_INLINE VI Step(VI x, VI w, VI sum) {
    const DI d;
    const hn::Repartition<int16_t, DI> d16;
#if HWY_ARCH_X86
    // One instruction with VNNI, and in order: the second accumulator stays unused on x86.
    VI unused = hn::Zero(d);
    return hn::ReorderWidenMulAccumulate(d, hn::BitCast(d16, x), hn::BitCast(d16, w), sum, unused);
#else
    return hn::Add(sum, hn::WidenMulPairwiseAdd(d, hn::BitCast(d16, x), hn::BitCast(d16, w)));
#endif
  }
};

// Four products of bytes a lane, exact on every target (never maddubs, which saturates).
struct Quads {
  static HWY_INLINE VI Step(VI x, VI w, VI sum) {
    const DI d;
    const hn::Repartition<uint8_t, DI> du8;
    const hn::Repartition<int8_t, DI> di8;
    return hn::SumOfMulQuadAccumulate(d, hn::BitCast(du8, x), hn::BitCast(di8, w), sum);
  }
};

HWY_INLINE int32_t LoadWord(const uint8_t* from) {
  int32_t word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

template <class D, typename T>
HWY_INLINE hn::Vec<D> LoadCount(D d, const T* from, size_t count) {
  return count >= hn::Lanes(d) ? hn::LoadU(d, from) : hn::LoadN(d, from, count);
}

template <class D, typename T>
HWY_INLINE void StoreCount(hn::Vec<D> v, D d, T* to, size_t count) {
  if (HWY_LIKELY(count >= hn::Lanes(d))) {
    hn::StoreU(v, d, to);
  } else {
    hn::StoreN(v, d, to, count);
  }
}

struct Place {
  size_t channel;        // of the vector's first lane
  size_t count;          // channels that exist from here
  const void* residual;  // of the pixel
  void* out;
};

HWY_INLINE VF LoadResidual(const Place& at, const Epilogue& epilogue) {
  const DF d;
  const DI di;
  if (epilogue.residual == Element::kF32) {
    return LoadCount(d, static_cast<const float*>(at.residual) + at.channel, at.count);
  }
  VI q;
  if (epilogue.residual == Element::kI16) {
    const hn::Rebind<int16_t, DF> d16;
    q = hn::PromoteTo(
        di, LoadCount(d16, static_cast<const int16_t*>(at.residual) + at.channel, at.count));
  } else {
    const hn::Rebind<uint8_t, DF> d8;
    q = hn::PromoteTo(
        di, LoadCount(d8, static_cast<const uint8_t*>(at.residual) + at.channel, at.count));
  }
  const VF x = hn::Sub(hn::ConvertTo(d, q), hn::Set(d, epilogue.residual_zero));
  return hn::Mul(x, hn::LoadU(d, epilogue.residual_scale + at.channel));
}

HWY_INLINE void StoreElement(VF v, const Place& at, const Epilogue& epilogue) {
  const DF d;
  const DI di;
  if (epilogue.out == Element::kF32) {
    StoreCount(v, d, static_cast<float*>(at.out) + at.channel, at.count);
    return;
  }
  v = hn::IfThenElseZero(hn::Eq(v, v), v);  // no factor of a model may lead out of low..high
  v = hn::Min(hn::Max(v, hn::Set(d, epilogue.low)), hn::Set(d, epilogue.high));
  VI q = hn::NearestInt(v);
  if (epilogue.out == Element::kI16) {
    const hn::Rebind<int16_t, DF> d16;
    StoreCount(hn::DemoteTo(d16, q), d16, static_cast<int16_t*>(at.out) + at.channel, at.count);
    return;
  }
  const hn::Rebind<uint8_t, DF> d8;
  q = hn::Add(q, hn::Set(di, static_cast<int32_t>(epilogue.zero)));
  StoreCount(hn::DemoteTo(d8, q), d8, static_cast<uint8_t*>(at.out) + at.channel, at.count);
}

HWY_INLINE void Finish(VI sum, const Place& at, TapStore store, const Epilogue& epilogue) {
  const DF d;
  VF v = hn::Mul(hn::ConvertTo(d, sum), hn::LoadU(d, epilogue.scale + at.channel));
  v = hn::Add(v, hn::LoadU(d, epilogue.bias + at.channel));
  if (store == TapStore::kPlain) {
    if (at.residual != nullptr) v = hn::Add(v, LoadResidual(at, epilogue));
    if (epilogue.leaky_relu) v = hn::Max(v, hn::Mul(v, hn::Set(d, epilogue.slope)));
  } else {
    const VF x = LoadResidual(at, epilogue);
    v = store == TapStore::kDivide ? hn::Div(x, v) : hn::Mul(x, v);
  }
  if (epilogue.gain != nullptr) v = hn::Mul(v, hn::LoadU(d, epilogue.gain + at.channel));
  StoreElement(v, at, epilogue);
}

// kSplitRows: channel = (row, column, colour), at most 16 of a pixel; float output.
HWY_INLINE void FinishSplit(VI sum, const PackedIntTaps& packed, const TapRow& row, size_t pixel,
                            size_t channel, const Epilogue& epilogue) {
  const DF d;
  VF v = hn::Mul(hn::ConvertTo(d, sum), hn::LoadU(d, epilogue.scale + channel));
  v = hn::Add(v, hn::LoadU(d, epilogue.bias + channel));
  HWY_ALIGN float values[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, values);
  const size_t colours = packed.out_channels / 4;
  const size_t end = HWY_MIN(channel + hn::Lanes(d), packed.out_channels);
  for (size_t c = channel; c < end; ++c) {
    const size_t column = c / colours % 2;
    float* to = static_cast<float*>(c < 2 * colours ? row.out : row.out_second);
    to[pixel * row.out_step + column * (row.out_step / 2) + c % colours] = values[c - channel];
  }
}

// P pixels x W vectors; in bytes, for two element types share it.
template <class Policy, size_t P, size_t W>
HWY_NOINLINE void RunTile(const PackedIntTaps& packed, const TapRow& row, size_t first_pixel,
                          size_t vector, TapStore store, const Epilogue& epilogue) {
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
    const size_t step = row.steps[t] * element;
    const uint8_t* in0 = static_cast<const uint8_t*>(row.taps[t]) + first_pixel * step;
    const uint8_t* in1 = in0 + 3 * step;
    const uint8_t* in2 = in1 + 3 * step;
    const uint8_t* in3 = in2 + 3 * step;
    for (size_t k = packed.groups[t]; k != 0; --k) {
      const VI w0 = hn::Load(d, w);
      const VI w1 = W == 2 ? hn::Load(d, w + lanes) : w0;
#pragma GCC unroll 12
      for (size_t p = 0; p < P; ++p) {
        const uint8_t* base = p < 3 ? in0 : p < 6 ? in1 : p < 9 ? in2 : in3;
        const size_t offset = (p % 3) == 0 ? 0 : (p % 3) == 1 ? step : 2 * step;
        const VI x = hn::Set(d, LoadWord(base + offset));
        sum[p][0] = Policy::Step(x, w0, sum[p][0]);
        if (W == 2) sum[p][W - 1] = Policy::Step(x, w1, sum[p][W - 1]);
      }
      w += W * lanes;
      in0 += 4;
      in1 += 4;
      in2 += 4;
      in3 += 4;
    }
  }
  const size_t residual_bytes = row.residual_step * BytesOf(epilogue.residual);
  const size_t out_bytes = row.out_step * BytesOf(epilogue.out);
#pragma GCC unroll 12
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 2
    for (size_t v = 0; v < W; ++v) {
      const size_t channel = (vector + v) * lanes, pixel = first_pixel + p;
      if (store == TapStore::kSplitRows) {
        FinishSplit(sum[p][v], packed, row, pixel, channel, epilogue);
        continue;
      }
      Place at;
      at.channel = channel;
      at.count = packed.out_channels - channel;
      at.residual = row.residual == nullptr
                        ? nullptr
                        : static_cast<const uint8_t*>(row.residual) + pixel * residual_bytes;
      at.out = static_cast<uint8_t*>(row.out) + pixel * out_bytes;
      Finish(sum[p][v], at, store, epilogue);
    }
  }
}

template <class Policy>
struct PolicyTile {
  const PackedIntTaps& packed;
  const TapRow& row;
  TapStore store;
  const Epilogue& epilogue;

  template <size_t P, size_t W>
  HWY_INLINE void Run(size_t pixel, size_t vector) const {
    RunTile<Policy, P, W>(packed, row, pixel, vector, store, epilogue);
  }
};

void Run(const PackedIntTaps& packed, const TapRow& row, TapStore store, const Epilogue& epilogue,
         size_t block_begin, size_t block_end) {
  if (packed.input == Element::kU8) {
    ForTiles(row.pixels, packed.vectors(), block_begin, block_end,
             PolicyTile<Quads>{packed, row, store, epilogue});
  } else {
    ForTiles(row.pixels, packed.vectors(), block_begin, block_end,
             PolicyTile<Pairs>{packed, row, store, epilogue});
  }
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
