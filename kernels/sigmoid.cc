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
template <class D, class V, size_t N>
HWY_INLINE void SigmoidOf(D d, V (&x)[N]) {
  const auto one = hn::Set(d, 1.0f), most = hn::Set(d, 87.0f);
  // e <= 1, so nothing overflows: 1 / (1 + e), or e / (1 + e) below 0.
  V e[N];
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) e[i] = hn::Neg(hn::Min(hn::Abs(x[i]), most));
  Exp(d, e);
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) {
    const auto over = hn::IfThenElse(hn::Lt(x[i], hn::Zero(d)), e[i], one);
    x[i] = hn::Div(over, hn::Add(one, e[i]));
  }
}

void SigmoidT(const float* in, float* out, size_t n) {
  ForFloats(in, out, n, [](auto d, auto& x) HWY_ATTR { SigmoidOf(d, x); });
}

struct SiluOf {
  float factor;
  template <class D, class V, size_t N>
  HWY_INLINE void operator()(D d, V (&x)[N]) const {
    V share[N];
#pragma GCC unroll 8
    for (size_t i = 0; i < N; ++i) share[i] = hn::Mul(x[i], hn::Set(d, factor));
    SigmoidOf(d, share);
#pragma GCC unroll 8
    for (size_t i = 0; i < N; ++i) x[i] = hn::Mul(x[i], share[i]);
  }
};

void SiluT(const float* in, float* out, size_t n, float factor) {
  ForFloats(in, out, n, SiluOf{factor});
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
