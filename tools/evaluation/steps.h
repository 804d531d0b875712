// The steps of a run of `evaluate`, a picture at one rate each, as JSON: a journal has one a line,
// the results of a shard have them by model.
// Used by tools/evaluation/journal.cc and tools/evaluation/merge.cc.
// Thread rules: values, no shared state.
#ifndef GLINT_TOOLS_EVALUATION_STEPS_H_
#define GLINT_TOOLS_EVALUATION_STEPS_H_

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/evaluation/report.h"

namespace glint::tools {

Json StepJson(const Step& step);
// What no step of the run can be is a fault.
Step ReadStep(const JsonFields& fields, const EvaluationRun& run, std::string* fault);
Failure ReadFailure(const JsonFields& fields);

// By picture and rate.
using StepTable = std::map<std::pair<size_t, size_t>, Step>;

// The steps of what EvaluationsJson and the run's shard say. Each step of the shard is there, once.
StepTable ReadResults(const Json& json, const EvaluationRun& run, std::string* fault);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_STEPS_H_
