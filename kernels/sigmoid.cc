#include "kernels/sigmoid.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/sigmoid.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

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

// Of x that is no NaN.
template <class D>
HWY_INLINE hn::Vec<D> SigmoidOf(D d, hn::Vec<D> x) {
  const auto one = hn::Set(d, 1.0f), most = hn::Set(d, 87.0f);
  // e <= 1, so nothing overflows: 1 / (1 + e), or e / (1 + e) below 0.
  const auto e = Exp(d, hn::Neg(hn::Min(hn::Abs(x), most)));
  const auto over = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one);
  return hn::Div(over, hn::Add(one, e));
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

void SigmoidT(const float* in, float* out, size_t n) {
  ForFloats(in, out, n, [](auto d, auto x) HWY_ATTR { return SigmoidOf(d, x); });
}

void SiluT(const float* in, float* out, size_t n, float factor) {
  ForFloats(in, out, n, [factor](auto d, auto x) HWY_ATTR {
    return hn::Mul(x, SigmoidOf(d, hn::Mul(x, hn::Set(d, factor))));
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(SigmoidT);
HWY_EXPORT(SiluT);

void Sigmoid(const float* in, float* out, size_t n) { HWY_DYNAMIC_DISPATCH(SigmoidT)(in, out, n); }
void Silu(const float* in, float* out, size_t n, float factor) {
  HWY_DYNAMIC_DISPATCH(SiluT)(in, out, n, factor);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
