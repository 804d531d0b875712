// add against its definition.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Add(const TwinNode& n) {
  ReferenceTensor out = *n.in[0];
  for (size_t i = 0; i < out.data.size(); ++i) {
    out.data[i] = n.Rounded(out.data[i] + n.in[1]->data[i]);
  }
  return out;
}

const RegisterTwin kTwin("add", Add);

std::string DrawAdd(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, 40);
  const std::string x = testing::DrawInput(b, random, "x", channels);
  const int kind = testing::Draw(random, 0, 2);
  if (kind == 0) return b->Add(x, x);
  const std::string y = testing::DrawInput(b, random, "y", channels);
  return b->Add(x, kind == 1 ? y : b->Conv(y, channels, 1, 1));  // alone, or part of a product
}

std::string TypicalAdd(GraphBuilder* b, const std::string& x) {
  return b->Add(x, b->Input("y", b->channels(x)));
}

constexpr testing::OpDescription kOp = {"add", DrawAdd, TypicalAdd};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: add") {
  testing::CheckOp(kOp);
  CHECK(testing::Refusal({"add", {3, 4}}) == "adds 3 and 4 channels");
}

}  // namespace glint
