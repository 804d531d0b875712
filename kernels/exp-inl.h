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

// exp(x) for x in -87..0 in place, as 2^k exp(r) with |r| <= 0.35. exp(r) is its series up to r^7 /
// 7!; what follows in the series is below 6e-9. Several vectors side by side: one alone waits for
// its own results most of the time.
template <class D, class V, size_t N>
HWY_INLINE void Exp(D d, V (&x)[N]) {
  const hn::RebindToSigned<D> di;
  constexpr float kLog2E = 0x1.715476p+0f;
  constexpr float kLn2High = 0x1.62ep-1f, kLn2Low = 0x1.0bfbe8p-15f;  // k * kLn2High is exact
  // To the nearest integer, half to even: what lies behind the point does not fit beside it.
  const auto round = hn::Set(d, 0x1.8p23f);
  V shifted[N], sum[N];
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) {
    shifted[i] = hn::Add(hn::Mul(x[i], hn::Set(d, kLog2E)), round);
    const auto k = hn::Sub(shifted[i], round);
    x[i] = hn::Sub(x[i], hn::Mul(k, hn::Set(d, kLn2High)));
    x[i] = hn::Sub(x[i], hn::Mul(k, hn::Set(d, kLn2Low)));
    sum[i] = hn::Set(d, 1.0f / 5040);
  }
#pragma GCC unroll 8
  for (const float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) {
#pragma GCC unroll 8
    for (size_t i = 0; i < N; ++i) sum[i] = hn::Add(hn::Mul(sum[i], x[i]), hn::Set(d, c));
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) {
    const auto k = hn::Add(hn::BitCast(di, shifted[i]), hn::Set(di, 127));
    x[i] = hn::Mul(sum[i], hn::BitCast(d, hn::ShiftLeft<23>(k)));
  }
}

// Vectors that ForFloats hands out at a time.
constexpr size_t kSideBySide = 4;

// Makes out of in: change(d, x) has vectors of floats x[N], NaN as 0, and leaves the results there.
template <class Change>
HWY_INLINE void ForFloats(const float* in, float* out, size_t n, const Change& change) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const size_t lanes = hn::Lanes(d);
  const auto number = [](V x) HWY_ATTR { return hn::IfThenElseZero(hn::Eq(x, x), x); };
  size_t at = 0;
  for (; at + kSideBySide * lanes <= n; at += kSideBySide * lanes) {
    V x[kSideBySide];
#pragma GCC unroll 8
    for (size_t i = 0; i < kSideBySide; ++i) x[i] = number(hn::LoadU(d, in + at + i * lanes));
    change(d, x);
#pragma GCC unroll 8
    for (size_t i = 0; i < kSideBySide; ++i) hn::StoreU(x[i], d, out + at + i * lanes);
  }
  for (; at < n; at += lanes) {
    const size_t count = n - at < lanes ? n - at : lanes;
    V x[1] = {number(hn::LoadN(d, in + at, count))};
    change(d, x);
    hn::StoreN(x[0], d, out + at, count);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_EXP_INL_H_
