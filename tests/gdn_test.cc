// GDN and its inverse in both forms against double, on every SIMD target, in place and not.

#include "kernels/gdn.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "engine/aligned.h"
#include "kernels/targets.h"
#include "tests/float16.h"
#include "tests/kernel_reference.h"
#include "tests/seed.h"

namespace glint::kernels {
namespace {

void Check(size_t channels, size_t pixels, Gdn::Form form, bool inverse, bool in_place,
           unsigned seed, Element element) {
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
  const bool float16 = element == Element::kF16;
  if (float16) {
    for (std::vector<float>* values : {&in, &gamma}) {
      for (float& v : *values) v = NearestFloat16(v);
    }
  }
  // Floats in memory as they are, float16 as its bits.
  const auto stored = [&](const std::vector<float>& values) {
    std::vector<uint16_t> words(values.size() * BytesOf(element) / 2);
    for (size_t i = 0; i < values.size() && float16; ++i) words[i] = FloatToFloat16(values[i]);
    if (!float16) std::memcpy(words.data(), values.data(), values.size() * sizeof(float));
    return words;
  };
  const std::vector<uint16_t> from = stored(in);
  std::vector<uint16_t> to = in_place ? from : stored(std::vector<float>(in.size(), kGuard));
  const Gdn gdn(channels, form, inverse, beta.data(), gamma.data(), element, element);
  AlignedBuffer<float> scratch;
  REQUIRE(scratch.Allocate(gdn.ScratchFloats()));
  const bool with_gain = seed / 8 % 2 == 1;
  Epilogue epilogue;
  epilogue.gain = with_gain ? gain.data() : nullptr;
  const std::vector<float> ones(PaddedChannels(channels), 1.0f);
  epilogue.residual = element;
  epilogue.residual_scale = ones.data();
  epilogue.out = element;
  epilogue.low = -65504.0f;
  epilogue.high = 65504.0f;
  gdn.Run(in_place ? to.data() : from.data(), stride, to.data(), stride, pixels, epilogue,
          scratch.get());
  std::vector<float> out(in.size());
  for (size_t i = 0; i < out.size() && float16; ++i) out[i] = Float16ToFloat(to[i]);
  if (!float16) std::memcpy(out.data(), to.data(), out.size() * sizeof(float));
  size_t wrong = 0;
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t c = 0; c < channels; ++c) {
      double want =
          ReferenceGdn(channels, form, inverse, beta.data(), gamma.data(), &in[p * stride], c);
      if (with_gain) want *= static_cast<double>(gain[c]);
      // All terms of a norm are positive: the relative error is that of a sum of `channels` terms.
      const double rounded = float16 ? 0x1p-11 * std::abs(want) + 0x1p-25 : 1e-30;
      const double bound = 6e-8 * (static_cast<double>(channels) + 8) * std::abs(want) + rounded;
      wrong += !(std::abs(static_cast<double>(out[p * stride + c]) - want) <= bound);
    }
    for (size_t c = channels; c < stride; ++c) wrong += out[p * stride + c] != kGuard;
  }
  for (size_t i = pixels * stride; i < out.size(); ++i) wrong += out[i] != kGuard;
  CHECK_MESSAGE(wrong == 0, CurrentTarget(), " ", channels, " channels, ", pixels, " pixels, seed ",
                seed);
}

}  // namespace

TEST_CASE("gdn: both forms, both directions, floats and float16, on every target") {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    std::mt19937 random(TestSeed() + 1);
    for (unsigned i = 0; i < 64; ++i) {
      const size_t channels = i % 4 == 0 ? 32 : 1 + random() % 50;
      Check(channels, 1 + random() % 40, i & 1 ? Gdn::Form::kSqrt : Gdn::Form::kAbs, (i & 2) != 0,
            (i & 4) != 0, i, i % 8 < 5 ? Element::kF32 : Element::kF16);
    }
  }
  SetTarget("");
}

}  // namespace glint::kernels
