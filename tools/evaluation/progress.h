// The line that says how far a whole run of `evaluate` is: all pictures, rates and models.
// Used by tools/evaluation/runner.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_EVALUATION_PROGRESS_H_
#define GLINT_TOOLS_EVALUATION_PROGRESS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tools/common/console.h"
#include "tools/common/pace.h"
#include "tools/evaluation/measurement.h"
#include "tools/evaluation/run.h"

namespace glint::tools {

// The steps of a run, a picture at one rate each, come in their order: Skip, or Begin, Show and
// End.
class EvaluationProgress {
 public:
  EvaluationProgress(const EvaluationRun& run, StatusLine* status);

  void Skip(size_t picture, size_t point, bool failed);  // what was done before
  void Begin(size_t picture);
  void Show(size_t model, const char* what, double done);  // as MeasureOptions::progress has it
  void Measured(const Measurement& measurement);
  // Of a picture that failed there are no steps at the rates that follow.
  void End(size_t picture, size_t point, bool failed);

 private:
  double WeightOf(size_t picture) const;

  const EvaluationRun& run_;
  StatusLine* status_;
  Pace pace_{"picture"};
  double all_ = 0, done_ = 0;  // bytes of pictures' files, which are what their time goes by
  size_t steps_ = 0, step_ = 0;
  size_t picture_ = 0;
  // Seconds that each part of a measurement took the last time, to begin with in proportion.
  double encoding_ = 2, decoding_ = 1;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_PROGRESS_H_
