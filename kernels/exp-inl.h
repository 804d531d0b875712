// The exponential function of negative numbers, and how functions of single floats run over many.
// Included by kernels/ only, once per SIMD target. Single IEEE operations, the same bits on every
// target.
// Thread rules: functions of their arguments.

// The guard toggles: every target compiles its own copy.
#if defined(GLINT_KERNELS_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLINT_KERNELS_EXP_INL_H_
#undef GLINT_KERNELS_EXP_INL_H_
#else
#define GLINT_KERNELS_EXP_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// exp(x) for x in -87..0, as 2^k exp(r) with |r| <= 0.35. exp(r) is its series up to r^7 / 7!; what
// follows in the series is below 6e-9.
template <class D>
HWY_INLINE hn::Vec<D> Exp(D d, hn::Vec<D> x) {
  const hn::RebindToSigned<D> di;
  constexpr float kLog2E = 0x1.715476p+0f;
  constexpr float kLn2High = 0x1.62ep-1f, kLn2Low = 0x1.0bfbe8p-15f;  // k * kLn2High is exact
  const auto k = hn::NearestInt(hn::Mul(x, hn::Set(d, kLog2E)));
  const auto fk = hn::ConvertTo(d, k);
  auto r = hn::Sub(x, hn::Mul(fk, hn::Set(d, kLn2High)));
  r = hn::Sub(r, hn::Mul(fk, hn::Set(d, kLn2Low)));
  auto sum = hn::Set(d, 1.0f / 5040);
  for (const float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) {
    sum = hn::Add(hn::Mul(sum, r), hn::Set(d, c));
  }
  const auto power = hn::ShiftLeft<23>(hn::Add(k, hn::Set(di, 127)));
  return hn::Mul(sum, hn::BitCast(d, power));
}

// out = value(d, x) of vectors of floats; NaN counts as 0.
template <class Value>
HWY_INLINE void ForFloats(const float* in, float* out, size_t n, const Value& value) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < n; i += lanes) {
    const size_t count = n - i < lanes ? n - i : lanes;
    const auto x = hn::LoadN(d, in + i, count);
    hn::StoreN(value(d, hn::IfThenElseZero(hn::Eq(x, x), x)), d, out + i, count);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_EXP_INL_H_
