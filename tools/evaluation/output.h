// The results of `evaluate` as tables for people and as JSON in CompressAI's schema.
// Used by tools/evaluation/report.cc.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_EVALUATION_OUTPUT_H_
#define GLINT_TOOLS_EVALUATION_OUTPUT_H_

#include <string>
#include <utility>
#include <vector>

#include "tools/common/json_output.h"
#include "tools/common/machine.h"
#include "tools/common/table.h"
#include "tools/evaluation/measurement.h"

namespace glint::tools {

// ---- for people --------------------------------------------------------------------------------

// A table of pictures and their means at one rate. Each has a row for each model, and a column
// names the model when there are several. Columns are as wide as the longest of `pictures` and
// `models`.
class PictureTable {
 public:
  PictureTable(const std::vector<std::string>& pictures, const std::vector<std::string>& models);
  std::string Header() const { return table_.Header(); }
  std::string Rule() const { return table_.Rule(); }
  std::string Row(const std::string& model, const Measurement& measurement) const;
  std::string Row(const std::string& model, const Means& means) const;

 private:
  std::string Row(const std::string& name, const std::string& model, Table::Cells cells) const;

  bool names_models_;
  Table table_;
};

// One row for each rate; `title` is what their names are.
std::string RateTable(const std::string& title, const std::vector<Means>& rates);

// Seconds per picture and stage of some means, which `title` and the names tell apart; effort is a
// column where there is any.
using NamedMeans = std::pair<std::string, Means>;
std::string StageTable(const std::string& title, const std::vector<NamedMeans>& means);

// What details did at each of the means' rates: blocks, bytes, PSNR without and with them.
std::string DetailTable(const std::string& title, const std::vector<NamedMeans>& means);

// ---- for programs ------------------------------------------------------------------------------

// A picture that could not be evaluated.
struct Failure {
  std::string source;
  std::string message;
  size_t picture = 0, point = 0;      // which, and the rate at which it failed
  std::vector<Measurement> measured;  // before it failed; in no mean
};
Json FailureJson(const Failure& failure);

struct Evaluation {
  std::string label;  // what the model is called beside others
  std::string type;   // "FP32"
  // Of the model: its file; or the files of a family, models of one fixed rate each, which make one
  // curve.
  std::vector<std::string> paths;
  Machine machine;
  std::string detail = "auto";  // DetailName
  int effort = 0;
  ModelInfo model;          // the first one
  uint64_t file_bytes = 0;  // of all files
  std::vector<Means> rates;
  std::vector<Measurement> measurements;
  std::vector<Failure> failures;
};

Json EvaluationJson(const Evaluation& evaluation);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_OUTPUT_H_
