// The line that says what a quantiser is doing, what it has found, and how long it takes.
// Used by tools/quantize.cc and tools/quantising/shrunk_graphs.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_QUANTISING_QUANTISE_STATUS_H_
#define GLINT_TOOLS_QUANTISING_QUANTISE_STATUS_H_

#include <string>

#include "glint/quantise.hpp"
#include "tools/common/console.h"
#include "tools/common/pace.h"

namespace glint::tools {

class QuantiseStatus {
 public:
  // `max_loss`: percent that may be lost; 0: no limit.
  QuantiseStatus(StatusLine* line, double max_loss) : line_(line), max_loss_(max_loss) {}

  // Time left is that of the stage, for nobody knows how many a search will go through. For
  // QuantiseOptions::progress.
  void Show(const QuantiseProgress& progress);

 private:
  StatusLine* line_;
  const double max_loss_;
  const Pace whole_;
  Pace stage_;
  std::string name_;
  double done_ = 0;  // of the stage
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_QUANTISING_QUANTISE_STATUS_H_
