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

// Sums of value(x) over the channels, in kParts parts, whatever the lanes of a vector. What lies
// behind the last channel is added as 0, which changes no sum.
template <class Value>
HWY_INLINE float SumOf(const float* in, size_t channels, const Value& value) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float parts[kParts];
  for (size_t j = 0; j < kParts; j += lanes) {
    auto sum = hn::Zero(d);
    for (size_t c = j; c < channels; c += kParts) {
      const size_t count = channels - c < lanes ? channels - c : lanes;
      const auto x = value(hn::LoadN(d, in + c, count));
      sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, count), x));
    }
    hn::Store(sum, d, parts + j);
  }
  for (size_t half = kParts / 2; half > 0; half /= 2) {
    for (size_t j = 0; j < half; ++j) parts[j] = parts[j] + parts[j + half];
  }
  return parts[0];
}

void LayerNormT(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
                const LayerNormSpec& spec) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto count_of_all = static_cast<float>(spec.channels);
  for (size_t p = 0; p < pixels; ++p, in += in_stride, out += out_stride) {
    const float sum = SumOf(in, spec.channels, [](auto x) HWY_ATTR { return x; });
    const auto mean = hn::Set(d, sum / count_of_all);
    const float squares = SumOf(in, spec.channels, [&](auto x) HWY_ATTR {
      const auto off = hn::Sub(x, mean);
      return hn::Mul(off, off);
    });
    const auto root = hn::Set(d, std::sqrt(squares / count_of_all + spec.epsilon));
    for (size_t c = 0; c < spec.channels; c += lanes) {
      const size_t count = spec.channels - c < lanes ? spec.channels - c : lanes;
      auto x = hn::Div(hn::Sub(hn::LoadN(d, in + c, count), mean), root);
      x = hn::Mul(x, hn::LoadN(d, spec.weight + c, count));
      hn::StoreN(hn::Add(x, hn::LoadN(d, spec.bias + c, count)), d, out + c, count);
    }
  }
}

void RmsNormT(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
              const LayerNormSpec& spec) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto count_of_all = static_cast<float>(spec.channels);
  for (size_t p = 0; p < pixels; ++p, in += in_stride, out += out_stride) {
    const float squares = SumOf(in, spec.channels, [](auto x) HWY_ATTR { return hn::Mul(x, x); });
    const auto root = hn::Set(d, std::sqrt(squares / count_of_all + spec.epsilon));
    for (size_t c = 0; c < spec.channels; c += lanes) {
      const size_t count = spec.channels - c < lanes ? spec.channels - c : lanes;
      const auto x = hn::Div(hn::LoadN(d, in + c, count), root);
      hn::StoreN(hn::Mul(x, hn::LoadN(d, spec.weight + c, count)), d, out + c, count);
    }
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
