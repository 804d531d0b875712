#include "engine/ops/norm.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace glint::ops {
namespace {

// [C][C], each channel less their mean; or as it is.
FloatMatrix Centring(int channels, Centred centred) {
  const auto count = static_cast<size_t>(channels);
  const float mean = centred == Centred::kYes ? 1.0f / static_cast<float>(channels) : 0.0f;
  FloatMatrix matrix{{channels, channels}, std::vector<float>(count * count, -mean)};
  for (size_t c = 0; c < count; ++c) matrix.values[c * count + c] += 1;
  return matrix;
}

struct Normalised {
  NamedTensor normal;   // d / root, where d is x, or x less its mean
  NamedTensor inverse;  // 1 / root, in every channel
};

// rms_norm gives the root of d too, if it has a channel more of one value: that squared, and its
// own epsilon, are half of the node's epsilon each.
Normalised Normalise(const GradientNode& at, Centred centred, GradientBuilder* builder) {
  const NamedTensor& x = at.input();
  const float channels = static_cast<float>(x.channels), epsilon = EpsilonOf(at.node);
  const float value = std::sqrt(channels * epsilon / 2);
  FloatMatrix matrix = Centring(x.channels, centred);
  ++matrix.shape[0];
  matrix.values.resize(matrix.size(0) * matrix.size(1));
  std::vector<float> bias(matrix.size(0));
  bias.back() = value;
  const NamedTensor d = builder->Product(x, matrix, bias);

  // The mean of C + 1 channels is less than that of C.
  const float share = channels / (channels + 1), root = std::sqrt(share);
  std::vector<float> weight(matrix.size(0), root);
  weight.back() = root / value;
  constexpr float kLeast = 1e-12f;  // that a file may have
  const NamedTensor both = builder->Add("rms_norm", {d}, d.channels,
                                        {{"weight", builder->AddWeight({d.channels}, weight)}},
                                        {{"epsilon", std::max(kLeast, share * epsilon / 2)}});
  const std::vector<std::optional<int>> last(static_cast<size_t>(x.channels), x.channels);
  return {builder->Slice(both, 0, x.channels), builder->Picked(both, last)};
}

}  // namespace

// With u the gradient of n = d / root: (u - n * the mean of u n) / root, less its own mean where d
// is, which of n is 0.
void NormBackward(const GradientNode& at, Centred centred, GradientBuilder* builder) {
  const NamedTensor& x = at.input();
  const auto count = static_cast<size_t>(x.channels);
  const auto [normal, inverse] = Normalise(at, centred, builder);
  const NamedTensor u =
      builder->Add("affine", {at.gradient}, x.channels, {{"factor", at.node.weights.at("weight")}});
  const FloatMatrix minus_mean{
      {x.channels, x.channels},
      std::vector<float>(count * count, -1 / static_cast<float>(x.channels))};
  const NamedTensor along =
      builder->Multiply(builder->Product(builder->Multiply(u, normal), minus_mean), normal);
  const NamedTensor own =
      centred == Centred::kYes ? builder->Product(u, Centring(x.channels, centred)) : u;
  builder->Collect(x, builder->Multiply(builder->Sum(own, along), inverse));
}

}  // namespace glint::ops
