// The results of a shard: what `evaluate --shard` wrote with --json.
// Used by tools/evaluation/merge.cc, and by runner.cc for a shard that is done already.
// Thread rules: values, no shared state.
#ifndef GLINT_TOOLS_EVALUATION_SHARD_RESULTS_H_
#define GLINT_TOOLS_EVALUATION_SHARD_RESULTS_H_

#include <string>

#include "tools/evaluation/steps.h"

namespace glint::tools {

struct ShardResults {
  std::string path;
  EvaluationRun run;  // with its shard
  Json run_json;      // as RunJson has it
  StepTable steps;    // all that the shard has
};

// An error names the file, and says why it is none.
Expected<ShardResults> ReadShardFile(const std::string& path);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_SHARD_RESULTS_H_
