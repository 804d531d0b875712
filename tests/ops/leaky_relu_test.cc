// leaky_relu and relu against their definition.

#include <algorithm>

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor LeakyRelu(const TwinNode& n) {
  const double slope = static_cast<double>(n.attributes.value("slope", 0.0f));
  ReferenceTensor out = *n.in[0];
  for (double& v : out.data) v = n.Rounded(std::max(v, v * slope));
  return out;
}

const RegisterTwin kTwin("leaky_relu", LeakyRelu), kReluTwin("relu", LeakyRelu);

std::string DrawLeakyRelu(GraphBuilder* b, std::mt19937* random) {
  const std::string x = testing::DrawInput(b, random, "x", testing::Draw(random, 1, 600));
  return b->LeakyRelu(x, static_cast<float>(testing::DrawReal(random, 0.0, 1.0)));
}

std::string TypicalLeakyRelu(GraphBuilder* b, const std::string& x) {
  return b->LeakyRelu(x, 0.125f);
}

constexpr testing::OpDescription kOp = {"leaky_relu", DrawLeakyRelu, TypicalLeakyRelu};
const testing::RegisterOp kRegisterOp(kOp);

std::string DrawRelu(GraphBuilder* b, std::mt19937* random) {
  return b->Append("relu", {testing::DrawInput(b, random, "x", testing::Draw(random, 1, 40))});
}

std::string TypicalRelu(GraphBuilder* b, const std::string& x) { return b->Append("relu", {x}); }

constexpr testing::OpDescription kReluOp = {"relu", DrawRelu, TypicalRelu};
const testing::RegisterOp kRegisterRelu(kReluOp);

}  // namespace

TEST_CASE("operators: leaky_relu") {
  testing::CheckOp(kOp);
  testing::CheckOp(kReluOp);
  CHECK(testing::Refusal({"leaky_relu", {1}, {{"slope", 1.5}}}) == "slope is not in 0..1");
}

}  // namespace glint
