// sigmoid: its kernel against float64 and, bit by bit, against the document; the operator in
// graphs.
#include "kernels/sigmoid.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/targets.h"
#include "tests/ops/document_functions.h"
#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Sigmoid(const TwinNode& n) {
  ReferenceTensor out = *n.in[0];
  for (double& v : out.data) {
    v = n.mode == ReferenceMode::kFloatChain
            ? static_cast<double>(SigmoidByTheDocument(static_cast<float>(v)))
            : 1.0 / (1.0 + std::exp(-v));
  }
  return out;
}

const RegisterTwin kTwin("sigmoid", Sigmoid);

std::string DrawSigmoid(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, 600);
  std::string x = testing::DrawInput(b, random, "x", channels);
  if (channels < 40 && testing::Draw(random, 0, 1) == 0) x = b->Conv(x, channels, 1, 1);
  return b->Append("sigmoid", {x});
}

std::string TypicalSigmoid(GraphBuilder* b, const std::string& x) {
  return b->Append("sigmoid", {x});
}

constexpr testing::OpDescription kOp = {"sigmoid", DrawSigmoid, TypicalSigmoid};
const testing::RegisterOp kRegisterOp(kOp);

std::vector<float> Arguments() {
  std::vector<float> x;
  for (int i = -100000; i <= 100000; ++i) x.push_back(static_cast<float>(i) * 1e-3f);
  for (int e = -149; e <= 127; ++e) {
    for (const float sign : {-1.0f, 1.0f}) x.push_back(sign * std::ldexp(1.0f, e));
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  x.insert(x.end(), {0.0f, -0.0f, kInfinity, -kInfinity, std::nanf("")});
  return x;
}

}  // namespace

TEST_CASE("sigmoid: the document's bits on every target, and its error") {
  const std::vector<float> x = Arguments();
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    std::vector<float> y(x.size());
    kernels::Sigmoid(x.data(), y.data(), x.size());
    size_t differ = 0;
    double worst = 0, worst_relative = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      differ +=
          std::bit_cast<uint32_t>(y[i]) != std::bit_cast<uint32_t>(SigmoidByTheDocument(x[i]));
      if (std::isnan(x[i])) continue;
      const double want = 1.0 / (1.0 + std::exp(-static_cast<double>(x[i])));
      const double error = std::abs(static_cast<double>(y[i]) - want);
      worst = std::max(worst, error);
      if (x[i] >= -87.0f) worst_relative = std::max(worst_relative, error / want);
    }
    CHECK_MESSAGE(differ == 0, target);
    CHECK_MESSAGE(worst <= 1e-7, target, " ", worst);
    CHECK_MESSAGE(worst_relative <= 4e-7, target, " ", worst_relative);
    CHECK(y.back() == 0.5f);
    // In place, and of any length.
    for (size_t n = 0; n < 40; ++n) {
      std::vector<float> in(x.begin() + 90000, x.begin() + 90000 + static_cast<int64_t>(n));
      in.push_back(7.0f);
      kernels::Sigmoid(in.data(), in.data(), n);
      CHECK(std::equal(in.begin(), in.end() - 1, y.begin() + 90000));
      CHECK(in.back() == 7.0f);
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("operators: sigmoid") { testing::CheckOp(kOp); }

}  // namespace glint
