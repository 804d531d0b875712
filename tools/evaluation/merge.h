// `evaluate --merge`: the results of shards as one run would have them.
// Used by tools/evaluate.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_EVALUATION_MERGE_H_
#define GLINT_TOOLS_EVALUATION_MERGE_H_

#include <string>

#include "tools/evaluation/job.h"

namespace glint::tools {

// Reads flags.merge, prints the report and writes flags.json. Returns the exit code.
int MergeShards(const std::string& tool, const EvaluateFlags& flags);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_MERGE_H_
