// gain against its definition.

#include <algorithm>
#include <cmath>

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Gain(const TwinNode& n) {
  const std::vector<float> w1 = n.Weight("fc1.weight"), b1 = n.Weight("fc1.bias");
  const std::vector<float> w2 = n.Weight("fc2.weight"), b2 = n.Weight("fc2.bias");
  ReferenceTensor out = *n.in[0];
  for (size_t c = 0; c < b2.size(); ++c) {
    double sum = static_cast<double>(b2[c]);
    for (size_t h = 0; h < b1.size(); ++h) {
      sum += static_cast<double>(w2[c * b1.size() + h]) *
             std::max(0.0, static_cast<double>(w1[h]) * n.t + static_cast<double>(b1[h]));
    }
    for (size_t i = c; i < out.data.size(); i += b2.size()) out.data[i] *= std::exp(sum);
  }
  return out;
}

const RegisterTwin kTwin("gain", Gain);

std::string DrawGain(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, 40);
  const std::string x = testing::DrawInput(b, random, "x", channels);
  return b->Gain(testing::Draw(random, 0, 1) == 0 ? x : b->Conv(x, channels, 1, 1));
}

std::string TypicalGain(GraphBuilder* b, const std::string& x) { return b->Gain(x); }

constexpr testing::OpDescription kOp = {"gain", DrawGain, TypicalGain};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: gain") {
  testing::CheckOp(kOp);
  testing::NodeText text{"gain", {2}};
  text.weights = {
      {"fc1.weight", {4, 1}}, {"fc1.bias", {4}}, {"fc2.weight", {2, 4}}, {"fc2.bias", {2}}};
  CHECK(testing::Refusal(text).empty());
  text.weights["fc2.weight"] = {2, 5};
  CHECK(testing::Refusal(text) == "fc2.weight 'fc2.weight' has shape [2, 5], [2, 4] is wanted");
  text.weights["fc1.bias"] = {4097};
  CHECK(testing::Refusal(text) == "fc1.bias has shape [4097], 1 to 4096 hidden units are allowed");
}

}  // namespace glint
