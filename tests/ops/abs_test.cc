// abs against its definition.

#include <cmath>

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Abs(const TwinNode& n) {
  ReferenceTensor out = *n.in[0];
  for (double& v : out.data) v = std::abs(v);
  return out;
}

const RegisterTwin kTwin("abs", Abs);

std::string DrawAbs(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, 60);
  std::string x = testing::DrawInput(b, random, "x", channels);
  if (testing::Draw(random, 0, 1) == 0) x = b->Conv(x, channels, 3, 1);
  return b->Append("abs", {x});
}

std::string TypicalAbs(GraphBuilder* b, const std::string& x) { return b->Append("abs", {x}); }

constexpr testing::OpDescription kOp = {"abs", DrawAbs, TypicalAbs};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: abs") { testing::CheckOp(kOp); }

}  // namespace glint
