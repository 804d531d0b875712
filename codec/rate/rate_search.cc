#include "codec/rate/rate_search.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "codec/rate/rounded_rate.h"

namespace glint {
namespace {

double LogOf(const RateSearch::Probe& probe) { return std::log(probe.rate); }

}  // namespace

void RateSearch::Add(const Probe& probe) {
  probes_.push_back(probe);
  const auto place =
      std::upper_bound(sorted_.begin(), sorted_.end(), probe,
                       [](const Probe& a, const Probe& b) { return a.rate < b.rate; });
  sorted_.insert(place, probe);
}

RateSearch::Side RateSearch::SideOf(const Probe& probe) const {
  if (probe.measure < goal_.low) return Side::kBelow;
  return probe.measure > goal_.high ? Side::kAbove : Side::kGood;
}

std::optional<size_t> RateSearch::best() const {
  const Side beyond = goal_.beyond_is_above ? Side::kAbove : Side::kBelow;
  std::optional<size_t> best;
  for (size_t i = 0; i < probes_.size(); ++i) {
    if (SideOf(probes_[i]) == beyond) continue;
    const bool better = best && (goal_.beyond_is_above ? probes_[i].measure > probes_[*best].measure
                                                       : probes_[i].rate < probes_[*best].rate);
    if (!best || better) best = i;
  }
  return best;
}

size_t RateSearch::nearest() const {
  if (const std::optional<size_t> found = best()) return *found;
  const auto by_measure = [](const Probe& a, const Probe& b) { return a.measure < b.measure; };
  const auto place = goal_.beyond_is_above
                         ? std::min_element(probes_.begin(), probes_.end(), by_measure)
                         : std::max_element(probes_.begin(), probes_.end(), by_measure);
  return static_cast<size_t>(place - probes_.begin());
}

std::optional<double> RateSearch::Next() const {
  if (probes_.empty()) return std::clamp(goal_.start, goal_.min, goal_.max);
  if (probes_.size() >= goal_.most_probes) return std::nullopt;
  const bool good = std::any_of(probes_.begin(), probes_.end(), [this](const Probe& probe) {
    return SideOf(probe) == Side::kGood;
  });
  if (good) return std::nullopt;
  std::optional<double> rate = Crossing();
  if (!rate) rate = Outside();
  if (!rate) rate = AroundExtreme();
  const bool tried = rate && std::any_of(probes_.begin(), probes_.end(),
                                         [&](const Probe& probe) { return probe.rate == *rate; });
  return tried ? std::nullopt : rate;
}

// A rate between two neighbouring probes of which one is below the target and the other above:
// unless the measure jumps, it passes the target somewhere there. Of several such pairs one where
// the measure grows comes first, then a narrow one.
std::optional<double> RateSearch::Crossing() const {
  const Probe* low = nullptr;
  const Probe* high = nullptr;
  bool grows = false;
  for (size_t i = 0; i + 1 < sorted_.size(); ++i) {
    const Probe& a = sorted_[i];
    const Probe& b = sorted_[i + 1];
    if (SideOf(a) == SideOf(b)) continue;
    const bool pair_grows = SideOf(a) == Side::kBelow;
    const bool narrower = low == nullptr || b.rate / a.rate < high->rate / low->rate;
    if (low != nullptr && (pair_grows == grows ? !narrower : grows)) continue;
    low = &a;
    high = &b;
    grows = pair_grows;
  }
  if (low == nullptr) return std::nullopt;
  return Between(*low, *high);
}

// Where the chord between two probes meets the target. An end that stayed weighs half as much for
// every probe that fell to the other side (the Illinois method). A move that would hardly leave an
// end is made longer.
double RateSearch::Between(const Probe& low, const Probe& high) const {
  const double aim = (goal_.low + goal_.high) / 2;
  double below = low.measure - aim;
  double above = high.measure - aim;
  size_t run = 0;
  while (run < probes_.size() &&
         SideOf(probes_[probes_.size() - 1 - run]) == SideOf(probes_.back())) {
    ++run;
  }
  const double weight = std::ldexp(1.0, 1 - static_cast<int>(run));
  (SideOf(probes_.back()) == SideOf(low) ? above : below) *= weight;
  const double share = std::clamp(below / (below - above), 0.02, 0.98);
  return Rounded(LogOf(low) + share * (LogOf(high) - LogOf(low)));
}

// A rate further out, and at last the end, where all probes are on one side. Nothing when that end
// was tried.
std::optional<double> RateSearch::Outside() const {
  const bool up = SideOf(sorted_.front()) == Side::kBelow;
  const Probe& last = up ? sorted_.back() : sorted_.front();
  const double end = up ? goal_.max : goal_.min;
  if (last.rate == end) return std::nullopt;
  double growth = goal_.growth;
  if (sorted_.size() > 1) {
    const Probe& before = up ? sorted_[sorted_.size() - 2] : sorted_[1];
    growth = (last.measure - before.measure) / (LogOf(last) - LogOf(before));
  }
  constexpr size_t kMostProbes = 3;
  if (!(growth > 0) || sorted_.size() >= kMostProbes) return end;
  const double aim = (goal_.low + goal_.high) / 2;
  // The measure bends. From the second move on it goes a little further than the chord says, so
  // that the target comes to lie between two probes.
  const double move = (aim - last.measure) / growth * (sorted_.size() > 1 ? 1.2 : 1.0);
  const double log_rate = LogOf(last) + move;
  const double margin = 0.05 * std::log(goal_.max / goal_.min);
  if (up ? log_rate > std::log(end) - margin : log_rate < std::log(end) + margin) return end;
  return Rounded(log_rate);
}

// All probes are on one side, and so is the end in whose direction the target should lie. Where
// they are beyond the target, and a probe inside is nearer to it than that end, the measure does
// not grow as it should. Then the middle of the wider gap beside that probe is tried.
std::optional<double> RateSearch::AroundExtreme() const {
  const Probe& nearest_probe = probes_[nearest()];
  const bool up = SideOf(nearest_probe) == Side::kBelow;
  if (up == goal_.beyond_is_above || nearest_probe.rate == (up ? goal_.max : goal_.min)) {
    return std::nullopt;
  }
  const auto at = std::find_if(sorted_.begin(), sorted_.end(), [&](const Probe& probe) {
    return probe.rate == nearest_probe.rate;
  });
  const double here = LogOf(nearest_probe);
  const double left = at == sorted_.begin() ? std::log(goal_.min) : LogOf(*std::prev(at));
  const double right = std::next(at) == sorted_.end() ? std::log(goal_.max) : LogOf(*std::next(at));
  return Rounded((here + (here - left > right - here ? left : right)) / 2);
}

double RateSearch::Rounded(double log_rate) const {
  return RoundedRate(std::exp(log_rate), goal_.min, goal_.max);
}

}  // namespace glint
