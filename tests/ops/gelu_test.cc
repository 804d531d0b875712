// gelu: its kernel against float64 and, bit by bit, against the document; the operator in graphs.
#include "kernels/gelu.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "kernels/targets.h"
#include "tests/ops/document_functions.h"
#include "tests/ops/op_test.h"

namespace glint {
namespace {

// One float32 operation after the other.
float ByTheDocument(float x) {
  if (std::isnan(x)) x = 0.0f;
  const float a = std::min(std::abs(x), 12.0f);
  const float scaled = a * 0.3f;
  const float t = 1.0f / (1.0f + scaled);
  float sum = 0x1.2d0038p-5f;
  for (const float c : {-0x1.4b2244p-3f, 0x1.b691d8p-3f, -0x1.f326cep-5f, 0x1.0f4014p-3f,
                        0x1.945896p-4f, 0x1.ef68ap-4f, 0x1.e9f2bcp-4f}) {
    sum = sum * t;
    sum = sum + c;
  }
  sum = sum * t;
  const float square = a * a;
  const float tail = ExpByTheDocument(square * -0.5f) * sum;
  const float less = a * tail;
  return (x > 0 ? x : 0.0f) - less;
}

double InDouble(double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); }

ReferenceTensor Gelu(const TwinNode& n) {
  ReferenceTensor out = *n.in[0];
  for (double& v : out.data) {
    v = n.mode == ReferenceMode::kFloatChain
            ? static_cast<double>(ByTheDocument(static_cast<float>(v)))
            : InDouble(v);
  }
  return out;
}

const RegisterTwin kTwin("gelu", Gelu);

std::string DrawGelu(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, 300);
  std::string x = testing::DrawInput(b, random, "x", channels);
  if (channels < 40 && testing::Draw(random, 0, 1) == 0) x = b->Conv(x, channels, 1, 1);
  return b->Append("gelu", {x});
}

std::string TypicalGelu(GraphBuilder* b, const std::string& x) { return b->Append("gelu", {x}); }

constexpr testing::OpDescription kOp = {"gelu", DrawGelu, TypicalGelu};
const testing::RegisterOp kRegisterOp(kOp);

// -14 to 14 in steps of 1e-4, powers of two of either sign, and what is no number of the line.
std::vector<float> Arguments() {
  std::vector<float> x;
  for (int i = -140000; i <= 140000; ++i) x.push_back(static_cast<float>(i) * 1e-4f);
  for (int e = -149; e <= 127; ++e) {
    for (const float sign : {-1.0f, 1.0f}) x.push_back(sign * std::ldexp(1.0f, e));
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  x.insert(x.end(), {0.0f, -0.0f, kInfinity, -kInfinity, std::nanf("")});
  return x;
}

}  // namespace

TEST_CASE("gelu: the document's bits on every target, and its error") {
  const std::vector<float> x = Arguments();
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    std::vector<float> y(x.size());
    kernels::Gelu(x.data(), y.data(), x.size());
    size_t differ = 0;
    double worst = 0, worst_relative = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      differ += std::bit_cast<uint32_t>(y[i]) != std::bit_cast<uint32_t>(ByTheDocument(x[i]));
      if (!std::isfinite(x[i])) continue;
      const double want = InDouble(static_cast<double>(x[i]));
      const double error = std::abs(static_cast<double>(y[i]) - want);
      worst = std::max(worst, error);
      if (x[i] > -12.0f && x[i] < 0.0f && want < -1e-30) {
        worst_relative = std::max(worst_relative, error / -want);
      }
    }
    CHECK_MESSAGE(differ == 0, target);
    CHECK_MESSAGE(worst <= 3e-7, target, " ", worst);
    CHECK_MESSAGE(worst_relative <= 6e-6, target, " ", worst_relative);
    CHECK(y.back() == 0.0f);
    CHECK(y[x.size() - 3] == std::numeric_limits<float>::infinity());
    CHECK(std::abs(y[x.size() - 2]) < 1e-30f);
    // In place, and of any length.
    for (size_t n = 0; n < 40; ++n) {
      std::vector<float> in(x.begin() + 150000, x.begin() + 150000 + static_cast<int64_t>(n));
      in.push_back(7.0f);
      kernels::Gelu(in.data(), in.data(), n);
      CHECK(std::equal(in.begin(), in.end() - 1, y.begin() + 150000));
      CHECK(in.back() == 7.0f);
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("operators: gelu") { testing::CheckOp(kOp); }

}  // namespace glint
