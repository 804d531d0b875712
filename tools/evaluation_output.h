// The results of `evaluate` as tables for people and as JSON in CompressAI's schema.
// Used by tools/evaluate.cc.
// Thread rules: pure functions, except where they read the machine's name and the memory used.
#ifndef GLINT_TOOLS_EVALUATION_OUTPUT_H_
#define GLINT_TOOLS_EVALUATION_OUTPUT_H_

#include <string>
#include <vector>

#include "tools/evaluation.h"
#include "tools/json_output.h"
#include "tools/table.h"

namespace glint::tools {

// ---- for people --------------------------------------------------------------------------------

// One row per picture, names at most as wide as the longest of `names`.
Table PictureTable(const std::vector<std::string>& names);
Table::Cells PictureRow(const Measurement& measurement);
Table::Cells MeansRow(const Means& means);

std::string RateTable(const std::vector<Means>& rates);   // one row per lrd
std::string StageTable(const std::vector<Means>& rates);  // seconds per picture and stage

// ---- for programs ------------------------------------------------------------------------------

struct Failure {
  std::string source;
  std::string message;
};

struct Evaluation {
  std::string type;  // "FP32"
  int threads = 1;
  ModelInfo model;
  std::vector<Means> rates;
  std::vector<Measurement> measurements;
  std::vector<Failure> failures;
};

Json EvaluationJson(const Evaluation& evaluation);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_OUTPUT_H_
