// ExactExp and ExactLog: the same bits everywhere, and near the true value; what stands on them.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "codec/model/model_document.h"
#include "engine/rate.h"
#include "tests/seed.h"

namespace glint {
namespace {

int64_t Bits(double v) { return std::bit_cast<int64_t>(v); }

// Values of one sign: by how many doubles they differ.
int64_t Ulps(double a, double b) { return std::abs(Bits(a) - Bits(b)); }

struct Known {
  double x, y;
};

// Model files and streams rest on these: a change of one bit makes other models of them.
constexpr Known kExp[] = {
    {-80.0, 0x1.7fd974d372e44p-116},
    {-10.5, 0x1.cdfc263f6a0bap-16},
    {-1.0, 0x1.78b56362cef38p-2},
    {-0.3, 0x1.7b4c869c37c05p-1},
    {-1e-9, 0x1.fffffff768fa1p-1},
    {0.0, 1.0},
    {1e-300, 1.0},
    {0.5, 0x1.a61298e1e069cp+0},
    {1.0, 0x1.5bf0a8b14576ap+1},
    {2.718281828459045, 0x1.e4efb75e4527ap+3},
    {20.25, 0x1.290d76d1966aap+29},
    {80.0, 0x1.55779b984f3ebp+115},
};
constexpr Known kLog[] = {
    {0x1p-1022, -0x1.6232bdd7abcd2p+9},
    {1e-300, -0x1.5963447f87fb5p+9},
    {1e-12, -0x1.ba18a998fffap+4},
    {3.3e-05, -0x1.4a3545c5a916cp+3},
    {0.5, -0x1.62e42fefa39efp-1},
    {0.999999, -0x1.0c6f82d74d22fp-20},
    {1.0, 0.0},
    {1.0000001, 0x1.ad7f2847b6492p-24},
    {0x1.6a09e667f3bcdp+0, 0x1.62e42fefa39f1p-2},
    {2.0, 0x1.62e42fefa39efp-1},
    {900.0, 0x1.b35a6f90bd69bp+2},
    {1e300, 0x1.5963447f87fb5p+9},
};

TEST_CASE("exact functions: the bits that they always had") {
  for (const Known& known : kExp) CHECK(Bits(ExactExp(known.x)) == Bits(known.y));
  for (const Known& known : kLog) CHECK(Bits(ExactLog(known.x)) == Bits(known.y));
}

TEST_CASE("exact functions: within 4 units of the last place of libm") {
  std::mt19937_64 random(TestSeed() + 250);
  int64_t worst_exp = 0, worst_log = 0;
  double worst_near_one = 0;
  for (int i = 0; i < 300000; ++i) {
    const double x = std::uniform_real_distribution<double>(-80, 80)(random);
    worst_exp = std::max(worst_exp, Ulps(ExactExp(x), std::exp(x)));
    // Of either sign, but not about 1, where the logarithm goes through 0.
    double y = std::exp2(std::uniform_real_distribution<double>(0.5, 1022)(random));
    if (i % 2 == 0) y = 1 / y;
    worst_log = std::max(worst_log, Ulps(ExactLog(y), std::log(y)));
    const double z = std::uniform_real_distribution<double>(0.7, 1.43)(random);
    worst_near_one = std::max(worst_near_one, std::abs(ExactLog(z) - std::log(z)));
  }
  CHECK(worst_exp <= 4);
  CHECK(worst_log <= 4);
  CHECK(worst_near_one <= 0x1p-52);
}

TEST_CASE("exact functions: exp ends at 80 on either side, and NaN is its least") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double low : {-80.0, -81.0, -1e300, -kInfinity, std::nan("")}) {
    CHECK(ExactExp(low) == ExactExp(-80.0));
  }
  for (const double high : {80.0, 81.0, 1e300, kInfinity}) CHECK(ExactExp(high) == ExactExp(80.0));
}

TEST_CASE("exact functions: t runs from -1 to 1 and rises with the rate") {
  std::mt19937_64 random(TestSeed() + 251);
  for (int i = 0; i < 200; ++i) {
    RateControl rate;
    rate.min = std::exp2(std::uniform_real_distribution<double>(-30, 0)(random));
    rate.max = rate.min * std::exp2(std::uniform_real_distribution<double>(0.1, 30)(random));
    CHECK(RateToT(rate, rate.min) == -1.0);
    CHECK(RateToT(rate, rate.max) == 1.0);
    double last = -1.0;
    for (int k = 1; k < 20; ++k) {
      const double t = RateToT(rate, rate.min * std::pow(rate.max / rate.min, k / 20.0));
      CHECK(t > last);
      CHECK(std::abs(t - (k / 10.0 - 1)) < 1e-12);
      last = t;
    }
  }
  RateControl fixed;
  fixed.min = fixed.max = 0.01;
  CHECK(RateToT(fixed, 0.01) == 0.0);
}

}  // namespace
}  // namespace glint
