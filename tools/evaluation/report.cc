#include "tools/evaluation/report.h"

#include <algorithm>
#include <utility>

#include "tools/common/machine.h"
#include "tools/common/output.h"
#include "tools/common/text.h"
#include "tools/program/detail_flags.h"

namespace glint::tools {
namespace {

constexpr double kPoorPsnr = 15;  // such pictures are shown and saved whatever --freq says

std::vector<std::string> PictureNames(const EvaluationRun& run) {
  std::vector<std::string> names;
  for (const RunPicture& picture : run.pictures) names.push_back(picture.name);
  names.push_back("mean of " + Grouped(names.size()));
  return names;
}

std::vector<std::string> ModelLabels(const EvaluationRun& run) {
  std::vector<std::string> labels;
  for (const RunModel& model : run.models) labels.push_back(model.label);
  return labels;
}

Evaluation EvaluationOf(const EvaluationRun& run, const RunModel& model) {
  Evaluation evaluation;
  evaluation.label = model.label;
  evaluation.type = model.type;
  evaluation.detail = run.detail;
  evaluation.effort = run.effort;
  evaluation.machine = run.machine;
  evaluation.model.name = model.name;
  evaluation.model.id = model.members.front().id;
  evaluation.model.load_seconds = model.load_seconds;
  for (const RunModel::Member& member : model.members) {
    evaluation.paths.push_back(member.path);
    evaluation.file_bytes += member.bytes;
  }
  return evaluation;
}

}  // namespace

EvaluationReport::EvaluationReport(std::string tool, EvaluationRun run,
                                   std::vector<QualityCurve> curves, std::string json)
    : tool_(std::move(tool)),
      run_(std::move(run)),
      pictures_(PicturesOf(run_)),
      curves_(std::move(curves)),
      json_(std::move(json)),
      out_(IsStandardOutput(json_) ? stderr : stdout),
      table_(PictureNames(run_), ModelLabels(run_)) {
  for (const RunModel& model : run_.models) evaluations_.push_back(EvaluationOf(run_, model));
}

void EvaluationReport::LogTo(LogFile* log, std::string outputs) {
  log_ = log;
  outputs_ = std::move(outputs);
}

int EvaluationReport::Make(const StepSource& source) {
  PrintBanner();
  for (size_t point = 0; point < run_.points.size(); ++point) {
    const Error error = ReportRate(point, source);
    status_.Clear();
    if (!error.ok()) return ExitCodeFor(tool_, error);
  }
  SumUp();
  PrintEnd();
  if (!json_.empty()) {
    const std::string text = JsonText(ResultJson());
    const Error error = WriteOutput(json_, text.data(), text.size());
    if (!error.ok()) return ExitCodeFor(tool_, error);
  }
  return failed_.empty() ? kExitOk : kExitSomeFailed;
}

Error EvaluationReport::WritePage(const EvaluationPage& page, const std::string& path) const {
  const std::string html = page.Html(run_, evaluations_, curves_, ResultJson());
  return WriteOutput(path, html.data(), html.size());
}

bool EvaluationReport::Shows(const Measurement& measurement) const {
  return measurement.picture % static_cast<size_t>(run_.freq) == 0 || measurement.psnr < kPoorPsnr;
}

// To the report and to the log; `text` ends in a line feed.
void EvaluationReport::Print(const std::string& text) {
  status_.Clear();
  std::fputs(text.c_str(), out_);
  std::fflush(out_);
  if (log_ != nullptr) log_->Info(text);
}

void EvaluationReport::PrintBanner() {
  Print("Glint " + run_.version + ", " +
        Count(static_cast<size_t>(run_.machine.threads), "thread") + ", " + run_.machine.target +
        ", " + run_.machine.cpu + "\n");
  for (const Evaluation& evaluation : evaluations_) {
    const ModelInfo& model = evaluation.model;
    const std::string bytes = ByteSize(static_cast<double>(evaluation.file_bytes));
    if (run_.has_families) {
      Print(Printable(evaluation.label) + ": " + Count(evaluation.paths.size(), "model") +
            " of one fixed rate each, " + bytes + "\n");
      continue;
    }
    Print(Printable(evaluation.label) + ": model " + model.name + ", id " + model.id + ", " +
          bytes + ", loaded in " + Fixed(model.load_seconds, 3) + " s\n");
  }
  Print("Details: " + run_.detail +
        (run_.detail == DetailName(Detail::kOff) && !run_.detail_given ? ", so that models compare"
                                                                       : "") +
        "\n");
  if (run_.effort > 0) Print("Effort: " + std::to_string(run_.effort) + "\n");
  Print(Count(run_.pictures.size(), "picture") + " from " +
        Printable(run_.source, run_.source.size()) + "\n");
  if (run_.shard) {
    Print("Shard " + ShardText(*run_.shard) + ": " + Count(pictures_.size(), "picture") +
          " of these\n");
  }
  if (!run_.left_out.empty()) Print(run_.left_out);
  if (run_.points.size() > 1 && !run_.rates_given && !run_.has_families) {
    Print("No --lrd: " + Count(run_.points.size(), "rate") +
          " spread over what the models are meant for, " + Shortest(run_.points.front().lrd) +
          " to " + Shortest(run_.points.back().lrd) + "\n");
  }
}

// Every picture at one rate, then their means. Only errors that end the run come back. Of a shard
// all pictures may fail, for others may have some that do not.
Error EvaluationReport::ReportRate(size_t point, const StepSource& source) {
  Print("\n" + TitleOf(point) + "\n" + table_.Header() + "\n" + table_.Rule() + "\n");
  for (const size_t picture : pictures_) {
    if (failed_.count(picture) != 0) continue;
    Expected<Step> step = source(picture, point);
    if (!step) return step.error();
    Add(std::move(*step));
  }
  if (failed_.size() == pictures_.size() && !run_.shard) {
    return MakeError(ErrorCode::kBadImage, run_.source + ": no picture could be evaluated");
  }
  Print(table_.Rule() + "\n");
  for (const Evaluation& evaluation : evaluations_) {
    const Means means = MeansOf(evaluation.measurements, point);
    if (means.pictures > 0) Print(table_.Row(evaluation.label, means) + "\n");
  }
  return {};
}

std::string EvaluationReport::TitleOf(size_t point) const {
  if (!run_.has_families) {
    return run_.points[point].lrd == 0 ? "fixed rate" : "lrd " + RateName(run_, 0, point);
  }
  std::string names;
  for (size_t m = 0; m < run_.models.size(); ++m) {
    names += (m == 0 ? "" : ", ") + Printable(RateName(run_, m, point));
  }
  return names;
}

void EvaluationReport::Add(Step step) {
  for (size_t m = 0; m < step.measurements.size(); ++m) {
    Evaluation& evaluation = evaluations_[m];
    evaluation.measurements.push_back(std::move(step.measurements[m]));
    const Measurement& measurement = evaluation.measurements.back();
    if (Shows(measurement)) Print(table_.Row(evaluation.label, measurement) + "\n");
  }
  if (step.failure) AddFailure(*step.failure);
}

// A picture that failed once is left out of everything, so that all rates and models are of the
// same pictures.
void EvaluationReport::AddFailure(const Failure& failure) {
  status_.Clear();
  Complain(tool_, failure.message);
  if (log_ != nullptr) log_->Failed(failure.message);
  failed_.insert(failure.picture);
  for (Evaluation& evaluation : evaluations_) {
    std::vector<Measurement>& all = evaluation.measurements;
    const auto is_of_others = [&](const Measurement& m) { return m.picture != failure.picture; };
    const auto begin = std::stable_partition(all.begin(), all.end(), is_of_others);
    Failure& own = evaluation.failures.emplace_back(failure);
    own.measured.assign(begin, all.end());
    all.erase(begin, all.end());
  }
}

void EvaluationReport::SumUp() {
  for (size_t m = 0; m < evaluations_.size(); ++m) {
    Evaluation& evaluation = evaluations_[m];
    for (size_t point = 0; point < run_.points.size(); ++point) {
      Means means = MeansOf(evaluation.measurements, point);
      means.rate = RateName(run_, m, point);
      evaluation.rates.push_back(std::move(means));
    }
    // A merged run has that of its shards.
    double& peak = evaluation.machine.peak_rss_mib;
    if (peak == 0) peak = PeakRssMib();
  }
}

void EvaluationReport::PrintEnd() {
  if (compares()) Print("\n" + ComparisonText(CompareWithFirst(evaluations_)));
  if (!curves_.empty()) Print("\n" + CurvesText(CompareWithCurves(evaluations_, curves_)));
  if (run_.points.size() > 1) {
    for (const Evaluation& evaluation : evaluations_) {
      Print("\nMeans by rate" + (compares() ? ", " + Printable(evaluation.label) : "") + "\n" +
            RateTable(RateTitle(), evaluation.rates));
    }
  }
  PrintDetails();
  PrintStages();
  PrintSaturated();
  PrintSmall();
  const double peak = evaluations_.front().machine.peak_rss_mib;
  Print("Peak memory " + ByteSize(peak * 1024 * 1024) + "\n");
  if (!failed_.empty()) Print(Count(failed_.size(), "picture") + " could not be evaluated\n");
  if (!outputs_.empty()) Print(outputs_);
}

// By rate; of several models by model, as they differ more than the rates.
std::vector<NamedMeans> EvaluationReport::NamedRows() const {
  std::vector<NamedMeans> rows;
  if (compares()) {
    for (const Evaluation& e : evaluations_) rows.emplace_back(e.label, MeansOf(e.measurements));
  } else {
    for (const Means& rate : evaluations_.front().rates) rows.emplace_back(rate.rate, rate);
  }
  return rows;
}

void EvaluationReport::PrintDetails() {
  if (run_.detail == DetailName(Detail::kOff)) return;
  Print("\nDetails: blocks of 64 x 64 pixels that they had to repair, and what that did\n" +
        DetailTable(RowTitle(), NamedRows()));
}

void EvaluationReport::PrintStages() {
  Print("\nSeconds per picture\n" + StageTable(RowTitle(), NamedRows()) + "\n");
}

// Only where there is something to be said: a trained model stays within its fixed point.
void EvaluationReport::PrintSaturated() {
  for (const Evaluation& evaluation : evaluations_) {
    const uint64_t count = MeansOf(evaluation.measurements).saturated_latents;
    if (count == 0) continue;
    Print(Printable(evaluation.label) + ": " + Grouped(count) +
          " latents were beyond the range of the model's fixed point and were limited to it\n");
  }
}

void EvaluationReport::PrintSmall() {
  const Means& means = evaluations_.front().rates.back();
  if (means.with_ms_ssim == means.pictures) return;
  Print("MS-SSIM: the mean is over " + Grouped(means.with_ms_ssim) + " of " +
        Count(means.pictures, "picture") +
        "; the others are too small for 5 scales (a side of 160 pixels or less)\n");
}

// A shard also says what it is a part of.
Json EvaluationReport::ResultJson() const {
  Json json = EvaluationsJson(evaluations_, curves_);
  if (run_.shard) {
    json["shard"] = Json{{"index", run_.shard->index + 1},
                         {"of", run_.shard->of},
                         {"source", run_.source},
                         {"left_out", run_.left_out},
                         {"run", RunJson(run_)}};
  }
  return json;
}

}  // namespace glint::tools
