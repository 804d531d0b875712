#include "kernels/int_gemm.h"

#include <cstring>
#include <type_traits>

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
  static HWY_INLINE VI Accumulate(VI x, VI w, VI sum) {
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
  static HWY_INLINE VI Accumulate(VI x, VI w, VI sum) {
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

// What the epilogue does with another operand of the sums' shape.
enum class Join { kNone, kAdd, kDivide, kMultiply };

// `count` lanes of the residual or of the input of a GDN; integers less `zero`, by `scale`.
template <Element R>
HWY_INLINE VF LoadOther(const void* pixel, size_t channel, size_t count, VF zero,
                        const float* HWY_RESTRICT scale) {
  const DF d;
  if constexpr (R == Element::kF32) {
    return LoadCount(d, static_cast<const float*>(pixel) + channel, count);
  } else {
    using T = std::conditional_t<R == Element::kI16, int16_t, uint8_t>;
    const hn::Rebind<T, DF> dt;
    const auto q = LoadCount(dt, static_cast<const T*>(pixel) + channel, count);
    const VF x = hn::ConvertTo(d, hn::PromoteTo(DI(), q));
    return hn::Mul(hn::Sub(x, zero), hn::LoadU(d, scale + channel));
  }
}

// Limits and rounds. Below 2^22, v + 1.5 * 2^23 has the nearest integer of v (ties to even) in its
// low bits. That takes half the instructions of NearestInt, which also cares for overflow.
struct Rounding {
  VF low, high, magic;
  VI offset;

  explicit Rounding(const Epilogue& epilogue)
      : low(hn::Set(DF(), epilogue.low)),
        high(hn::Set(DF(), epilogue.high)),
        magic(hn::Set(DF(), 0x1.8p23f)),
        offset(hn::Set(DI(), 0x4B400000 - static_cast<int32_t>(epilogue.zero))) {}

  HWY_INLINE VI Apply(VF v) const {
    v = hn::IfThenElseZero(hn::Eq(v, v), v);  // no factor of a model may lead out of low..high
    v = hn::Min(hn::Max(v, low), high);
    return hn::Sub(hn::BitCast(DI(), hn::Add(v, magic)), offset);
  }
};

// W vectors of a pixel, of which `count` channels exist.
template <Element Out, size_t W>
HWY_INLINE void StorePixel(const VF (&v)[W], void* pixel, size_t channel, size_t count,
                           const Rounding& rounding) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  if constexpr (Out == Element::kF32) {
    float* to = static_cast<float*>(pixel) + channel;
    StoreCount(v[0], d, to, count);
    if constexpr (W == 2) StoreCount(v[1], d, to + lanes, count - lanes);
  } else {
    using T = std::conditional_t<Out == Element::kI16, int16_t, uint8_t>;
    T* to = static_cast<T*>(pixel) + channel;
    const VI q0 = rounding.Apply(v[0]);
    if constexpr (W == 2) {
      const hn::Repartition<int16_t, DF> d16;
      const VI q1 = rounding.Apply(v[1]);
      const auto q = hn::OrderedDemote2To(d16, q0, q1);
      if constexpr (Out == Element::kI16) {
        StoreCount(q, d16, to, count);
      } else {
        const hn::Rebind<uint8_t, decltype(d16)> d8;
        StoreCount(hn::DemoteTo(d8, q), d8, to, count);
      }
    } else {
      const hn::Rebind<T, DF> dt;
      StoreCount(hn::DemoteTo(dt, q0), dt, to, count);
    }
  }
}

// Sums of some pixels, [pixel][vector][lane], and where they belong.
struct Sums {
  const int32_t* sums;
  size_t first_pixel;
  size_t pixels;
  size_t channel;
};

// The epilogue, on sums in memory instead of the registers of the products. Unrolled behind the
// products for every kind of epilogue, it filled the instruction cache and made GCC spill sums
// inside their loop.
template <Join J, Element R, Element Out, size_t W>
HWY_NOINLINE void Finish(const Sums& from, const TapRow& row, size_t out_channels,
                         const Epilogue& epilogue) {
  const DF d;
  const DI di;
  const size_t lanes = hn::Lanes(d), count = out_channels - from.channel;
  const size_t other_bytes = row.residual_stride * BytesOf(R);
  const size_t out_bytes = row.out_stride * BytesOf(Out);
  const uint8_t* other = static_cast<const uint8_t*>(row.residual) + from.first_pixel * other_bytes;
  uint8_t* out = static_cast<uint8_t*>(row.out) + from.first_pixel * out_bytes;
  // Copies, for stores may alias whatever is not local.
  const int32_t* HWY_RESTRICT sums = from.sums;
  const float* HWY_RESTRICT scale = epilogue.scale + from.channel;
  const float* HWY_RESTRICT bias = epilogue.bias + from.channel;
  const float* HWY_RESTRICT gain =
      epilogue.gain == nullptr ? nullptr : epilogue.gain + from.channel;
  const float* HWY_RESTRICT other_scale = epilogue.residual_scale;
  const VF other_zero = hn::Set(d, epilogue.residual_zero);
  const bool leaky_relu = J <= Join::kAdd && epilogue.leaky_relu;
  const VF slope = hn::Set(d, epilogue.slope);
  const Rounding rounding(epilogue);
  const size_t channel = from.channel, pixels = from.pixels;
  for (size_t p = 0; p < pixels; ++p) {
    VF values[W];
#pragma GCC unroll 2
    for (size_t i = 0; i < W; ++i) {
      const VI sum = hn::Load(di, sums + (p * W + i) * lanes);
      VF v = hn::Mul(hn::ConvertTo(d, sum), hn::LoadU(d, scale + i * lanes));
      v = hn::Add(v, hn::LoadU(d, bias + i * lanes));
      if constexpr (J != Join::kNone) {
        const VF x =
            LoadOther<R>(other, channel + i * lanes, count - i * lanes, other_zero, other_scale);
        v = J == Join::kAdd ? hn::Add(v, x) : J == Join::kDivide ? hn::Div(x, v) : hn::Mul(x, v);
      }
      if (leaky_relu) v = hn::Max(v, hn::Mul(v, slope));
      if (gain != nullptr) v = hn::Mul(v, hn::LoadU(d, gain + i * lanes));
      values[i] = v;
    }
    StorePixel<Out, W>(values, out, channel, count, rounding);
    if constexpr (J != Join::kNone) other += other_bytes;
    out += out_bytes;
  }
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

// How to finish sums of one and of two vectors a pixel.
struct Finisher {
  using Function = void (*)(const Sums&, const TapRow&, size_t, const Epilogue&);
  Function one;
  Function two;
};

template <Join J, Element R>
Finisher FinisherFor(Element out) {
  switch (out) {
    case Element::kF32:
      return {Finish<J, R, Element::kF32, 1>, Finish<J, R, Element::kF32, 2>};
    case Element::kI16:
      return {Finish<J, R, Element::kI16, 1>, Finish<J, R, Element::kI16, 2>};
    case Element::kU8:
      return {Finish<J, R, Element::kU8, 1>, Finish<J, R, Element::kU8, 2>};
    case Element::kF16:  // the planner goes through floats
      break;
  }
  return {};
}

template <Join J>
Finisher FinisherFor(const Epilogue& epilogue) {
  switch (epilogue.residual) {
    case Element::kF32:
      return FinisherFor<J, Element::kF32>(epilogue.out);
    case Element::kI16:
      return FinisherFor<J, Element::kI16>(epilogue.out);
    case Element::kU8:
      return FinisherFor<J, Element::kU8>(epilogue.out);
    case Element::kF16:
      break;
  }
  return {};
}

Finisher FinisherFor(TapStore store, const TapRow& row, const Epilogue& epilogue) {
  if (store == TapStore::kSplitRows) return {FinishSplit<1>, FinishSplit<2>};
  if (store == TapStore::kDivide) return FinisherFor<Join::kDivide>(epilogue);
  if (store == TapStore::kMultiply) return FinisherFor<Join::kMultiply>(epilogue);
  if (row.residual != nullptr) return FinisherFor<Join::kAdd>(epilogue);
  return FinisherFor<Join::kNone, Element::kF32>(epilogue.out);
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
  const Finisher finisher = FinisherFor(store, row, epilogue);
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
