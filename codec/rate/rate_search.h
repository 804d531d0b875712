// Finds the rate at which a measure of the stream (its size, its PSNR) comes nearest to a target
// without going beyond. Knows nothing of pictures: it says which rate to try next, and is told what
// came of it. Internal to codec/.
// Thread rules: one caller.
#ifndef GLINT_CODEC_RATE_RATE_SEARCH_H_
#define GLINT_CODEC_RATE_RATE_SEARCH_H_

#include <cstddef>
#include <optional>
#include <vector>

namespace glint {

// The goal: which measures are good enough, and on which side of them a probe is beyond the target.
// The measure is expected to grow with the rate; the search copes where it does not.
struct SearchGoal {
  double low = 0, high = 0;     // good enough: low <= measure <= high, low < high
  bool beyond_is_above = true;  // else a measure below `low` is beyond the target
  double growth = 1;            // expected growth of the measure when the rate grows e-fold
  double min = 0, max = 0;      // rates
  double start = 0;             // the first to try
  size_t most_probes = 8;
};

class RateSearch {
 public:
  explicit RateSearch(const SearchGoal& goal) : goal_(goal) {}

  struct Probe {
    double rate;
    double measure;
  };

  // The rate to try next, of five significant digits at most unless it is min or max; nothing when
  // the search has ended.
  std::optional<double> Next() const;
  // What came of it.
  void Add(const Probe& probe);

  const std::vector<Probe>& probes() const { return probes_; }
  // The best of the probes that are not beyond the target: the one with the greatest measure, or,
  // where low measures are beyond the target, the one with the lowest rate. Nothing when all are
  // beyond.
  std::optional<size_t> best() const;
  // The same, or the one least beyond where all are. There is a probe.
  size_t nearest() const;

 private:
  enum class Side { kBelow, kGood, kAbove };
  Side SideOf(const Probe& probe) const;

  std::optional<double> Crossing() const;
  double Between(const Probe& low, const Probe& high) const;
  std::optional<double> Outside() const;
  std::optional<double> AroundExtreme() const;
  double Rounded(double log_rate) const;

  SearchGoal goal_;
  std::vector<Probe> probes_;  // in the order of trying
  std::vector<Probe> sorted_;  // by rate
};

}  // namespace glint

#endif  // GLINT_CODEC_RATE_RATE_SEARCH_H_
