// Adds the wall-clock seconds of a scope to a number.
// Called by codec/.
// Thread rules: values.
#ifndef GLINT_CODEC_STAGE_CLOCK_H_
#define GLINT_CODEC_STAGE_CLOCK_H_

#include <chrono>

namespace glint {

class StageClock {
 public:
  explicit StageClock(double* seconds) : seconds_(seconds), start_(Clock::now()) {}
  ~StageClock() { *seconds_ += std::chrono::duration<double>(Clock::now() - start_).count(); }
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double* seconds_;
  Clock::time_point start_;
};

}  // namespace glint

#endif  // GLINT_CODEC_STAGE_CLOCK_H_
