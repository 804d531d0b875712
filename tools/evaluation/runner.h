// A run of `evaluate` from its first picture to its last file: measures what no journal has, saves
// what is asked for, and hands each step to the report and the page.
// Used by tools/evaluate.cc.
// Thread rules: main thread only; the library makes the workers that --threads asks for.
#ifndef GLINT_TOOLS_EVALUATION_RUNNER_H_
#define GLINT_TOOLS_EVALUATION_RUNNER_H_

#include <string>

#include "tools/evaluation/job.h"

namespace glint::tools {

// Returns the program's exit code, and has complained where that is not 0.
int RunEvaluation(const std::string& tool, const EvaluateFlags& flags, Job job);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_RUNNER_H_
