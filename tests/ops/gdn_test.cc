// gdn against its definition.

#include <cmath>

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Gdn(const TwinNode& n) {
  const std::vector<float> beta = n.Weight("beta"), gamma = n.Matrix("gamma", 0, 1);
  const bool root = n.attributes["form"] == "sqrt", inverse = n.attributes["inverse"];
  const ReferenceTensor& x = *n.in[0];
  ReferenceTensor out = x;
  for (int y = 0; y < x.height; ++y) {
    for (int column = 0; column < x.width; ++column) {
      for (int o = 0; o < x.channels; ++o) {
        double norm = static_cast<double>(beta[static_cast<size_t>(o)]);
        for (int c = 0; c < x.channels; ++c) {
          const double v = x.at(y, column, c);
          norm += static_cast<double>(gamma[static_cast<size_t>(o * x.channels + c)]) *
                  (root ? v * v : std::abs(v));
        }
        if (root) norm = std::sqrt(norm);
        double& result = out.at(y, column, o);
        result = inverse ? result * norm : result / norm;
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("gdn", Gdn);

std::string DrawGdn(GraphBuilder* b, std::mt19937* random) {
  const std::string x = testing::DrawInput(b, random, "x", testing::Draw(random, 1, 40));
  const bool inverse = testing::Draw(random, 0, 1) == 0;
  return b->Gdn(x, inverse, testing::Draw(random, 0, 1) == 0 ? GdnForm::kAbs : GdnForm::kSqrt);
}

std::string TypicalGdn(GraphBuilder* b, const std::string& x) {
  return b->Gdn(x, false, GdnForm::kAbs);
}

constexpr testing::OpDescription kOp = {"gdn", DrawGdn, TypicalGdn};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: gdn") { testing::CheckOp(kOp); }

TEST_CASE("operators: gdn, what is refused") {
  testing::NodeText text{
      "gdn", {2}, {{"inverse", false}, {"form", "abs"}}, {{"beta", {2}}, {"gamma", {2, 2}}}};
  CHECK(testing::Refusal(text).empty());
  text.weights["gamma"] = {2, 3};
  CHECK(testing::Refusal(text) == "gamma 'gamma' has shape [2, 3], [2, 2] is wanted");
  text.attributes["form"] = "cubic";
  CHECK(testing::Refusal(text) == "form is 'cubic', known here: abs, sqrt");
}

}  // namespace glint
