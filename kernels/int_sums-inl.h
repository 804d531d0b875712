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
// integers, can wait for 16 bits, where two vectors are one. The lower one always can. `numbers`:
// none is NaN.
template <Element Out, bool kMayBeBounded>
struct Rounding {
  VF most;
  int16_t low, high, zero;
  bool bounded, numbers;

  HWY_INLINE Rounding(const Epilogue& epilogue, bool are_bounded, bool are_numbers)
      : most(hn::Set(DF(), epilogue.high)),
        low(static_cast<int16_t>(epilogue.low)),
        high(static_cast<int16_t>(epilogue.high)),
        zero(static_cast<int16_t>(epilogue.zero)),
        bounded(kMayBeBounded && are_bounded),
        numbers(are_numbers) {}

  HWY_INLINE VF Bounded(VF v) const {
    const VF limited = hn::Min(v, most);
    return numbers ? limited : hn::IfThenElseZero(hn::Eq(v, v), limited);
  }

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

// Bounds of Factors::AreWithin, with room for roundings: of what fits into int32, and of what no
// operation makes infinite.
constexpr float kWords = 0x1p30f, kNumbers = 0x1p120f;

// The constants of W vectors of channels, in registers: stores may alias whatever is in memory.
template <size_t W>
struct Factors {
  VF scale[W], bias[W], gain[W], other_scale[W];
  VF slope;
  VI other_zero;
  bool leaky_relu = false, gains = false;

  // One that the compiler makes is for the baseline target, which cannot take vectors of others.
  HWY_INLINE Factors() {}

  // Whether no value can be NaN or beyond `most` before it is limited. `positive`: no sum is
  // negative.
  template <Join J>
  HWY_INLINE bool AreWithin(float most, bool positive) const {
    constexpr bool kRoot = J == Join::kDivideRoot || J == Join::kMultiplyRoot;
    constexpr bool kDivides = J == Join::kDivide || J == Join::kDivideRoot;
    const DF d;
    // A root's are scaled by pixel, by a power of two that fits into int32.
    const VF most_sum = hn::Set(d, kRoot ? 0x1p62f : 0x1p31f), most_other = hn::Set(d, 0x1p17f);
    const VF least_norm = hn::Set(d, 0x1p-60f);
    bool within = !(kRoot || kDivides) || positive;
    for (size_t i = 0; i < W; ++i) {
      VF v = hn::Add(hn::Mul(hn::Abs(scale[i]), most_sum), hn::Abs(bias[i]));
      const VF other = hn::Mul(hn::Abs(other_scale[i]), most_other);
      if constexpr (kRoot || kDivides) {
        within = within && hn::AllTrue(d, hn::And(hn::Ge(scale[i], hn::Zero(d)),
                                                  hn::And(hn::Ge(bias[i], least_norm),
                                                          hn::Lt(v, hn::Set(d, kNumbers)))));
      }
      if constexpr (J == Join::kAdd) v = hn::Add(v, other);
      if constexpr (J == Join::kMultiply) v = hn::Mul(v, other);
      if constexpr (J == Join::kMultiplyRoot) v = hn::Mul(hn::Sqrt(v), other);
      if constexpr (J == Join::kDivide) v = hn::Div(other, bias[i]);
      if constexpr (J == Join::kDivideRoot) v = hn::Div(other, hn::Sqrt(bias[i]));
      if (leaky_relu) v = hn::Mul(v, hn::Max(hn::Set(d, 1.0f), hn::Abs(slope)));
      if (gains) v = hn::Mul(v, hn::Abs(gain[i]));
      within = within && hn::AllTrue(d, hn::Lt(v, hn::Set(d, most)));
    }
    return within;
  }
};

// Where a pixel is finished: what joins its sums, where it goes.
struct PixelPlace {
  const uint8_t* other;
  uint8_t* out;
  const float* HWY_RESTRICT pixel_scale;
};

// Nothing is known of floats that are added.
template <Join J, Element R>
constexpr bool kMayBeBounded = J == Join::kNone || (R != Element::kF32 && J != Join::kDivideRoot &&
                                                    J != Join::kMultiplyRoot && J != Join::kDivide);

// Of W vectors from `channel` on.
template <Join J, Element R, size_t W>
HWY_INLINE void LoadFactors(const Epilogue& epilogue, size_t channel, Factors<W>* f) {
  constexpr bool kIntegers = J != Join::kNone && R != Element::kF32;
  const DF d;
  f->leaky_relu = J <= Join::kAdd && epilogue.leaky_relu;
  f->slope = hn::Set(d, epilogue.slope);
  f->gains = epilogue.gain != nullptr;
  f->other_zero = hn::Set(DI(), static_cast<int32_t>(epilogue.residual_zero));
#pragma GCC unroll 2
  for (size_t i = 0; i < W; ++i) {
    const size_t c = channel + i * hn::Lanes(d);
    f->scale[i] = hn::LoadU(d, epilogue.scale + c);
    f->bias[i] = hn::LoadU(d, epilogue.bias + c);
    f->gain[i] = f->gains ? hn::LoadU(d, epilogue.gain + c) : hn::Zero(d);
    f->other_scale[i] = kIntegers ? hn::LoadU(d, epilogue.residual_scale + c) : hn::Zero(d);
  }
}

// The values of a pixel, of which `count` channels from `channel` on exist.
template <Join J, Element R, size_t W>
HWY_INLINE void Values(const VI (&sums)[W], const PixelPlace& at, const Factors<W>& f,
                       size_t channel, size_t count, VF (&values)[W]) {
  const DF d;
  const size_t lanes = hn::Lanes(d);
  constexpr bool kRoot = J == Join::kDivideRoot || J == Join::kMultiplyRoot;
  constexpr bool kDivides = J == Join::kDivide || J == Join::kDivideRoot;
#pragma GCC unroll 2
  for (size_t i = 0; i < W; ++i) {
    VF v = hn::ConvertTo(d, sums[i]);
    if constexpr (kRoot) v = hn::Mul(v, hn::Set(d, *at.pixel_scale));
    v = hn::Add(hn::Mul(v, f.scale[i]), f.bias[i]);
    if constexpr (kRoot) v = hn::Sqrt(v);
    if constexpr (J != Join::kNone) {
      const VF x = LoadOther<R>(at.other, channel + i * lanes, count - i * lanes, f.other_zero,
                                f.other_scale[i]);
      v = J == Join::kAdd ? hn::Add(v, x) : kDivides ? hn::Div(x, v) : hn::Mul(x, v);
    }
    values[i] = v;
  }
  if (f.leaky_relu) {
#pragma GCC unroll 2
    for (size_t i = 0; i < W; ++i) values[i] = hn::Max(values[i], hn::Mul(values[i], f.slope));
  }
  if (f.gains) {
#pragma GCC unroll 2
    for (size_t i = 0; i < W; ++i) values[i] = hn::Mul(values[i], f.gain[i]);
  }
}

// Of a row's pixel.
template <Join J, Element R, Element Out>
HWY_INLINE PixelPlace PlaceOf(size_t first_pixel, const TapRow& row) {
  constexpr bool kRoot = J == Join::kDivideRoot || J == Join::kMultiplyRoot;
  PixelPlace at;
  at.other = static_cast<const uint8_t*>(row.residual);
  if constexpr (J != Join::kNone) at.other += first_pixel * row.residual_stride * BytesOf(R);
  at.out = static_cast<uint8_t*>(row.out) + first_pixel * row.out_stride * BytesOf(Out);
  at.pixel_scale = kRoot ? row.pixel_scale + first_pixel : nullptr;
  return at;
}

// To the next pixel.
template <Join J>
HWY_INLINE void Advance(size_t other_bytes, size_t out_bytes, PixelPlace* at) {
  if constexpr (J != Join::kNone) at->other += other_bytes;
  at->out += out_bytes;
  if constexpr (J == Join::kDivideRoot || J == Join::kMultiplyRoot) ++at->pixel_scale;
}

// The epilogue, on sums in memory instead of the registers of the products. Unrolled behind the
// products for every kind of epilogue, it filled the instruction cache and made GCC spill sums
// inside their loop.
template <Join J, Element R, Element Out, size_t W>
HWY_NOINLINE void Finish(const Sums<int32_t>& from, const TapRow& row, size_t out_channels,
                         const Epilogue& epilogue) {
  Factors<W> f;
  LoadFactors<J, R>(epilogue, from.channel, &f);
  const Rounding<Out, kMayBeBounded<J, R>> rounding(
      epilogue,
      kMayBeBounded<J, R> && Out != Element::kF32 && f.template AreWithin<J>(kWords, false), false);
  const size_t other_bytes = row.residual_stride * BytesOf(R);
  const size_t out_bytes = row.out_stride * BytesOf(Out);
  PixelPlace at = PlaceOf<J, R, Out>(from.first_pixel, row);
  const size_t channel = from.channel, count = out_channels - channel, pixels = from.pixels;
  // A copy, for stores may alias whatever is not local.
  const int32_t* HWY_RESTRICT sums = from.sums;
  for (size_t p = 0; p < pixels; ++p, sums += W * hn::Lanes(DI())) {
    VI pixel[W];
#pragma GCC unroll 2
    for (size_t i = 0; i < W; ++i) pixel[i] = hn::Load(DI(), sums + i * hn::Lanes(DI()));
    VF values[W];
    Values<J, R>(pixel, at, f, channel, count, values);
    StorePixel<Out>(values, at.out, channel, count, rounding);
    Advance<J>(other_bytes, out_bytes, &at);
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
