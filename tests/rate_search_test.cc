// The search for a rate, on functions of the rate instead of encoders: few probes, never beyond the
// target, near it where the function allows that, and an end to it where the function misbehaves.
#include "codec/rate/rate_search.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <set>
#include <vector>

#include "tests/seed.h"

namespace glint {
namespace {

using Measure = std::function<double(double rate)>;

SearchGoal GoalFor(double low, double high, bool beyond_is_above) {
  SearchGoal goal;
  goal.low = low;
  goal.high = high;
  goal.beyond_is_above = beyond_is_above;
  goal.min = 1.5e-5;
  goal.max = 1.9e-3;
  goal.start = 4e-4;
  return goal;
}

SearchGoal SizeGoal(double bytes) {
  SearchGoal goal = GoalFor(std::log(0.99 * bytes), std::log(bytes), true);
  goal.growth = 0.45;
  return goal;
}

SearchGoal PsnrGoal(double psnr) {
  SearchGoal goal = GoalFor(psnr, psnr + 0.05, false);
  goal.growth = 1.7;
  return goal;
}

bool Beyond(const SearchGoal& goal, double measure) {
  return goal.beyond_is_above ? measure > goal.high : measure < goal.low;
}

// Runs to the end and checks what holds for every function.
RateSearch Searched(const SearchGoal& goal, const Measure& measure) {
  RateSearch search(goal);
  std::set<double> tried;
  while (const std::optional<double> rate = search.Next()) {
    CHECK(*rate >= goal.min);
    CHECK(*rate <= goal.max);
    CHECK(tried.insert(*rate).second);  // never twice
    search.Add({*rate, measure(*rate)});
    REQUIRE(search.probes().size() <= goal.most_probes);
  }
  const std::vector<RateSearch::Probe>& probes = search.probes();
  REQUIRE(!probes.empty());
  if (const std::optional<size_t> best = search.best()) {
    CHECK(!Beyond(goal, probes[*best].measure));
    CHECK(search.nearest() == *best);
    for (const RateSearch::Probe& probe : probes) {
      if (Beyond(goal, probe.measure)) continue;
      if (goal.beyond_is_above) CHECK(probe.measure <= probes[*best].measure);
      if (!goal.beyond_is_above) CHECK(probe.rate >= probes[*best].rate);
    }
  } else {
    for (const RateSearch::Probe& probe : probes) CHECK(Beyond(goal, probe.measure));
  }
  return search;
}

bool FoundGood(const SearchGoal& goal, const RateSearch& search) {
  if (!search.best()) return false;
  const double measure = search.probes()[*search.best()].measure;
  return measure >= goal.low && measure <= goal.high;
}

// Bytes of `flat` and of a power of the rate that falls from `steep` to `shallow`.
struct Size {
  double scale, flat, steep, shallow;
  double operator()(double rate) const {
    const double way = std::log(rate / 1.5e-5) / std::log(1.9e-3 / 1.5e-5);
    const double exponent = steep * way + (shallow - steep) * way * way / 2;
    return std::log(flat + scale * std::exp(exponent * std::log(1.9e-3 / 1.5e-5)));
  }
};

double KodakPsnr(double rate) {
  static const double kPsnr[] = {27.04, 28.14, 29.44, 30.79, 32.12, 33.32, 34.33, 35.10, 35.61};
  const double at = 8 * std::log(rate / 1.5e-5) / std::log(1.9e-3 / 1.5e-5);
  const auto i = static_cast<size_t>(std::clamp(at, 0.0, 7.0));
  return kPsnr[i] + (at - static_cast<double>(i)) * (kPsnr[i + 1] - kPsnr[i]);
}

TEST_CASE("rate search: sizes that grow smoothly are met within 8 probes") {
  size_t most = 0;
  double sum = 0;
  int searches = 0;
  for (const Size& size :
       {Size{5500, 0, 0.55, 0.3}, Size{300, 60, 0.6, 0.2}, Size{40000, 0, 0.9, 0.05},
        Size{2000, 50000, 0.5, 0.3}, Size{900, 0, 0.02, 0.9}, Size{1e8, 0, 0.3, 0.3}}) {
    const double low = std::exp(size(1.5e-5));
    const double high = std::exp(size(1.9e-3));
    for (int i = 0; i <= 50; ++i) {
      const double bytes = std::ceil(low * std::pow(high / low, i / 50.0));
      CAPTURE(size.scale);
      CAPTURE(bytes);
      const SearchGoal goal = SizeGoal(bytes);
      const RateSearch search = Searched(goal, size);
      CHECK(FoundGood(goal, search));
      most = std::max(most, search.probes().size());
      sum += static_cast<double>(search.probes().size());
      ++searches;
    }
  }
  MESSAGE("probes: " << sum / searches << " on average, at most " << most);
  CHECK(sum / searches < 4.5);
}

TEST_CASE("rate search: PSNR is met within 8 probes, from above") {
  for (int i = 0; i < 171; ++i) {
    const double psnr = 27.06 + 0.05 * i;
    CAPTURE(psnr);
    const SearchGoal goal = PsnrGoal(psnr);
    CHECK(FoundGood(goal, Searched(goal, KodakPsnr)));
  }
}

TEST_CASE("rate search: the start may lie anywhere, and noise does no harm") {
  std::mt19937 random(TestSeed() + 41);
  const auto real = [&random](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int i = 0; i < 300; ++i) {
    SearchGoal goal = SizeGoal(real(5.6e3, 4e4));
    goal.start = std::exp(real(std::log(goal.min), std::log(goal.max)));
    const Size size = {5500, 0, 0.55, 0.3};
    const double phase = real(0, 6);
    const RateSearch search = Searched(
        goal, [&](double rate) { return size(rate) + 0.002 * std::sin(1e7 * rate + phase); });
    CHECK(FoundGood(goal, search));
  }
}

TEST_CASE("rate search: what cannot be reached is found out at the end of the rates") {
  const Size size = {5500, 0, 0.55, 0.3};
  RateSearch search = Searched(SizeGoal(5000), size);
  CHECK(!search.best());
  CHECK(search.probes()[search.nearest()].rate == 1.5e-5);
  CHECK(search.probes().size() <= 4);

  search = Searched(PsnrGoal(36), KodakPsnr);
  CHECK(!search.best());
  CHECK(search.probes()[search.nearest()].rate == 1.9e-3);
  CHECK(search.probes().size() <= 4);
}

TEST_CASE("rate search: a target beyond the other end gives that end") {
  const Size size = {5500, 0, 0.55, 0.3};
  RateSearch search = Searched(SizeGoal(1e6), size);
  REQUIRE(search.best());
  CHECK(search.probes()[*search.best()].rate == 1.9e-3);

  search = Searched(PsnrGoal(10), KodakPsnr);
  REQUIRE(search.best());
  CHECK(search.probes()[*search.best()].rate == 1.5e-5);
}

TEST_CASE("rate search: a function that jumps over the target ends below it") {
  const SearchGoal goal = SizeGoal(1000);
  const auto jump = [](double rate) { return std::log(rate < 7e-5 ? 700 : 1500); };
  const RateSearch search = Searched(goal, jump);
  REQUIRE(search.best());
  CHECK(search.probes()[*search.best()].measure == std::log(700));
  const RateSearch flat = Searched(goal, [](double) { return std::log(999.0); });
  CHECK(flat.probes().size() == 1);
  const RateSearch never = Searched(goal, [](double) { return std::log(1001.0); });
  CHECK(!never.best());
}

TEST_CASE("rate search: a measure that falls with the rate is still met") {
  // Highest in the middle; only there the target is reached.
  for (const double peak : {4e-5, 1e-4, 2e-4, 6e-4, 1.2e-3}) {
    CAPTURE(peak);
    const auto hill = [peak](double rate) { return 33 - std::abs(std::log(rate / peak)); };
    const SearchGoal goal = PsnrGoal(32.2);
    CHECK(Searched(goal, hill).best());
  }
  const auto falls = [](double rate) { return 24 - std::log(rate / 2e-2); };
  CHECK(Searched(PsnrGoal(30), falls).best());
  CHECK(Searched(GoalFor(29.95, 30, true), falls).best());
}

TEST_CASE("rate search: any function at all") {
  std::mt19937 random(TestSeed() + 42);
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> values(40);
    for (double& value : values) value = std::uniform_real_distribution<double>(20, 40)(random);
    const auto at = [&values](double rate) {
      return values[static_cast<size_t>(7 * std::log(rate / 1.5e-5)) % values.size()];
    };
    const double aim = std::uniform_real_distribution<double>(15, 45)(random);
    Searched(PsnrGoal(aim), at);
    Searched(GoalFor(aim - 0.05, aim, true), at);
  }
}

}  // namespace
}  // namespace glint
