// Element-wise kernels: the same bits as plain C++ on every SIMD target, for awkward values and
// lengths.

#include "kernels/pointwise.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/targets.h"
#include "tests/float16.h"
#include "tests/seed.h"

namespace glint::kernels {
namespace {

constexpr size_t kLengths[] = {0, 1, 3, 7, 8, 15, 16, 17, 33, 100};

std::vector<float> Floats(std::mt19937* random, size_t n, float range) {
  std::uniform_real_distribution<float> value(-range, range);
  std::vector<float> v(n);
  for (float& x : v) x = value(*random);
  const float special[] = {0.0f,
                           -0.0f,
                           0.5f,
                           -0.5f,
                           1.5f,
                           2.5f,
                           1e30f,
                           -1e30f,
                           std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::quiet_NaN()};
  for (size_t i = 0; i < n; i += 3) v[i] = special[(*random)() % std::size(special)];
  return v;
}

float RoundEven(float v) { return std::nearbyint(v); }

template <typename Fn>
void OnAllTargets(const Fn& fn) {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    std::mt19937 random(TestSeed() + 2);
    for (const size_t n : kLengths) fn(n, &random);
  }
  SetTarget("");
}

}  // namespace

TEST_CASE("pointwise: greatest magnitudes") {
  OnAllTargets([](size_t n, std::mt19937* random) {
    const size_t pixels = 5, stride = n + 3;
    const std::vector<float> in = Floats(random, pixels * stride, 10.0f);
    std::vector<float> most(n + 1, 0.25f);
    MaxMagnitudes(in.data(), pixels, n, stride, most.data());
    CHECK(most[n] == 0.25f);
    size_t wrong = 0;
    for (size_t c = 0; c < n; ++c) {
      float want = 0.25f;
      for (size_t p = 0; p < pixels; ++p) {
        const float magnitude = std::abs(in[p * stride + c]);
        if (!std::isnan(want) && !(magnitude <= want)) want = magnitude;
      }
      wrong += std::isnan(want) ? !std::isnan(most[c]) : most[c] != want;
    }
    CHECK(wrong == 0);
  });
}

// The definition in kernels/pointwise.h, a pixel.
std::vector<int> PlainDigits(const int16_t* in, const Digits& digits) {
  std::vector<int> out;
  const auto limited = [](int v, int low, int high) { return std::min(std::max(v, low), high); };
  for (size_t c = 0; c < digits.channels; ++c) {
    const int q = static_cast<int>(std::floor((in[c] + 8) / 16.0));
    out.push_back(limited(q, digits.low, digits.high));
  }
  const auto hi = [&](int c) { return out[static_cast<size_t>(c)]; };
  std::vector<int> more;
  for (const int c : *digits.low_of) more.push_back(limited(in[c] - 16 * hi(c), -8, 7));
  for (const int c : *digits.coarse_of) {
    more.push_back(static_cast<int>(std::floor((hi(c) + 8) / 16.0)));
  }
  out.insert(out.end(), more.begin(), more.end());
  for (int& q : out) q += digits.zero;
  return out;
}

TEST_CASE("pointwise: digits of every int16, the plain loop's on every target") {
  constexpr size_t kPixels = 2048, kChannels = 32, kInStride = 35, kGap = 3;
  std::vector<int16_t> in(kPixels * kInStride, 99);
  for (int i = 0; i < 65536; ++i) {
    const size_t at = static_cast<size_t>(i);
    in[at / kChannels * kInStride + at % kChannels] = static_cast<int16_t>(i - 32768);
  }
  const std::vector<int> low_of = {0, 7, 31, 7}, coarse_of = {30, 1}, none;
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    for (const bool extras : {true, false}) {
      for (const size_t channels : {kChannels, size_t{5}}) {
        for (const int zero : {8, 100, 248}) {
          Digits digits = {channels, &none, &none, -zero, 255 - zero, zero};
          if (extras && channels == kChannels) {
            digits.low_of = &low_of;
            digits.coarse_of = &coarse_of;
          }
          const size_t stride = channels + digits.low_of->size() + digits.coarse_of->size() + kGap;
          std::vector<uint8_t> bytes(kPixels * stride, 77);
          SplitDigits(in.data(), kInStride, Element::kU8, bytes.data(), stride, kPixels, digits);
          Digits plain = digits;
          plain.zero = 0;  // bytes that are kept as int16
          std::vector<int16_t> words(kPixels * stride, 77);
          SplitDigits(in.data(), kInStride, Element::kI16, words.data(), stride, kPixels, plain);
          size_t wrong = 0;
          for (size_t p = 0; p < kPixels; ++p) {
            const std::vector<int> want = PlainDigits(in.data() + p * kInStride, digits);
            for (size_t i = 0; i < stride; ++i) {
              const bool gap = i >= want.size();
              wrong += bytes[p * stride + i] != (gap ? 77 : want[i]);
              wrong += words[p * stride + i] != (gap ? 77 : want[i] - zero);
            }
          }
          CHECK_MESSAGE(wrong == 0, target, " channels ", channels, " zero ", zero);
        }
      }
    }
  }
  SetTarget("");
}

TEST_CASE("pointwise: magnitudes, of every kind of value") {
  OnAllTargets([](size_t n, std::mt19937* random) {
    const std::vector<float> in = Floats(random, n, 3.0f);
    std::vector<float> out(n + 1, 9.0f);
    Abs(in.data(), out.data(), n);
    size_t wrong = out[n] != 9.0f;
    for (size_t i = 0; i < n; ++i) {
      wrong += std::isnan(in[i]) ? !std::isnan(out[i]) : out[i] != std::abs(in[i]);
      wrong += std::signbit(out[i]);
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("pointwise: activations, sums, factors and shifts") {
  OnAllTargets([](size_t n, std::mt19937* random) {
    std::uniform_real_distribution<float> value(-3.0f, 3.0f);
    std::vector<float> a(n + 1), b(n + 1), out(n + 1, 9.0f);
    for (float& v : a) v = value(*random);
    for (float& v : b) v = value(*random);
    size_t wrong = 0;
    LeakyRelu(a.data(), out.data(), n, 0.125f);
    for (size_t i = 0; i < n; ++i) wrong += out[i] != std::max(a[i], a[i] * 0.125f);
    Add(a.data(), b.data(), out.data(), n);
    for (size_t i = 0; i < n; ++i) wrong += out[i] != a[i] + b[i];
    wrong += out[n] != 9.0f;
    std::vector<float> pixels(3 * (n + 2), 1.5f), scaled(3 * (n + 1), 9.0f);
    for (const int parts : {1, 2, 3}) {
      const float* factor = (parts & 1) != 0 ? b.data() : nullptr;
      const float* shift = (parts & 2) != 0 ? a.data() : nullptr;
      Affine(pixels.data(), scaled.data(), 3, n, n + 2, n + 1, factor, shift);
      for (size_t p = 0; p < 3; ++p) {
        for (size_t i = 0; i < n; ++i) {
          float want = factor == nullptr ? 1.5f : 1.5f * b[i];
          if (shift != nullptr) want = want + a[i];
          wrong += scaled[p * (n + 1) + i] != want;
        }
        wrong += scaled[p * (n + 1) + n] != 9.0f;
      }
    }
    CHECK_MESSAGE(wrong == 0, CurrentTarget(), " n ", n);
  });
}

TEST_CASE("pointwise: pixels and fixed point") {
  OnAllTargets([](size_t n, std::mt19937* random) {
    size_t wrong = 0;
    std::vector<uint8_t> u8(n);
    std::vector<uint16_t> u16(n);
    for (size_t i = 0; i < n; ++i) {
      u8[i] = static_cast<uint8_t>((*random)());
      u16[i] = static_cast<uint16_t>((*random)());
    }
    std::vector<float> out(n + 1, 9.0f);
    PixelsToFloat(u8.data(), out.data(), n, 255.0f, 0.5f);
    for (size_t i = 0; i < n; ++i)
      wrong += out[i] != static_cast<float>(u8[i]) * (1.0f / 255.0f) - 0.5f;
    PixelsToFloat(u16.data(), out.data(), n, 65535.0f, 0.0f);
    for (size_t i = 0; i < n; ++i)
      wrong += out[i] != static_cast<float>(u16[i]) * (1.0f / 65535.0f);
    wrong += out[n] != 9.0f;
    const std::vector<float> in = Floats(random, n, 1.2f);
    std::vector<uint8_t> pixels(n + 1, 77);
    FloatToPixels(in.data(), pixels.data(), n, 255.0f, 0.5f);
    for (size_t i = 0; i < n; ++i) {
      const float v = std::isnan(in[i]) ? 0.0f : std::clamp(in[i] + 0.5f, 0.0f, 1.0f) * 255.0f;
      wrong += pixels[i] != static_cast<uint8_t>(RoundEven(v));
    }
    wrong += pixels[n] != 77;
    std::vector<uint16_t> deep(n + 1, 77);
    FloatToPixels(in.data(), deep.data(), n, 65535.0f, 0.5f);
    for (size_t i = 0; i < n; ++i) {
      const float v = std::isnan(in[i]) ? 0.0f : std::clamp(in[i] + 0.5f, 0.0f, 1.0f) * 65535.0f;
      wrong += deep[i] != static_cast<uint16_t>(RoundEven(v));
    }
    wrong += deep[n] != 77;
    const std::vector<float> latents = Floats(random, n, 600.0f);
    std::vector<int16_t> fixed(n + 1, 77);
    FloatToFixed(latents.data(), fixed.data(), n, 64.0f);
    for (size_t i = 0; i < n; ++i) {
      const float v =
          std::isnan(latents[i]) ? 0.0f : std::clamp(latents[i] * 64.0f, -32768.0f, 32767.0f);
      wrong += fixed[i] != static_cast<int16_t>(RoundEven(v));
    }
    wrong += fixed[n] != 77;
    FixedToFloat(fixed.data(), out.data(), n, 64.0f);
    for (size_t i = 0; i < n; ++i) wrong += out[i] != static_cast<float>(fixed[i]) / 64.0f;
    CHECK_MESSAGE(wrong == 0, CurrentTarget(), " n ", n);
  });
}

TEST_CASE("pointwise: every float16, and what is rounded to it") {
  std::vector<float> values, wanted;
  for (unsigned bits = 0; bits < 65536; ++bits) {
    if ((bits & 0x7C00) == 0x7C00) continue;  // infinities, NaN
    const float value = Float16ToFloat(static_cast<uint16_t>(bits));
    const float next =
        std::abs(value) < 65504.0f ? Float16ToFloat(static_cast<uint16_t>(bits + 1)) : 2.0f * value;
    const float middle = 0.5f * (value + next);  // exact: a float has 13 more bits
    for (const float v :
         {value, middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 2 * next)}) {
      values.push_back(v);
      wanted.push_back(NearestFloat16(v));
    }
  }
  for (const float v : {1e30f, -1e30f, std::numeric_limits<float>::infinity(), 1e-30f, -1e-40f}) {
    values.push_back(v);
    wanted.push_back(NearestFloat16(v));
  }
  values.push_back(std::numeric_limits<float>::quiet_NaN());
  wanted.push_back(0.0f);
  const size_t n = values.size();
  const std::vector<float> ones(n, 1.0f), quarters(n, 0.25f);
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    std::vector<uint16_t> words(n + 1, 77);
    FloatToElements(values.data(), Element::kF16, words.data(), n, ones.data(), -kMostFloat16,
                    65504.0f, 0.0f);
    std::vector<float> back(n + 1, 9.0f);
    ElementsToFloat(Element::kF16, words.data(), back.data(), n, quarters.data(), 0.0f);
    size_t wrong = words[n] != 77 || back[n] != 9.0f;
    for (size_t i = 0; i < n; ++i) {
      wrong += Float16ToFloat(words[i]) != wanted[i] || back[i] != 0.25f * wanted[i] ||
               std::signbit(back[i]) != std::signbit(wanted[i]);
    }
    CHECK_MESSAGE(wrong == 0, target);
    FloatToElements(values.data(), Element::kF16, words.data(), n, ones.data(), -100.0f, 100.0f,
                    0.0f);
    wrong = 0;
    for (size_t i = 0; i < n; ++i)
      wrong += Float16ToFloat(words[i]) != NearestFloat16(values[i], 100.0f);
    CHECK_MESSAGE(wrong == 0, target);
  }
  SetTarget("");
}

TEST_CASE("pointwise: index by thresholds, NaN is 0") {
  OnAllTargets([](size_t n, std::mt19937* random) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{63}, size_t{255}}) {
      std::vector<float> thresholds(count);
      std::uniform_real_distribution<float> value(-4.0f, 4.0f);
      for (float& t : thresholds) t = value(*random);
      std::sort(thresholds.begin(), thresholds.end());
      std::vector<float> raw = Floats(random, n, 5.0f);
      for (size_t i = 1; i < n && count > 0; i += 4)
        raw[i] = thresholds[i % count];  // on the boundary
      std::vector<uint8_t> index(n + 1, 77);
      IndexByThresholds(raw.data(), index.data(), n, thresholds.data(), count);
      size_t wrong = index[n] != 77;
      for (size_t i = 0; i < n; ++i) {
        const auto want = std::count_if(thresholds.begin(), thresholds.end(),
                                        [&](float t) { return raw[i] >= t; });
        wrong += index[i] != static_cast<uint8_t>(want);
      }
      CHECK_MESSAGE(wrong == 0, CurrentTarget(), " n ", n, " thresholds ", count);
    }
  });
}

TEST_CASE("pointwise: symbols and y_hat never leave int16") {
  OnAllTargets([](size_t n, std::mt19937* random) {
    for (int bits = 0; bits <= 8; ++bits) {
      std::vector<int16_t> y(n), mean(n), symbol(n), y_hat(n), back(n);
      for (size_t i = 0; i < n; ++i) {
        y[i] = static_cast<int16_t>((*random)());
        mean[i] = static_cast<int16_t>(i % 5 == 0 ? (i % 2 ? 32767 : -32768)
                                                  : static_cast<int>((*random)()) % 3000);
      }
      Quantise(y.data(), mean.data(), symbol.data(), y_hat.data(), n, bits);
      Dequantise(symbol.data(), mean.data(), back.data(), n, bits);
      size_t wrong = 0;
      for (size_t i = 0; i < n; ++i) {
        const int unit = 1 << bits, half = bits > 0 ? unit / 2 : 0;
        int s = static_cast<int>(std::floor(static_cast<double>(y[i] - mean[i] + half) / unit));
        while (s * unit + mean[i] > 32767) --s;
        while (s * unit + mean[i] < -32768) ++s;
        // A symbol itself saturates too when there are no fraction bits.
        s = std::clamp(s, -32768, 32767);
        // What is decoded is what was encoded, whatever the mean.
        wrong += symbol[i] != s || y_hat[i] != std::clamp(s * unit + mean[i], -32768, 32767) ||
                 back[i] != y_hat[i];
      }
      CHECK_MESSAGE(wrong == 0, CurrentTarget(), " n ", n, " bits ", bits);
    }
  });
}
}  // namespace glint::kernels
