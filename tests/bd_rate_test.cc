// The Bjontegaard-Delta rate against SciPy and against curves whose answer is known.
#include "tools/evaluation/bd_rate.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "doctest/doctest.h"

namespace glint::tools {
namespace {

using Points = std::vector<RatePoint>;

const Points kKodak = {{0.183, 28.47}, {0.312, 30.40}, {0.467, 32.06},
                       {0.622, 33.29}, {0.769, 34.17}, {0.912, 34.81}};

Points Scaled(const Points& points, double factor, double more_quality = 0) {
  Points scaled;
  for (const RatePoint& p : points) scaled.push_back({p.rate * factor, p.quality + more_quality});
  return scaled;
}

BdRate Compute(const Points& first, const Points& other) {
  const Expected<BdRate> result = ComputeBdRate(first, other);
  if (!result) FAIL(result.error().message);
  return *result;
}

std::string Reason(const Points& first, const Points& other) {
  const Expected<BdRate> result = ComputeBdRate(first, other);
  return result ? "" : result.error().message;
}

// Expected values: scipy 1.10.1, with a and b = PchipInterpolator(quality, log(rate)) of the first
// and the other curve: 100 (exp((b.integrate(low, high) - a.integrate(low, high)) / (high - low)) -
// 1).
TEST_CASE("BD-rate: agrees with SciPy's PCHIP") {
  const Points other = {{0.201, 28.11}, {0.330, 30.52}, {0.455, 31.60},
                        {0.700, 33.70}, {0.860, 34.02}, {0.990, 34.95}};
  const BdRate result = Compute(kKodak, other);
  CHECK(result.percent == doctest::Approx(6.405096192698889).epsilon(1e-10));
  CHECK(result.low == 28.47);
  CHECK(result.high == 34.81);
  CHECK(Compute(other, kKodak).percent == doctest::Approx(-6.0195389336421545).epsilon(1e-10));

  // Bends so sharp that the slopes at ends are held at 0, and an overlap that cuts intervals.
  const Points bent = {{0.10, 8}, {0.11, 12}, {0.90, 13}};
  const Points bent_otherwise = {{0.15, 7}, {0.50, 8.5}, {0.52, 12.9}, {1.2, 13.5}};
  CHECK(Compute(bent, bent_otherwise).percent ==
        doctest::Approx(309.13130708093644).epsilon(1e-10));

  CHECK(Compute(kKodak, {{0.25, 29}, {0.80, 34.5}}).percent ==
        doctest::Approx(4.0589559468443115).epsilon(1e-10));
}

TEST_CASE("BD-rate: the same curve at other rates") {
  for (const double factor : {1.0, 1.05, 0.5, 3.0}) {
    CAPTURE(factor);
    CHECK(Compute(kKodak, Scaled(kKodak, factor)).percent ==
          doctest::Approx(100 * (factor - 1)).epsilon(1e-12));
  }
  CHECK(Compute(kKodak, kKodak).percent == 0);
}

TEST_CASE("BD-rate: straight lines, any order, part of the range in common") {
  // The rate doubles every 3 dB; 1 dB better is a third of an octave fewer bits.
  const Points line = {{0.2, 30}, {0.1, 27}, {0.4, 33}, {0.8, 36}};
  const BdRate result = Compute(line, Scaled(line, 1, 1));
  CHECK(result.percent == doctest::Approx(100 * (std::exp2(-1.0 / 3) - 1)).epsilon(1e-12));
  CHECK(result.low == 28);
  CHECK(result.high == 36);
}

TEST_CASE("BD-rate: says why there is none") {
  const auto has = [](const std::string& text, const char* part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  has(Reason(kKodak, {}), "at least 2 rates");
  has(Reason(kKodak, {kKodak[0]}), "there is 1 rate");
  has(Reason(kKodak, Scaled(kKodak, 1, 20)), "no quality in common");
  has(Reason({{1, 30}, {2, 31}}, {{1, 31}, {2, 32}}), "no quality in common");
  has(Reason(kKodak, {{0.1, 30}, {0.2, 29}}), "does not rise with the rate: 30.000 dB at 0.1");
  has(Reason(kKodak, {{0.1, 30}, {0.2, 30}}), "does not rise");
  has(Reason(kKodak, {{0.1, 30}, {0.1, 31}}), "does not rise");
  has(Reason({{0.1, 30}, {0.2, 29}}, kKodak), "the first curve: quality does not rise");
  const double inf = std::numeric_limits<double>::infinity();
  for (const RatePoint& bad :
       Points{{0.5, inf}, {0.5, std::nan("")}, {0, 33}, {-1, 33}, {inf, 33}}) {
    CAPTURE(bad.rate);
    has(Reason(kKodak, {kKodak[0], bad}), "a point without a curve");
  }
}

TEST_CASE("BD-rate: MS-SSIM in dB") {
  CHECK(Decibels(0.9) == doctest::Approx(10));
  CHECK(Decibels(0.99) == doctest::Approx(20));
  CHECK(Decibels(0) == 0);
  CHECK(std::isinf(Decibels(1)));
}

}  // namespace
}  // namespace glint::tools
