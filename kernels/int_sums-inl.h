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

// `count` lanes of the residual or of the input of a GDN; integers less `zero`, by `scale`. int16
// has no zero. The difference is exact, in integers as in floats.
template <Element R>
HWY_INLINE VF LoadOther(const void* pixel, size_t channel, size_t count, VI zero, VF scale) {
  const DF d;
  if constexpr (R == Element::kF32) {
    return LoadCount(d, static_cast<const float*>(pixel) + channel, count);
  } else {
    using T = std::conditional_t<R == Element::kI16, int16_t, uint8_t>;
    const hn::Rebind<T, DF> dt;
    const auto q = LoadCount(dt, static_cast<const T*>(pixel) + channel, count);
    VI x = hn::PromoteTo(DI(), q);
    if constexpr (R == Element::kU8) x = hn::Sub(x, zero);
    return hn::Mul(hn::ConvertTo(d, x), scale);
  }
}

// The nearest integer, ties to even. What is below int32 becomes its least value; nothing may be
// above. NearestInt takes three instructions more, for what is above.
HWY_INLINE VI Nearest(VF v) {
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
  return VI{_mm512_cvtps_epi32(v.raw)};
#elif HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
  return VI{_mm256_cvtps_epi32(v.raw)};
#elif HWY_TARGET <= HWY_SSE2 && HWY_ARCH_X86
  return VI{_mm_cvtps_epi32(v.raw)};
#else
  return hn::NearestInt(v);
#endif
}

// Rounds and limits. `bounded`: no value is NaN or outside of int32, so that limits, which are
// integers, can wait for 16 bits, where two vectors are one. The lower one always can.
template <Element Out, bool kMayBeBounded>
struct Rounding {
  VF most;
  int16_t low, high, zero;
  bool bounded;

  Rounding(const Epilogue& epilogue, bool are_bounded)
      : most(hn::Set(DF(), epilogue.high)),
        low(static_cast<int16_t>(epilogue.low)),
        high(static_cast<int16_t>(epilogue.high)),
        zero(static_cast<int16_t>(epilogue.zero)),
        bounded(kMayBeBounded && are_bounded) {}

  HWY_INLINE VF Bounded(VF v) const { return hn::IfThenElseZero(hn::Eq(v, v), hn::Min(v, most)); }

  // Stores what has been narrowed to 16 bits.
  template <class D16>
  HWY_INLINE void Store(hn::Vec<D16> q, D16 d, void* pixel, size_t channel, size_t count) const {
    q = hn::Max(q, hn::Set(d, low));
    if constexpr (kMayBeBounded) q = hn::Min(q, hn::Set(d, high));
    if constexpr (Out == Element::kI16) {
      StoreCount(q, d, static_cast<int16_t*>(pixel) + channel, count);
    } else {
      const hn::Rebind<uint8_t, D16> d8;
      q = hn::Add(q, hn::Set(d, zero));
      StoreCount(hn::DemoteTo(d8, q), d8, static_cast<uint8_t*>(pixel) + channel, count);
    }
  }
};

// W vectors of a pixel, of which `count` channels exist.
template <Element Out, bool kMayBeBounded, size_t W>
HWY_INLINE void StorePixel(const VF (&v)[W], void* pixel, size_t channel, size_t count,
                           const Rounding<Out, kMayBeBounded>& rounding) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  if constexpr (Out == Element::kF32) {
    float* to = static_cast<float*>(pixel) + channel;
    StoreCount(v[0], d, to, count);
    if constexpr (W == 2) StoreCount(v[1], d, to + lanes, count - lanes);
  } else {
    VF b[W];
#pragma GCC unroll 2
    for (size_t i = 0; i < W; ++i) b[i] = v[i];
    if (!kMayBeBounded || !rounding.bounded) {
#pragma GCC unroll 2
      for (size_t i = 0; i < W; ++i) b[i] = rounding.Bounded(v[i]);
    }
    if constexpr (W == 2) {
      const hn::Repartition<int16_t, DF> d16;
      const auto q = hn::OrderedDemote2To(d16, Nearest(b[0]), Nearest(b[1]));
      rounding.Store(q, d16, pixel, channel, count);
    } else {
      const hn::Rebind<int16_t, DF> d16;
      rounding.Store(hn::DemoteTo(d16, Nearest(b[0])), d16, pixel, channel, count);
    }
  }
}

// The constants of W vectors of channels, in registers: stores may alias whatever is in memory.
template <size_t W>
struct Factors {
  VF scale[W], bias[W], gain[W], other_scale[W];
  VF slope;
  bool leaky_relu, gains;

  // Whether no value can be NaN or leave int32 before it is limited.
  template <Join J>
  HWY_INLINE bool AreBounded() const {
    const DF d;
    const VF most_sum = hn::Set(d, 0x1p31f), most_other = hn::Set(d, 0x1p17f);
    bool bounded = true;
    for (size_t i = 0; i < W; ++i) {
      VF most = hn::Add(hn::Mul(hn::Abs(scale[i]), most_sum), hn::Abs(bias[i]));
      const VF other = hn::Mul(hn::Abs(other_scale[i]), most_other);
      if (J == Join::kAdd) most = hn::Add(most, other);
      if (J == Join::kMultiply) most = hn::Mul(most, other);
      if (leaky_relu) most = hn::Mul(most, hn::Max(hn::Set(d, 1.0f), hn::Abs(slope)));
      if (gains) most = hn::Mul(most, hn::Abs(gain[i]));
      bounded = bounded && hn::AllTrue(d, hn::Lt(most, hn::Set(d, 0x1p30f)));
    }
    return bounded;
  }
};

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
  const size_t channel = from.channel, pixels = from.pixels;
  constexpr bool kIntegers = J != Join::kNone && R != Element::kF32;
  Factors<W> f;
  f.leaky_relu = J <= Join::kAdd && epilogue.leaky_relu;
  f.slope = hn::Set(d, epilogue.slope);
  f.gains = epilogue.gain != nullptr;
#pragma GCC unroll 2
  for (size_t i = 0; i < W; ++i) {
    const size_t c = channel + i * lanes;
    f.scale[i] = hn::LoadU(d, epilogue.scale + c);
    f.bias[i] = hn::LoadU(d, epilogue.bias + c);
    f.gain[i] = f.gains ? hn::LoadU(d, epilogue.gain + c) : hn::Zero(d);
    f.other_scale[i] = kIntegers ? hn::LoadU(d, epilogue.residual_scale + c) : hn::Zero(d);
  }
  const VI other_zero = hn::Set(di, static_cast<int32_t>(epilogue.residual_zero));
  // Nothing is known of quotients and roots, nor of floats that are added.
  constexpr bool kMayBeBounded =
      J == Join::kNone || (kIntegers && (J == Join::kAdd || J == Join::kMultiply));
  const Rounding<Out, kMayBeBounded> rounding(
      epilogue, kMayBeBounded && Out != Element::kF32 && f.template AreBounded<J>());
  constexpr bool kRoot = J == Join::kDivideRoot || J == Join::kMultiplyRoot;
  constexpr bool kDivides = J == Join::kDivide || J == Join::kDivideRoot;
  const float* HWY_RESTRICT pixel_scale = kRoot ? row.pixel_scale + from.first_pixel : nullptr;
  for (size_t p = 0; p < pixels; ++p) {
    VF values[W];
#pragma GCC unroll 2
    for (size_t i = 0; i < W; ++i, sums += lanes) {
      VF v = hn::ConvertTo(d, hn::Load(di, sums));
      if constexpr (kRoot) v = hn::Mul(v, hn::Set(d, pixel_scale[p]));
      v = hn::Add(hn::Mul(v, f.scale[i]), f.bias[i]);
      if constexpr (kRoot) v = hn::Sqrt(v);
      if constexpr (J != Join::kNone) {
        const VF x = LoadOther<R>(other, channel + i * lanes, count - i * lanes, other_zero,
                                  f.other_scale[i]);
        v = J == Join::kAdd ? hn::Add(v, x) : kDivides ? hn::Div(x, v) : hn::Mul(x, v);
      }
      if (f.leaky_relu) v = hn::Max(v, hn::Mul(v, f.slope));
      if (f.gains) v = hn::Mul(v, f.gain[i]);
      values[i] = v;
    }
    StorePixel<Out>(values, out, channel, count, rounding);
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
