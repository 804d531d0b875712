// silu: its kernel against float64 and, bit by bit, against the document; the operator in graphs.

#include <bit>
#include <cmath>
#include <limits>

#include "kernels/sigmoid.h"
#include "kernels/targets.h"
#include "tests/ops/document_functions.h"
#include "tests/ops/op_test.h"

namespace glint {
namespace {

// One float32 operation after the other.
float ByTheDocument(float x, float factor) {
  if (std::isnan(x)) x = 0.0f;
  const float scaled = factor * x;
  return x * SigmoidByTheDocument(scaled);
}

double InDouble(double x, double factor) { return x / (1.0 + std::exp(-factor * x)); }

ReferenceTensor Silu(const TwinNode& n) {
  const double factor = n.attributes["factor"];
  ReferenceTensor out = *n.in[0];
  for (double& v : out.data) {
    v = n.mode == ReferenceMode::kFloatChain
            ? static_cast<double>(ByTheDocument(static_cast<float>(v), static_cast<float>(factor)))
            : InDouble(v, factor);
  }
  return out;
}

const RegisterTwin kTwin("silu", Silu);

std::string DrawSilu(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, 300);
  std::string x = testing::DrawInput(b, random, "x", channels);
  if (channels < 40 && testing::Draw(random, 0, 1) == 0) x = b->Conv(x, channels, 1, 1);
  const double factor = testing::Draw(random, 0, 1) == 0 ? 1.0 : testing::DrawReal(random, 0.1, 4);
  return b->Append("silu", {x}, {{"factor", factor}});
}

std::string TypicalSilu(GraphBuilder* b, const std::string& x) {
  return b->Append("silu", {x}, {{"factor", 1}});
}

constexpr testing::OpDescription kOp = {"silu", DrawSilu, TypicalSilu};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("silu: the document's bits on every target, and its error") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> x = {0.0f, -0.0f, kInfinity, -kInfinity, 1e30f, -1e30f};
  for (int i = -60000; i <= 60000; ++i) x.push_back(static_cast<float>(i) * 1e-3f);
  x.push_back(std::nanf(""));
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    for (const float factor : {1e-3f, 1.0f, 1.702f, 1e3f}) {
      std::vector<float> y(x.size());
      kernels::Silu(x.data(), y.data(), x.size(), factor);
      size_t differ = 0;
      double worst = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        differ +=
            std::bit_cast<uint32_t>(y[i]) != std::bit_cast<uint32_t>(ByTheDocument(x[i], factor));
        if (!(std::abs(x[i]) <= 100.0f)) continue;
        const double want = InDouble(static_cast<double>(x[i]), static_cast<double>(factor));
        const double size = std::max(1.0, std::abs(static_cast<double>(x[i])));
        worst = std::max(worst, std::abs(static_cast<double>(y[i]) - want) / size);
      }
      CHECK_MESSAGE(differ == 0, target, " factor ", factor);
      CHECK_MESSAGE(worst <= 2e-7, target, " factor ", factor, " ", worst);
      CHECK(y.back() == 0.0f);
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("operators: silu") {
  testing::CheckOp(kOp);
  const auto refusal = [](double factor) {
    return testing::Refusal({"silu", {8}, {{"factor", factor}}});
  };
  CHECK(refusal(1e-3).empty());
  CHECK(refusal(1e3).empty());
  CHECK(refusal(0) == "factor is not in 1e-3..1e3");
  CHECK(refusal(1001) == "factor is not in 1e-3..1e3");
}

}  // namespace glint
