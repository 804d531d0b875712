// layer_norm: its kernel against float64 and, bit by bit, against its order of sums; the operator
// in graphs.
#include "kernels/layer_norm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/targets.h"
#include "tests/ops/document_functions.h"
#include "tests/ops/op_test.h"
#include "tests/seed.h"

namespace glint {
namespace {

// As docs/MODEL_FORMAT.md has it, one float32 operation after the other.
std::vector<float> ByTheDocument(const std::vector<float>& x, const std::vector<float>& weight,
                                 const std::vector<float>& bias, float epsilon) {
  const auto channels = static_cast<float>(x.size());
  const float mean = SumInParts(x) / channels;
  std::vector<float> off(x), squares(x.size());
  for (float& v : off) v = v - mean;
  for (size_t c = 0; c < x.size(); ++c) squares[c] = off[c] * off[c];
  const float variance = SumInParts(squares) / channels;
  const float root = std::sqrt(variance + epsilon);
  for (size_t c = 0; c < x.size(); ++c) {
    const float scaled = off[c] / root * weight[c];
    off[c] = scaled + bias[c];
  }
  return off;
}

std::vector<double> InDouble(const std::vector<double>& x, const std::vector<float>& weight,
                             const std::vector<float>& bias, double epsilon) {
  const auto channels = static_cast<double>(x.size());
  double mean = 0, variance = 0;
  for (const double v : x) mean += v / channels;
  for (const double v : x) variance += (v - mean) * (v - mean) / channels;
  std::vector<double> out;
  for (size_t c = 0; c < x.size(); ++c) {
    out.push_back((x[c] - mean) / std::sqrt(variance + epsilon) * static_cast<double>(weight[c]) +
                  static_cast<double>(bias[c]));
  }
  return out;
}

ReferenceTensor LayerNorm(const TwinNode& n) {
  const std::vector<float> weight = n.Weight("weight"), bias = n.Weight("bias");
  const double epsilon = n.attributes["epsilon"];
  ReferenceTensor out = *n.in[0];
  const size_t channels = weight.size();
  for (size_t first = 0; first < out.data.size(); first += channels) {
    const auto begin = out.data.begin() + static_cast<int64_t>(first);
    const std::vector<double> x(begin, begin + static_cast<int64_t>(channels));
    if (n.mode == ReferenceMode::kDouble) {
      const std::vector<double> y = InDouble(x, weight, bias, epsilon);
      std::copy(y.begin(), y.end(), begin);
    } else {
      const std::vector<float> floats(x.begin(), x.end());
      const std::vector<float> y = ByTheDocument(floats, weight, bias, static_cast<float>(epsilon));
      std::copy(y.begin(), y.end(), begin);
    }
  }
  return out;
}

const RegisterTwin kTwin("layer_norm", LayerNorm);

// Of few channels it makes a step of what is nearly one value: 8 at least, for bounds to hold.
std::string AppendLayerNorm(GraphBuilder* b, const std::string& x) {
  b->AddWeight("weight", {b->channels(x)}, 0.5f, 1.5f);
  b->AddWeight("bias", {b->channels(x)}, -0.5f, 0.5f);
  return b->Append("layer_norm", {x}, {{"epsilon", 1e-3}});
}

std::string DrawLayerNorm(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 8, testing::Draw(random, 0, 1) == 0 ? 40 : 600);
  std::string x = testing::DrawInput(b, random, "x", channels);
  if (channels < 40 && testing::Draw(random, 0, 1) == 0) x = b->Conv(x, channels, 3, 1);
  return AppendLayerNorm(b, x);
}

constexpr testing::OpDescription kOp = {"layer_norm", DrawLayerNorm, AppendLayerNorm, 1e-4};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("layer_norm: the document's bits on every target, and its error") {
  std::mt19937 random(TestSeed() + 61);
  std::normal_distribution<float> value(0.3f, 1.0f);
  for (const int size : {1, 2, 3, 15, 16, 17, 31, 32, 33, 100, 192, 320, 1000}) {
    const auto channels = static_cast<size_t>(size);
    std::vector<float> x(channels), weight(channels), bias(channels);
    for (std::vector<float>* list : {&x, &weight, &bias}) {
      for (float& v : *list) v = value(random);
    }
    const kernels::LayerNormSpec spec = {channels, weight.data(), bias.data(), 1e-5f};
    const std::vector<float> want = ByTheDocument(x, weight, bias, 1e-5f);
    const std::vector<double> exact =
        InDouble(std::vector<double>(x.begin(), x.end()), weight, bias, 1e-5);
    for (const std::string& target : kernels::SupportedTargets()) {
      REQUIRE(kernels::SetTarget(target));
      constexpr size_t kPixels = 3, kGap = 5;
      std::vector<float> in(kPixels * (channels + kGap), 7.0f);
      for (size_t p = 0; p < kPixels; ++p) {
        std::copy(x.begin(), x.end(), in.begin() + static_cast<int64_t>(p * (channels + kGap)));
      }
      kernels::LayerNorm(in.data(), channels + kGap, in.data(), channels + kGap, kPixels, spec);
      for (size_t i = 0; i < in.size(); ++i) {
        const size_t c = i % (channels + kGap);
        CHECK_MESSAGE(in[i] == (c < channels ? want[c] : 7.0f), target, " ", channels, " ", i);
      }
      for (size_t c = 0; c < channels; ++c) {
        // Of one or two channels, differences are all rounding.
        if (channels > 2) CHECK(std::abs(static_cast<double>(in[c]) - exact[c]) < 1e-5);
      }
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("operators: layer_norm") {
  testing::CheckOp(kOp);
  testing::NodeText text{"layer_norm", {3}, {{"epsilon", 1e-5}}, {{"weight", {3}}, {"bias", {3}}}};
  CHECK(testing::Refusal(text).empty());
  text.weights["bias"] = {4};
  CHECK(testing::Refusal(text) == "bias 'bias' has shape [4], [3] is wanted");
  text.attributes["epsilon"] = 0;
  CHECK(testing::Refusal(text) == "epsilon is not in 1e-12..1");
}

}  // namespace glint
