// GDN and its inverse in both forms against double, on every SIMD target, in place and not.

#include "kernels/gdn.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "engine/aligned.h"
#include "kernels/reference.h"
#include "kernels/targets.h"
#include "tests/seed.h"

namespace glint::kernels {
namespace {

void Check(size_t channels, size_t pixels, Gdn::Form form, bool inverse, bool in_place,
           unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(0.0f, 1.0f);
  std::vector<float> beta(channels), gamma(channels * channels), gain(channels);
  for (float& v : beta) v = 0.1f + unit(random);
  for (float& v : gamma) v = 0.1f * unit(random);
  for (float& v : gain) v = 0.5f + unit(random);
  const size_t stride = channels + seed % 3;
  constexpr float kGuard = 777.0f;
  std::vector<float> in(pixels * stride + 16, kGuard);
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t c = 0; c < channels; ++c) in[p * stride + c] = 4.0f * unit(random) - 2.0f;
  }
  std::vector<float> out = in_place ? in : std::vector<float>(in.size(), kGuard);
  const Gdn gdn(channels, form, inverse, beta.data(), gamma.data());
  AlignedBuffer<float> scratch;
  REQUIRE(scratch.Allocate(gdn.ScratchFloats()));
  const bool with_gain = seed % 2 == 1;
  Epilogue epilogue;
  epilogue.gain = with_gain ? gain.data() : nullptr;
  gdn.Run(in_place ? out.data() : in.data(), stride, out.data(), stride, pixels, epilogue,
          scratch.get());
  size_t wrong = 0;
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t c = 0; c < channels; ++c) {
      double want =
          ReferenceGdn(channels, form, inverse, beta.data(), gamma.data(), &in[p * stride], c);
      if (with_gain) want *= static_cast<double>(gain[c]);
      // All terms of a norm are positive: the relative error is that of a sum of `channels` terms.
      const double bound = 6e-8 * (static_cast<double>(channels) + 8) * std::abs(want) + 1e-30;
      wrong += !(std::abs(static_cast<double>(out[p * stride + c]) - want) <= bound);
    }
    for (size_t c = channels; c < stride; ++c) wrong += out[p * stride + c] != kGuard;
  }
  for (size_t i = pixels * stride; i < out.size(); ++i) wrong += out[i] != kGuard;
  CHECK_MESSAGE(wrong == 0, CurrentTarget(), " ", channels, " channels, ", pixels, " pixels, seed ",
                seed);
}

}  // namespace

TEST_CASE("gdn: both forms, both directions, on every target") {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    std::mt19937 random(TestSeed() + 1);
    for (unsigned i = 0; i < 32; ++i) {
      const size_t channels = i % 4 == 0 ? 32 : 1 + random() % 50;
      Check(channels, 1 + random() % 40, i & 1 ? Gdn::Form::kSqrt : Gdn::Form::kAbs, (i & 2) != 0,
            (i & 4) != 0, i);
    }
  }
  SetTarget("");
}

}  // namespace glint::kernels
