// Sums of integers: how products are added, and what the epilogue does to finished sums. Included
// by the kernels of products only, once per SIMD target. Thread rules: functions of their
// arguments.

// The guard toggles: every target compiles its own copy.
#if defined(GLINT_KERNELS_INT_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLINT_KERNELS_INT_SUMS_INL_H_
#undef GLINT_KERNELS_INT_SUMS_INL_H_
#else
#define GLINT_KERNELS_INT_SUMS_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "kernels/tap_gemm.h"
#include "kernels/targets.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using DF = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<DF>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;

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

// The same by AVX-VNNI, for the target AVX2_VNNI (kernels/targets.h). By hand: a function that may
// use the intrinsics cannot be inlined into one of AVX2. {vex}: the other encoding needs AVX-512.
// {..|..}: operands in the order of AT&T and of Intel (-masm=intel).
#if HWY_TARGET == HWY_AVX2 && !HWY_COMPILER_MSVC
struct VnniPairs {
  static HWY_INLINE VI Accumulate(VI x, VI w, VI sum) {
    __asm__("%{vex%} vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+x"(sum.raw) : "x"(x.raw), "x"(w.raw));
    return sum;
  }
};

struct VnniQuads {
  static HWY_INLINE VI Accumulate(VI x, VI w, VI sum) {
    __asm__("%{vex%} vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(sum.raw) : "x"(x.raw), "x"(w.raw));
    return sum;
  }
};
#else
using VnniPairs = Pairs;
using VnniQuads = Quads;
#endif

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

// The epilogue, on sums in memory instead of the registers of the products. Unrolled behind the
// products for every kind of epilogue, it filled the instruction cache and made GCC spill sums
// inside their loop.
template <Join J, Element R, Element Out, size_t W>
HWY_NOINLINE void Finish(const Sums<int32_t>& from, const TapRow& row, size_t out_channels,
                         const Epilogue& epilogue) {
  const DF d;
  const DI di;
  const size_t lanes = hn::Lanes(d), count = out_channels - from.channel;
  const size_t other_bytes = row.residual_stride * BytesOf(R);
  const size_t out_bytes = row.out_stride * BytesOf(Out);
  const uint8_t* other = static_cast<const uint8_t*>(row.residual);
  if constexpr (J != Join::kNone) other += from.first_pixel * other_bytes;
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
  constexpr bool kRoot = J == Join::kDivideRoot || J == Join::kMultiplyRoot;
  constexpr bool kDivides = J == Join::kDivide || J == Join::kDivideRoot;
  const float* HWY_RESTRICT pixel_scale = kRoot ? row.pixel_scale + from.first_pixel : nullptr;
  for (size_t p = 0; p < pixels; ++p) {
    VF values[W];
#pragma GCC unroll 2
    for (size_t i = 0; i < W; ++i) {
      const VI sum = hn::Load(di, sums + (p * W + i) * lanes);
      VF v = hn::ConvertTo(d, sum);
      if constexpr (kRoot) v = hn::Mul(v, hn::Set(d, pixel_scale[p]));
      v = hn::Mul(v, hn::LoadU(d, scale + i * lanes));
      v = hn::Add(v, hn::LoadU(d, bias + i * lanes));
      if constexpr (kRoot) v = hn::Sqrt(v);
      if constexpr (J != Join::kNone) {
        const VF x =
            LoadOther<R>(other, channel + i * lanes, count - i * lanes, other_zero, other_scale);
        v = J == Join::kAdd ? hn::Add(v, x) : kDivides ? hn::Div(x, v) : hn::Mul(x, v);
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

template <Join J, Element R>
Finisher<int32_t> FinisherFor(Element out) {
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
Finisher<int32_t> FinisherFor(const Epilogue& epilogue) {
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

HWY_INLINE Finisher<int32_t> FinisherFor(Join join, const Epilogue& epilogue) {
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

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_INT_SUMS_INL_H_
