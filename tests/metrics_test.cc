// PSNR and MS-SSIM against PyTorch's values (tests/data/make_metrics_table.py makes the same
// pictures).

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

uint32_t Scramble(uint32_t v) {
  v ^= v >> 16;
  v *= 0x7feb352du;
  v ^= v >> 15;
  v *= 0x846ca68bu;
  return v ^ (v >> 16);
}

int Wave(int t, int period) {
  const int cycle = 2 * period;
  const int phase = ((t % cycle) + cycle) % cycle;  // as Python's %
  return std::abs(phase - period) * 255 / period;
}

std::pair<Picture, Picture> MakePair(int width, int height, int noise) {
  Picture a, b;
  a.info = b.info =
      MakeInfo(static_cast<uint32_t>(width), static_cast<uint32_t>(height), 3, false, 8);
  const auto clamped = [](int v) { return static_cast<uint8_t>(std::min(std::max(v, 0), 255)); };
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const auto index = static_cast<uint32_t>((y * width + x) * 3 + c);
        const int detail = static_cast<int>(Scramble(index) % 64) - 32;
        const int waves = Wave(x + 2 * y + 11 * c, 37) + Wave(3 * x - y + 1000 + 40 * c, 90);
        const uint8_t value = clamped(waves / 2 + detail);
        const auto spread = static_cast<uint32_t>(2 * noise + 1);
        const int error = static_cast<int>(Scramble(index + 0x5bd1e995u) % spread) - noise;
        a.samples.push_back(value);
        b.samples.push_back(clamped(value + error));
      }
    }
  }
  return {a, b};
}

TEST_CASE("metrics: PSNR and MS-SSIM as PyTorch computes them") {
  std::ifstream table(GLINT_TEST_DATA "/metrics.txt");
  int width = 0, height = 0, noise = 0, cases = 0;
  std::string psnr, ms_ssim;
  while (table >> width >> height >> noise >> psnr >> ms_ssim) {
    ++cases;
    CAPTURE(width);
    CAPTURE(height);
    CAPTURE(noise);
    const auto [a, b] = MakePair(width, height, noise);
    if (psnr == "inf") {
      CHECK(std::isinf(PsnrRgb(a, b)));
    } else {
      CHECK(std::abs(PsnrRgb(a, b) - std::stod(psnr)) < 1e-8);
    }
    const std::optional<double> ours = MsSsimRgb(a, b);
    REQUIRE(ours.has_value() == (ms_ssim != "-"));
    if (ours) CHECK(std::abs(*ours - std::stod(ms_ssim)) < 1e-9);
  }
  CHECK(cases == 8);
}

TEST_CASE("metrics: opposite pictures have no similarity, and order does not matter") {
  std::mt19937 random(TestSeed());
  const Picture a = RandomPicture(MakeInfo(170, 165, 3, false, 8), &random);
  Picture b = a;
  for (uint8_t& sample : b.samples) sample = static_cast<uint8_t>(255 - sample);
  CHECK(MsSsimRgb(a, b).value() == 0);  // negative means count as 0
  const Picture c = RandomPicture(a.info, &random);
  CHECK(MsSsimRgb(a, c).value() == doctest::Approx(MsSsimRgb(c, a).value()).epsilon(1e-12));
  CHECK(PsnrRgb(a, c) == PsnrRgb(c, a));
}

TEST_CASE("metrics: only 8-bit RGB of the same size can be compared") {
  std::mt19937 random(TestSeed() + 1);
  const Picture a = RandomPicture(MakeInfo(170, 165, 3, false, 8), &random);
  std::vector<Picture> others;
  others.push_back(RandomPicture(MakeInfo(165, 170, 3, false, 8), &random));
  others.push_back(RandomPicture(MakeInfo(170, 165, 3, true, 8), &random));
  others.push_back(RandomPicture(MakeInfo(170, 165, 1, false, 8), &random));
  others.push_back(RandomPicture(MakeInfo(170, 165, 3, false, 16), &random));
  others.emplace_back();
  others.push_back(a);
  others.back().samples.pop_back();
  for (const Picture& other : others) {
    CHECK(std::isnan(PsnrRgb(a, other)));
    CHECK(!MsSsimRgb(other, a).has_value());
  }
}

}  // namespace
}  // namespace glint
