// affine against its definition.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Affine(const TwinNode& n) {
  const std::vector<float> factor = n.Weight("factor"), shift = n.Weight("shift");
  ReferenceTensor out = *n.in[0];
  const auto channels = static_cast<size_t>(out.channels);
  for (size_t i = 0; i < out.data.size(); ++i) {
    double& v = out.data[i];
    if (!factor.empty()) v = n.Rounded(v * static_cast<double>(factor[i % channels]));
    if (!shift.empty()) v = n.Rounded(v + static_cast<double>(shift[i % channels]));
  }
  return out;
}

const RegisterTwin kTwin("affine", Affine);

// `parts`: 1 a factor, 2 a shift, 3 both.
std::string AppendAffine(GraphBuilder* b, const std::string& x, int parts) {
  if ((parts & 1) != 0) b->AddWeight("factor", {b->channels(x)}, -2.0f, 2.0f);
  if ((parts & 2) != 0) b->AddWeight("shift", {b->channels(x)}, -1.0f, 1.0f);
  return b->Append("affine", {x});
}

std::string DrawAffine(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, testing::Draw(random, 0, 1) == 0 ? 40 : 600);
  std::string x = testing::DrawInput(b, random, "x", channels);
  if (channels < 40 && testing::Draw(random, 0, 1) == 0) x = b->Conv(x, channels, 3, 1);
  return AppendAffine(b, x, testing::Draw(random, 1, 3));
}

std::string TypicalAffine(GraphBuilder* b, const std::string& x) { return AppendAffine(b, x, 3); }

constexpr testing::OpDescription kOp = {"affine", DrawAffine, TypicalAffine};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: affine") {
  testing::CheckOp(kOp);
  CHECK(testing::Refusal({"affine", {3}}) == "has neither factor nor shift");
  CHECK(testing::Refusal({"affine", {3}, testing::Json::object(), {{"shift", {3}}}}).empty());
  CHECK(testing::Refusal(
            {"affine", {3}, testing::Json::object(), {{"factor", {3}}, {"shift", {4}}}}) ==
        "shift 'shift' has shape [4], [3] is wanted");
  CHECK(testing::Refusal(
            {"affine", {3}, testing::Json::object(), {{"factor", {1}}, {"shift", {3}}}}) ==
        "factor 'factor' has shape [1], [3] is wanted");
}

}  // namespace glint
