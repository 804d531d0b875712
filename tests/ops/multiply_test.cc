// multiply against its definition.

#include "kernels/pointwise.h"
#include "kernels/targets.h"
#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Multiply(const TwinNode& n) {
  ReferenceTensor out = *n.in[0];
  for (size_t i = 0; i < out.data.size(); ++i) {
    out.data[i] = n.Rounded(out.data[i] * n.in[1]->data[i]);
  }
  return out;
}

const RegisterTwin kTwin("multiply", Multiply);

// A gate: what a convolution gives times its input; or inputs, or a square.
std::string DrawMultiply(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, 40);
  const std::string x = testing::DrawInput(b, random, "x", channels);
  switch (testing::Draw(random, 0, 3)) {
    case 0:
      return b->Append("multiply", {b->Conv(x, channels, 3, 1), x});
    case 1:
      return b->Append("multiply", {x, b->Conv(x, channels, 3, 1)});
    case 2:
      return b->Append("multiply", {x, testing::DrawInput(b, random, "y", channels)});
    default:
      return b->Append("multiply", {x, x});
  }
}

std::string TypicalMultiply(GraphBuilder* b, const std::string& x) {
  return b->Append("multiply", {x, b->Input("y", b->channels(x))});
}

constexpr testing::OpDescription kOp = {"multiply", DrawMultiply, TypicalMultiply};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("multiply: every length, the float's product, in place") {
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    for (size_t n = 0; n < 70; ++n) {
      std::vector<float> a(n + 1, 7.0f), b(n + 1, 7.0f), want(n + 1, 7.0f);
      for (size_t i = 0; i < n; ++i) {
        a[i] = 0.37f * static_cast<float>(i) - 9.0f;
        b[i] = 1.0f / static_cast<float>(i + 3);
        want[i] = a[i] * b[i];
      }
      kernels::Multiply(a.data(), b.data(), a.data(), n);
      CHECK_MESSAGE(a == want, target, " ", n);
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("operators: multiply") {
  testing::CheckOp(kOp);
  CHECK(testing::Refusal({"multiply", {3, 4}}) == "multiplies 3 and 4 channels");
}

}  // namespace glint
