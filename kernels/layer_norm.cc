#include "kernels/layer_norm.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kParts = 16;
using D = hn::CappedTag<float, kParts>;

// Pixels that are summed side by side: a sum of one pixel waits for its last addition.
constexpr size_t kPixels = 4;

// Sums of value(x, p) over the channels of P pixels, in kParts parts, whatever the lanes of a
// vector. What lies behind the last channel is added as 0, which changes no sum.
template <size_t P, class Value>
HWY_INLINE void SumsOf(const float* in, size_t stride, size_t channels, const Value& value,
                       float (&sums)[P]) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float parts[P][kParts];
  for (size_t j = 0; j < kParts; j += lanes) {
    hn::Vec<D> sum[P];
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) sum[p] = hn::Zero(d);
    size_t c = j;
    for (; c + lanes <= channels; c += kParts) {
#pragma GCC unroll 8
      for (size_t p = 0; p < P; ++p) {
        sum[p] = hn::Add(sum[p], value(hn::LoadU(d, in + p * stride + c), p));
      }
    }
    if (c < channels) {
      const auto there = hn::FirstN(d, channels - c);
#pragma GCC unroll 8
      for (size_t p = 0; p < P; ++p) {
        const auto x = value(hn::LoadN(d, in + p * stride + c, channels - c), p);
        sum[p] = hn::Add(sum[p], hn::IfThenElseZero(there, x));
      }
    }
#pragma GCC unroll 8
    for (size_t p = 0; p < P; ++p) hn::Store(sum[p], d, parts[p] + j);
  }
  for (size_t half = kParts / 2; half > 0; half /= 2) {
    for (size_t p = 0; p < P; ++p) {
      for (size_t j = 0; j < half; ++j) parts[p][j] = parts[p][j] + parts[p][j + half];
    }
  }
  for (size_t p = 0; p < P; ++p) sums[p] = parts[p][0];
}

// Calls run(c, count) for the channels by vectors; `count` is less than the lanes for the last one
// at most.
template <class Run>
HWY_INLINE void ForVectors(size_t channels, const Run& run) {
  const size_t lanes = hn::Lanes(D());
  for (size_t c = 0; c < channels; c += lanes) run(c, HWY_MIN(lanes, channels - c));
}

template <size_t P>
HWY_INLINE void LayerNormPixels(const float* in, size_t in_stride, float* out, size_t out_stride,
                                const LayerNormSpec& spec) {
  const D d;
  const auto count_of_all = static_cast<float>(spec.channels);
  float sums[P];
  hn::Vec<D> mean[P], root[P];
  SumsOf<P>(
      in, in_stride, spec.channels, [](auto x, size_t) HWY_ATTR { return x; }, sums);
  for (size_t p = 0; p < P; ++p) mean[p] = hn::Set(d, sums[p] / count_of_all);
  const auto square = [&](auto x, size_t p) HWY_ATTR {
    const auto off = hn::Sub(x, mean[p]);
    return hn::Mul(off, off);
  };
  SumsOf<P>(in, in_stride, spec.channels, square, sums);
  for (size_t p = 0; p < P; ++p) {
    root[p] = hn::Set(d, std::sqrt(sums[p] / count_of_all + spec.epsilon));
  }
  ForVectors(spec.channels, [&](size_t c, size_t count) HWY_ATTR {
    const auto weight = hn::LoadN(d, spec.weight + c, count);
    const auto bias = hn::LoadN(d, spec.bias + c, count);
    for (size_t p = 0; p < P; ++p) {
      const auto off = hn::Sub(hn::LoadN(d, in + p * in_stride + c, count), mean[p]);
      const auto x = hn::Mul(hn::Div(off, root[p]), weight);
      hn::StoreN(hn::Add(x, bias), d, out + p * out_stride + c, count);
    }
  });
}

template <size_t P>
HWY_INLINE void RmsNormPixels(const float* in, size_t in_stride, float* out, size_t out_stride,
                              const LayerNormSpec& spec) {
  const D d;
  const auto count_of_all = static_cast<float>(spec.channels);
  float sums[P];
  const auto square = [](auto x, size_t) HWY_ATTR { return hn::Mul(x, x); };
  SumsOf<P>(in, in_stride, spec.channels, square, sums);
  for (size_t p = 0; p < P; ++p) {
    const auto root = hn::Set(d, std::sqrt(sums[p] / count_of_all + spec.epsilon));
    ForVectors(spec.channels, [&](size_t c, size_t count) HWY_ATTR {
      const auto x = hn::Div(hn::LoadN(d, in + p * in_stride + c, count), root);
      hn::StoreN(hn::Mul(x, hn::LoadN(d, spec.weight + c, count)), d, out + p * out_stride + c,
                 count);
    });
  }
}

void LayerNormT(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
                const LayerNormSpec& spec) {
  size_t p = 0;
  for (; p + kPixels <= pixels; p += kPixels) {
    LayerNormPixels<kPixels>(in + p * in_stride, in_stride, out + p * out_stride, out_stride, spec);
  }
  for (; p < pixels; ++p) {
    LayerNormPixels<1>(in + p * in_stride, in_stride, out + p * out_stride, out_stride, spec);
  }
}

void RmsNormT(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
              const LayerNormSpec& spec) {
  size_t p = 0;
  for (; p + kPixels <= pixels; p += kPixels) {
    RmsNormPixels<kPixels>(in + p * in_stride, in_stride, out + p * out_stride, out_stride, spec);
  }
  for (; p < pixels; ++p) {
    RmsNormPixels<1>(in + p * in_stride, in_stride, out + p * out_stride, out_stride, spec);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(LayerNormT);
HWY_EXPORT(RmsNormT);

void LayerNorm(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
               const LayerNormSpec& spec) {
  HWY_DYNAMIC_DISPATCH(LayerNormT)(in, in_stride, out, out_stride, pixels, spec);
}

void RmsNorm(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
             const LayerNormSpec& spec) {
  HWY_DYNAMIC_DISPATCH(RmsNormT)(in, in_stride, out, out_stride, pixels, spec);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
