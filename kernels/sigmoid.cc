#include "kernels/sigmoid.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/sigmoid.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Of x that is no NaN.
template <class D>
HWY_INLINE hn::Vec<D> SigmoidOf(D d, hn::Vec<D> x) {
  const auto one = hn::Set(d, 1.0f), most = hn::Set(d, 87.0f);
  // e <= 1, so nothing overflows: 1 / (1 + e), or e / (1 + e) below 0.
  const auto e = Exp(d, hn::Neg(hn::Min(hn::Abs(x), most)));
  const auto over = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one);
  return hn::Div(over, hn::Add(one, e));
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
