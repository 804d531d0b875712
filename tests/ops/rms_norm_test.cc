// rms_norm: its kernel against float64 and, bit by bit, against its order of sums; the operator in
// graphs.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/layer_norm.h"
#include "kernels/targets.h"
#include "tests/ops/document_functions.h"
#include "tests/ops/op_test.h"
#include "tests/seed.h"

namespace glint {
namespace {

// As docs/MODEL_FORMAT.md has it, one float32 operation after the other.
std::vector<float> ByTheDocument(const std::vector<float>& x, const std::vector<float>& weight,
                                 float epsilon) {
  std::vector<float> out(x);
  for (float& v : out) v = v * v;
  const float mean = SumInParts(out) / static_cast<float>(x.size());
  const float root = std::sqrt(mean + epsilon);
  for (size_t c = 0; c < x.size(); ++c) out[c] = x[c] / root * weight[c];
  return out;
}

std::vector<double> InDouble(const std::vector<double>& x, const std::vector<float>& weight,
                             double epsilon) {
  double mean = 0;
  for (const double v : x) mean += v * v / static_cast<double>(x.size());
  std::vector<double> out;
  for (size_t c = 0; c < x.size(); ++c) {
    out.push_back(x[c] / std::sqrt(mean + epsilon) * static_cast<double>(weight[c]));
  }
  return out;
}

ReferenceTensor RmsNorm(const TwinNode& n) {
  const std::vector<float> weight = n.Weight("weight");
  const double epsilon = n.attributes["epsilon"];
  ReferenceTensor out = *n.in[0];
  const size_t channels = weight.size();
  for (size_t first = 0; first < out.data.size(); first += channels) {
    const auto begin = out.data.begin() + static_cast<int64_t>(first);
    const std::vector<double> x(begin, begin + static_cast<int64_t>(channels));
    if (n.mode == ReferenceMode::kDouble) {
      const std::vector<double> y = InDouble(x, weight, epsilon);
      std::copy(y.begin(), y.end(), begin);
    } else {
      const std::vector<float> floats(x.begin(), x.end());
      const std::vector<float> y = ByTheDocument(floats, weight, static_cast<float>(epsilon));
      std::copy(y.begin(), y.end(), begin);
    }
  }
  return out;
}

const RegisterTwin kTwin("rms_norm", RmsNorm);

std::string AppendRmsNorm(GraphBuilder* b, const std::string& x) {
  b->AddWeight("weight", {b->channels(x)}, 0.5f, 1.5f);
  return b->Append("rms_norm", {x}, {{"epsilon", 1e-3}});
}

// Of few channels it makes nearly a step of their sign: 4 at least, for bounds to hold.
std::string DrawRmsNorm(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 4, testing::Draw(random, 0, 1) == 0 ? 40 : 600);
  std::string x = testing::DrawInput(b, random, "x", channels);
  if (channels < 40 && testing::Draw(random, 0, 1) == 0) x = b->Conv(x, channels, 3, 1);
  return AppendRmsNorm(b, x);
}

constexpr testing::OpDescription kOp = {"rms_norm", DrawRmsNorm, AppendRmsNorm, 1e-4};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("rms_norm: the document's bits on every target, and its error") {
  std::mt19937 random(TestSeed() + 67);
  std::normal_distribution<float> value(0.3f, 1.0f);
  for (const int size : {1, 2, 3, 15, 16, 17, 31, 32, 33, 100, 192, 320, 1000}) {
    const auto channels = static_cast<size_t>(size);
    std::vector<float> x(channels), weight(channels);
    for (std::vector<float>* list : {&x, &weight}) {
      for (float& v : *list) v = value(random);
    }
    const kernels::LayerNormSpec spec = {channels, weight.data(), nullptr, 1e-5f};
    const std::vector<float> want = ByTheDocument(x, weight, 1e-5f);
    const std::vector<double> exact =
        InDouble(std::vector<double>(x.begin(), x.end()), weight, 1e-5);
    double most = 0;
    for (const double v : exact) most = std::max(most, std::abs(v));
    for (const std::string& target : kernels::SupportedTargets()) {
      REQUIRE(kernels::SetTarget(target));
      constexpr size_t kPixels = 3, kGap = 5;
      std::vector<float> in(kPixels * (channels + kGap), 7.0f);
      for (size_t p = 0; p < kPixels; ++p) {
        std::copy(x.begin(), x.end(), in.begin() + static_cast<int64_t>(p * (channels + kGap)));
      }
      kernels::RmsNorm(in.data(), channels + kGap, in.data(), channels + kGap, kPixels, spec);
      size_t differ = 0;
      for (size_t i = 0; i < in.size(); ++i) {
        const size_t c = i % (channels + kGap);
        differ += in[i] != (c < channels ? want[c] : 7.0f);
      }
      CHECK_MESSAGE(differ == 0, target, " ", channels);
      for (size_t c = 0; c < channels; ++c) {
        CHECK(std::abs(static_cast<double>(in[c]) - exact[c]) <= 1e-6 * most);
      }
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("operators: rms_norm") {
  testing::CheckOp(kOp);
  testing::NodeText text{"rms_norm", {3}, {{"epsilon", 1e-5}}, {{"weight", {3}}}};
  CHECK(testing::Refusal(text).empty());
  text.weights["weight"] = {4};
  CHECK(testing::Refusal(text) == "weight 'weight' has shape [4], [3] is wanted");
  text.attributes["epsilon"] = 2;
  CHECK(testing::Refusal(text) == "epsilon is not in 1e-12..1");
}

}  // namespace glint
