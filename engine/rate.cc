#include "engine/rate.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "kernels/bit_cast.h"

namespace glint {
namespace {

constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 32 leading bits: k * kLn2High is exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kLog2E = 0x1.71547652b82fep0;

double PowerOfTwo(int exponent) {
  return BitCast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

double Wide(float value) { return static_cast<double>(value); }

}  // namespace

double ExactExp(double x) {
  constexpr double kLimit = 80.0;
  if (!(x > -kLimit)) x = -kLimit;
  if (x > kLimit) x = kLimit;
  const double scaled = x * kLog2E;
  const int k = static_cast<int>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;  // |r| <= 0.35
  // Taylor by Horner: 0.35^15 / 15! is below 2^-62.
  double sum = 1.0;
  for (int n = 14; n >= 1; --n) sum = 1.0 + sum * r / n;
  return sum * PowerOfTwo(k);
}

double ExactLog(double x) {
  constexpr uint64_t kMantissa = (uint64_t{1} << 52) - 1;
  constexpr uint64_t kOne = uint64_t{1023} << 52;
  const uint64_t bits = BitCast<uint64_t>(x);
  int k = static_cast<int>(bits >> 52) - 1023;
  double m = BitCast<double>((bits & kMantissa) | kOne);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++k;
  }
  // log m = 2 atanh(s), |s| <= 0.172: s^26 is below 2^-65.
  const double s = (m - 1.0) / (m + 1.0);
  const double s2 = s * s;
  double sum = 0.0;
  for (int n = 25; n >= 1; n -= 2) sum = sum * s2 + 1.0 / n;
  return k * kLn2High + (2.0 * s * sum + k * kLn2Low);
}

std::vector<float> EvaluateGain(const ModelFile& model, const Node& node, double t) {
  const auto weight = [&](const char* role) {
    return TensorValues(*model.tensor(node.weights.at(role)));
  };
  TensorValues w1 = weight("fc1.weight"), b1 = weight("fc1.bias");
  TensorValues w2 = weight("fc2.weight"), b2 = weight("fc2.bias");
  std::vector<double> unit(b1.size());
  for (size_t j = 0; j < unit.size(); ++j) {
    const double sum = Wide(b1[j]) + Wide(w1[j]) * t;
    unit[j] = sum > 0 ? sum : 0.0;
  }
  std::vector<float> gains(b2.size());
  for (size_t c = 0; c < gains.size(); ++c) {
    double sum = Wide(b2[c]);
    for (size_t j = 0; j < unit.size(); ++j) sum = sum + Wide(w2[c * unit.size() + j]) * unit[j];
    gains[c] = static_cast<float>(ExactExp(sum));
  }
  return gains;
}

double EvaluateScale(const Quantisation& quantisation, double t) {
  const std::vector<double>& scales = quantisation.scales;
  if (scales.empty()) return 1.0;
  if (scales.size() == 1) return scales[0];
  const double last = static_cast<double>(scales.size() - 1);
  double at = (t + 1.0) * 0.5 * last;
  if (!(at > 0.0)) at = 0.0;
  if (at > last) at = last;
  const size_t knot = at < last ? static_cast<size_t>(at) : scales.size() - 2;
  const double share = at - static_cast<double>(knot);
  return ExactExp(ExactLog(scales[knot]) * (1.0 - share) + ExactLog(scales[knot + 1]) * share);
}

ChannelScales EvaluateScales(const ModelFile& model, const Quantisation& quantisation,
                             size_t channels, double t) {
  ChannelScales out;
  out.scale.assign(kernels::PaddedChannels(channels), 0.0f);
  out.inverse.assign(out.scale.size(), 0.0f);
  SetScales(ReadFactors(model, quantisation, channels), EvaluateScale(quantisation, t), &out);
  return out;
}

std::vector<float> ReadFactors(const ModelFile& model, const Quantisation& quantisation,
                               size_t channels) {
  std::vector<float> factors(channels, 1.0f);
  if (!quantisation.factor.empty()) {
    CopyAsFloat(*model.tensor(quantisation.factor), 0, channels, factors.data());
  }
  return factors;
}

double DynamicScale(const Quantisation& quantisation, const std::vector<float>& factors,
                    const float* most) {
  double widest = 0.0;
  for (size_t c = 0; c < factors.size(); ++c) {
    const double magnitude = static_cast<double>(most[c]) / static_cast<double>(factors[c]);
    if (!(magnitude <= widest)) widest = magnitude;
    if (!(widest <= std::numeric_limits<double>::max())) return kMostScale;
  }
  return std::clamp(widest / static_cast<double>(quantisation.max), kLeastScale, kMostScale);
}

void SetScales(const std::vector<float>& factors, double scale, ChannelScales* out) {
  for (size_t c = 0; c < factors.size(); ++c) {
    const double value = scale * static_cast<double>(factors[c]);
    out->scale[c] = static_cast<float>(value);
    out->inverse[c] = static_cast<float>(1.0 / value);
  }
}

}  // namespace glint
