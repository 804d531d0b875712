// How fast work goes and when it will be done: what all programs tell people meanwhile.
// Used by everything in tools/ that takes a while.
// Thread rules: values, no shared state; a clock that is given has its own.
#ifndef GLINT_TOOLS_COMMON_PACE_H_
#define GLINT_TOOLS_COMMON_PACE_H_

#include <functional>
#include <optional>
#include <string>

#include "tools/common/machine.h"

namespace glint::tools {

class Pace {
 public:
  using Clock = std::function<double()>;  // seconds

  // `noun`, "picture", is what the rate counts; where that is "MP" it is by the second even if it
  // is less than one. Work begins now.
  explicit Pace(std::string noun = "", Clock clock = Now);

  // Work that takes no time: it was done before.
  void Skip(double work, double count = 0);
  // Of work, in any unit that always takes about as long, `done` of `all` is done, what was skipped
  // included; nothing in the first two seconds, and before any is done.
  std::optional<double> SecondsLeft(double done, double all) const;
  // ", 3.2 pictures/s, 5 s left", or as much of it as can be told; `count` of the nouns are done.
  std::string Text(double done, double all, double count) const;
  double seconds() const { return clock_() - start_; }

 private:
  std::string RateText(double count) const;

  std::string noun_;
  Clock clock_;
  double start_;
  double skipped_ = 0, skipped_count_ = 0;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_PACE_H_
