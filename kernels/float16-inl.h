// Float16 (IEEE binary16) in memory, floats in registers. Included by kernels/ only, once per SIMD
// target.
// Thread rules: functions of their arguments.

// The guard toggles: every target compiles its own copy.
#if defined(GLINT_KERNELS_FLOAT16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLINT_KERNELS_FLOAT16_INL_H_
#undef GLINT_KERNELS_FLOAT16_INL_H_
#else
#define GLINT_KERNELS_FLOAT16_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
using Float16Of = hn::Rebind<hwy::float16_t, D>;

// Exact for finite values; others do not occur.
template <class D>
HWY_INLINE hn::Vec<D> Widened(D d, hn::Vec<Float16Of<D>> values) {
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX2
  // Without F16C: shifts put the bits in their places, and a product moves the exponent. That is a
  // quarter of the instructions of PromoteTo, which also has to get infinities and NaN right.
  const hn::RebindToSigned<D> di;
  const hn::Rebind<int16_t, D> d16;
  const auto bits = hn::ShiftLeft<13>(hn::PromoteTo(di, hn::BitCast(d16, values)));
  const auto placed = hn::And(bits, hn::Set(di, static_cast<int32_t>(0x8FFFFFFF)));
  return hn::Mul(hn::BitCast(d, placed), hn::Set(d, 0x1p112f));
#else
  return hn::PromoteTo(d, values);
#endif
}

template <class D>
HWY_INLINE hn::Vec<D> LoadFloat16(D d, const hwy::float16_t* from) {
  return Widened(d, hn::LoadU(Float16Of<D>(), from));
}

// At most a vector.
template <class D>
HWY_INLINE hn::Vec<D> LoadFloat16(D d, const hwy::float16_t* from, size_t count) {
  return count >= hn::Lanes(d) ? LoadFloat16(d, from)
                               : Widened(d, hn::LoadN(Float16Of<D>(), from, count));
}

// Rounds to the nearest even, to infinity from 65520 on.
template <class D>
HWY_INLINE void StoreFloat16(hn::Vec<D> v, D d, hwy::float16_t* to, size_t count) {
  const Float16Of<D> dh;
  if (HWY_LIKELY(count >= hn::Lanes(d))) {
    hn::StoreU(hn::DemoteTo(dh, v), dh, to);
  } else {
    hn::StoreN(hn::DemoteTo(dh, v), dh, to, count);
  }
}

// Whatever factors a model brings, the result lies in low..high.
template <class D>
HWY_INLINE hn::Vec<D> Limited(D d, hn::Vec<D> v, float low, float high) {
  v = hn::IfThenElseZero(hn::Eq(v, v), v);  // NaN
  return hn::Min(hn::Max(v, hn::Set(d, low)), hn::Set(d, high));
}

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_FLOAT16_INL_H_
