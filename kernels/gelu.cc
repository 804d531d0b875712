#include "kernels/gelu.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gelu.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The part of a normal distribution beyond a, for a in 0..12, as exp(-a^2 / 2) times a polynomial
// of t = 1 / (1 + 0.3 a) without a constant. It has the least greatest relative error of its
// degree, 9e-8.
template <class D, class V, size_t N>
HWY_INLINE void Tail(D d, const V (&a)[N], V (&tail)[N]) {
  const auto one = hn::Set(d, 1.0f);
  V t[N], sum[N];
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) {
    t[i] = hn::Div(one, hn::Add(one, hn::Mul(a[i], hn::Set(d, 0.3f))));
    tail[i] = hn::Mul(hn::Mul(a[i], a[i]), hn::Set(d, -0.5f));
    sum[i] = hn::Set(d, 0x1.2d0038p-5f);
  }
  Exp(d, tail);
#pragma GCC unroll 8
  for (const float c : {-0x1.4b2244p-3f, 0x1.b691d8p-3f, -0x1.f326cep-5f, 0x1.0f4014p-3f,
                        0x1.945896p-4f, 0x1.ef68ap-4f, 0x1.e9f2bcp-4f}) {
#pragma GCC unroll 8
    for (size_t i = 0; i < N; ++i) sum[i] = hn::Add(hn::Mul(sum[i], t[i]), hn::Set(d, c));
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) tail[i] = hn::Mul(tail[i], hn::Mul(sum[i], t[i]));
}

// Of a positive x, x less what the tail takes; of a negative one the latter alone. So the error is
// that of a small number, and of one subtraction.
struct GeluOf {
  template <class D, class V, size_t N>
  HWY_INLINE void operator()(D d, V (&x)[N]) const {
    V a[N], tail[N];
#pragma GCC unroll 8
    for (size_t i = 0; i < N; ++i) a[i] = hn::Min(hn::Abs(x[i]), hn::Set(d, 12.0f));
    Tail(d, a, tail);
#pragma GCC unroll 8
    for (size_t i = 0; i < N; ++i) {
      const auto positive = hn::IfThenElseZero(hn::Gt(x[i], hn::Zero(d)), x[i]);
      x[i] = hn::Sub(positive, hn::Mul(a[i], tail[i]));
    }
  }
};

void GeluT(const float* in, float* out, size_t n) { ForFloats(in, out, n, GeluOf()); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(GeluT);

void Gelu(const float* in, float* out, size_t n) { HWY_DYNAMIC_DISPATCH(GeluT)(in, out, n); }

}  // namespace glint::kernels
#endif  // HWY_ONCE
