// Everything that follows from the measurements of a run of `evaluate`: its tables, comparisons and
// JSON, whether they were made just now, come from a journal, or from the shards of other machines.
// Used by tools/evaluation/runner.cc and tools/evaluation/merge.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_EVALUATION_REPORT_H_
#define GLINT_TOOLS_EVALUATION_REPORT_H_

#include <cstddef>
#include <cstdio>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/common/console.h"
#include "tools/common/log_file.h"
#include "tools/evaluation/comparison.h"
#include "tools/evaluation/output.h"
#include "tools/evaluation/page.h"
#include "tools/evaluation/run.h"

namespace glint::tools {

// What became of one picture at one rate.
struct Step {
  size_t picture = 0, point = 0;
  std::vector<Measurement> measurements;  // of the models in their order; up to the one that failed
  std::optional<Failure> failure;
};

// From wherever it is. An error ends the run.
using StepSource = std::function<Expected<Step>(size_t picture, size_t point)>;

class EvaluationReport {
 public:
  // `json` is where that goes, and the tables to standard error where it is standard output.
  EvaluationReport(std::string tool, EvaluationRun run, std::vector<QualityCurve> curves,
                   std::string json);

  // Keeps a log besides, which has to outlive this; `outputs` says at the end where things are.
  void LogTo(LogFile* log, std::string outputs);
  // All steps of the run in their order and what follows of them, then the JSON. Returns the exit
  // code. A picture that failed is not asked for again.
  int Make(const StepSource& source);

  // After Make.
  Error WritePage(const EvaluationPage& page, const std::string& path) const;

  StatusLine& status() { return status_; }
  // Whether --freq, or a poor result, shows a measurement and saves what it is of.
  bool Shows(const Measurement& measurement) const;

 private:
  bool compares() const { return evaluations_.size() > 1; }
  void Print(const std::string& text);
  void PrintBanner();
  Error ReportRate(size_t point, const StepSource& source);
  std::string TitleOf(size_t point) const;
  void Add(Step step);
  void AddFailure(const Failure& failure);
  void SumUp();
  void PrintEnd();
  std::vector<NamedMeans> NamedRows() const;
  const char* RateTitle() const { return run_.has_families ? "model" : "lrd"; }
  const char* RowTitle() const { return compares() ? "model" : RateTitle(); }
  void PrintDetails();
  void PrintStages();
  void PrintSaturated();
  void PrintSmall();
  Json ResultJson() const;

  const std::string tool_;
  const EvaluationRun run_;
  const std::vector<size_t> pictures_;  // of the run's, those to evaluate
  const std::vector<QualityCurve> curves_;
  const std::string json_;
  std::FILE* const out_;
  LogFile* log_ = nullptr;
  std::string outputs_;
  PictureTable table_;
  StatusLine status_;
  std::set<size_t> failed_;              // pictures
  std::vector<Evaluation> evaluations_;  // one for each of the run's models
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_REPORT_H_
