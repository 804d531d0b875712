// Sums of products in float16: the error of a block by its length, in arithmetic that is emulated,
// so that the choice of kFloat16Block can be checked on any machine; and when kernels use them at
// all.

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/conv.h"
#include "kernels/tap_gemm.h"
#include "kernels/targets.h"
#include "tests/float16.h"
#include "tests/seed.h"

namespace glint::kernels {
namespace {

float FusedFloat16(float x, float w, float sum) {
  // Products of float16 and their sums with one are exact in double.
  const double exact = static_cast<double>(x) * static_cast<double>(w) + static_cast<double>(sum);
  return NearestFloat16(static_cast<float>(exact));
}

// Root mean square of the error of sums of `terms` products in blocks of `block`, in units of that
// of the sums.
double RelativeError(size_t block, size_t terms, std::mt19937* random) {
  std::normal_distribution<float> value(0.0f, 1.0f);
  double error = 0, signal = 0;
  for (size_t trial = 0; trial < 2000; ++trial) {
    double want = 0, got = 0;
    for (size_t first = 0; first < terms; first += block) {
      float chains[2] = {0.0f, 0.0f};
      for (size_t k = 0; k < block; ++k) {
        const float x = NearestFloat16(value(*random)), w = NearestFloat16(0.05f * value(*random));
        want += static_cast<double>(x) * static_cast<double>(w);
        chains[k % 2] = FusedFloat16(x, w, chains[k % 2]);
      }
      got += static_cast<double>(NearestFloat16(chains[0] + chains[1]));
    }
    error += (got - want) * (got - want);
    signal += want * want;
  }
  return std::sqrt(error / signal);
}

}  // namespace

TEST_CASE("float16 sums: a block's error") {
  std::mt19937 random(TestSeed() + 9);
  const double chosen = RelativeError(kFloat16Block, 10 * kFloat16Block, &random);
  // 63 dB below the sums; rounding them to float16 when they are stored is 74 dB below.
  CHECK_MESSAGE(chosen < 7.5e-4, chosen);
  // One block for all would be worse by far.
  CHECK(RelativeError(10 * kFloat16Block, 10 * kFloat16Block, &random) > 2 * chosen);
}

TEST_CASE("float16 sums: only where the target has them and no block can overflow") {
  ConvSpec spec;
  spec.in_channels[0] = 40;
  spec.out_channels = 8;
  const std::vector<float> weight(40 * 8, 0.5f);  // a block of 32 sums up to 16
  const auto used = [&](Numerics numerics, Element input, Element kept, float most) {
    spec.numerics = numerics;
    return Conv(spec, weight.data(), nullptr, input, kept, most).float16_sums();
  };
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    const bool has = HasFloat16Sums();
    CHECK(used(Numerics::kClose, Element::kF16, Element::kF16, 4000.0f) == has);
    CHECK_FALSE(used(Numerics::kClose, Element::kF16, Element::kF16, 4095.0f));
    CHECK_FALSE(used(Numerics::kClose, Element::kF16, Element::kF16, 0.0f));
    CHECK_FALSE(used(Numerics::kExact, Element::kF16, Element::kF16, 1.0f));
    CHECK_FALSE(used(Numerics::kClose, Element::kF32, Element::kF16, 1.0f));
    CHECK_FALSE(used(Numerics::kClose, Element::kF16, Element::kF32, 1.0f));
  }
  SetTarget("");
}

}  // namespace glint::kernels
