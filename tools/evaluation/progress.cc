#include "tools/evaluation/progress.h"

#include "tools/common/text.h"

namespace glint::tools {

EvaluationProgress::EvaluationProgress(const EvaluationRun& run, StatusLine* status)
    : run_(run), status_(status) {
  const std::vector<size_t> pictures = PicturesOf(run);
  for (const size_t picture : pictures) all_ += WeightOf(picture);
  all_ *= static_cast<double>(run.points.size());
  steps_ = pictures.size() * run.points.size();
}

void EvaluationProgress::Skip(size_t picture, size_t point, bool failed) {
  pace_.Skip(WeightOf(picture), 1);
  End(picture, point, failed);
}

void EvaluationProgress::Begin(size_t picture) {
  picture_ = picture;
  Show(0, "reading", 0);
}

void EvaluationProgress::Show(size_t model, const char* what, double done) {
  if (!status_->visible()) return;
  const std::string name = what;
  const double repeat = run_.repeat, verifying = run_.verify ? decoding_ : 0;
  const double all = repeat * (encoding_ + decoding_) + verifying;
  // What a page needs besides is not counted.
  const double before = name == "decoding"       ? repeat * encoding_
                        : name == "verifying"    ? repeat * (encoding_ + decoding_)
                        : name == "mapping bits" ? all
                                                 : 0;
  const double length = name == "decoding"       ? repeat * decoding_
                        : name == "verifying"    ? verifying
                        : name == "mapping bits" ? 0
                                                 : repeat * encoding_;
  const double models = static_cast<double>(run_.models.size());
  const double part = (static_cast<double>(model) + (before + done * length) / all) / models;
  const double work = done_ + part * WeightOf(picture_);
  status_->ShowProgress(
      Grouped(step_ + 1) + "/" + Grouped(steps_), work / all_,
      pace_.Text(work, all_, static_cast<double>(step_) + part) + ", " +
          Printable(run_.pictures[picture_].name, 24) + " " +
          (run_.models.size() > 1 ? Printable(run_.models[model].label, 16) + " " : "") + name);
}

void EvaluationProgress::Measured(const Measurement& measurement) {
  encoding_ = measurement.encoding_time;
  decoding_ = measurement.decoding_time;
}

void EvaluationProgress::End(size_t picture, size_t point, bool failed) {
  done_ += WeightOf(picture);
  ++step_;
  if (!failed) return;
  const size_t left = run_.points.size() - 1 - point;
  all_ -= static_cast<double>(left) * WeightOf(picture);
  steps_ -= left;
}

double EvaluationProgress::WeightOf(size_t picture) const {
  return 1 + static_cast<double>(run_.pictures[picture].bytes);
}

}  // namespace glint::tools
