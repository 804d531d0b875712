#include "tools/evaluation/runner.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "glint/glint.hpp"
#include "tools/common/console.h"
#include "tools/common/log_file.h"
#include "tools/common/messages.h"
#include "tools/common/output.h"
#include "tools/common/pictures.h"
#include "tools/common/signals.h"
#include "tools/common/text.h"
#include "tools/evaluation/journal.h"
#include "tools/evaluation/measurement.h"
#include "tools/evaluation/page.h"
#include "tools/evaluation/page_layers.h"
#include "tools/evaluation/progress.h"
#include "tools/evaluation/report.h"
#include "tools/evaluation/run.h"
#include "tools/evaluation/saved_files.h"
#include "tools/evaluation/shard_results.h"
#include "tools/evaluation/steps.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

class Run {
 public:
  Run(std::string tool, const EvaluateFlags& flags, Job job)
      : tool_(std::move(tool)),
        flags_(flags),
        job_(std::move(job)),
        run_(DescribeRun(flags, job_)),
        report_(tool_, run_, job_.curves, flags.json) {
    if (!flags.html.empty()) page_.emplace(flags.command, flags.html_size);
  }

  int Main() {
    Error error = PrepareOutput();
    if (error.ok()) error = PrepareJournal();
    if (!error.ok()) return ExitCodeFor(tool_, error);
    const int exit_code = report_.Make(
        [this](size_t picture, size_t point) { return FindOrMeasure(picture, point); });
    if (exit_code == kExitBad) return exit_code;
    error = WritePage();
    if (error.ok() && log_) error = log_->Close();
    if (!error.ok()) return ExitCodeFor(tool_, error);
    if (journal_) journal_->Remove();
    return exit_code;
  }

 private:
  Error PrepareOutput() {
    const Error kept = saved_.CheckKeepsInputs();
    if (!kept.ok() || flags_.out.empty()) return kept;
    const Expected<std::string> folders = saved_.MakeFolders();
    if (!folders) return folders.error();
    Expected<std::unique_ptr<LogFile>> log =
        LogFile::Create((fs::path(flags_.out) / "log").string());
    if (!log) return At("--out", log.error());
    log_ = std::move(*log);
    report_.LogTo(log_.get(), "Pictures and streams in " + *folders + "log " + log_->path() + "\n");
    return {};
  }

  // Without --resume there is none, and one that is there is left alone.
  Error PrepareJournal() {
    if (flags_.json.empty() || !WritesStoredFile(flags_.json)) {
      if (!flags_.resume) return {};
      return MakeError(ErrorCode::kInvalidArgument,
                       "--resume: needs a file for --json, beside which the journal is");
    }
    const std::string path = JournalPath(flags_.json);
    std::error_code ignored;
    if (!flags_.resume) {
      if (fs::exists(path, ignored)) {
        Complain(tool_, "warning: " + path +
                            ": of a run that did not end; --resume would go on "
                            "with it");
      }
      return {};
    }
    std::vector<std::string> paths;
    for (const PictureFile& file : job_.pictures.files) paths.push_back(file.path);
    Expected<std::unique_ptr<EvaluationJournal>> journal =
        EvaluationJournal::Open(path, run_, paths);
    if (!journal) return journal.error();
    journal_ = std::move(*journal);
    GoOnAfter(path, journal_->done());
    if (run_.shard) UseFinishedShard();
    return {};
  }

  void GoOnAfter(const std::string& path, StepTable done) {
    done_ = std::move(done);
    if (done_.empty()) return;
    Complain(tool_, path + ": goes on after " + Count(done_.size(), "measurement"));
  }

  // A shard whose JSON is there is done, unless one of its pictures has changed since.
  void UseFinishedShard() {
    std::error_code error;
    const fs::file_time_type written = fs::last_write_time(flags_.json, error);
    if (error) return;
    for (const size_t picture : PicturesOf(run_)) {
      const auto changed = fs::last_write_time(job_.pictures.files[picture].path, error);
      if (error || changed >= written) return;
    }
    Expected<ShardResults> shard = ReadShardFile(flags_.json);
    if (!shard || ShardText(*shard->run.shard) != ShardText(*run_.shard)) return;
    if (!DifferenceText(shard->run_json, ParseJson(JsonText(RunJson(run_)))).empty()) return;
    GoOnAfter(flags_.json, std::move(shard->steps));
  }

  Expected<Step> FindOrMeasure(size_t picture, size_t point) {
    const auto done = done_.find({picture, point});
    if (done != done_.end() && HasOutputs(done->second)) {
      progress_.Skip(picture, point, done->second.failure.has_value());
      Note(done->second);
      return done->second;
    }
    progress_.Begin(picture);
    Expected<Step> step = MeasurePicture(picture, point);
    if (!step) return step;
    progress_.End(picture, point, step->failure.has_value());
    Note(*step);
    if (!journal_) return step;
    const Error written = journal_->Append(*step);
    return written.ok() ? step : written;
  }

  // Neither the page nor its layers are of a picture that failed, now or when the journal was
  // written.
  void Note(const Step& step) {
    if (step.failure) {
      if (measured_ == step.picture) measured_.reset();
      if (page_) page_->Remove(step.picture);
      return;
    }
    if (!measured_) measured_ = step.picture;
    if (page_) page_->EndStep(step.picture);
  }

  // Whether all is there that would be saved of it. What the page shows has to be made again.
  bool HasOutputs(const Step& step) const {
    for (size_t model = 0; model < step.measurements.size(); ++model) {
      if (!report_.Shows(step.measurements[model])) continue;
      if (page_ || !saved_.Has(model, step.picture, step.point)) return false;
    }
    return true;
  }

  // With each model in turn, so that whatever else the machine does costs all of them alike.
  Expected<Step> MeasurePicture(size_t index, size_t point) {
    MeasureOptions options;
    options.lrd = job_.points[point].lrd;
    options.detail = job_.detail;
    options.effort = flags_.effort;
    options.threads = flags_.threads;
    options.repeat = flags_.repeat;
    options.verify = flags_.verify;
    options.limits = flags_.limits;
    Step step{index, point, {}, {}};
    const Expected<Picture> picture = Read(index, options);
    if (!picture) return LeaveOut(picture.error(), std::move(step));
    bool on_page = false;
    for (size_t m = 0; m < job_.models.size(); ++m) {
      Expected<Coded> coded = MeasureModel(m, *picture, index, point, options);
      if (!coded) return LeaveOut(coded.error(), std::move(step));
      progress_.Measured(coded->measurement);
      const bool shown = report_.Shows(coded->measurement);
      if (shown) {
        const Error saved = saved_.Save(*coded, m);
        if (!saved.ok()) return EndedBy(saved);
      }
      // What is shown of one model is shown of all. That a later one is the first to be poor is so
      // rare that those before it are coded again.
      if (page_ && page_->MayShow(index) && (shown || on_page)) {
        Error error;
        for (size_t before = on_page ? m : 0; error.ok() && before < m; ++before) {
          MeasureOptions once = options;
          once.repeat = 1;
          once.verify = false;
          const Expected<Coded> again = MeasureModel(before, *picture, index, point, once);
          error = again ? AddToPage(*picture, *again, before, options) : again.error();
        }
        if (error.ok()) error = AddToPage(*picture, *coded, m, options);
        if (!error.ok()) return EndedBy(error);
        on_page = true;
      }
      step.measurements.push_back(std::move(coded->measurement));
    }
    return step;
  }

  Expected<Coded> MeasureModel(size_t m, const Picture& picture, size_t index, size_t point,
                               MeasureOptions options) {
    options.progress = ProgressOf(m);
    const LoadedModel& model = job_.models[m].members[job_.points[point].member];
    Expected<Coded> coded = Measure(model.encoder, model.decoder, picture, options);
    if (!coded) return At(run_.models[m].label, coded.error());
    const PictureFile& file = job_.pictures.files[index];
    coded->measurement.name = file.name;
    coded->measurement.source = file.path;
    coded->measurement.picture = index;
    coded->measurement.point = point;
    return coded;
  }

  std::function<bool(const char*, double)> ProgressOf(size_t model) {
    return [this, model](const char* what, double done) {
      progress_.Show(model, what, done);
      return !Interrupted();
    };
  }

  static Error EndedBy(const Error& error) {
    return Interrupted() ? MakeError(ErrorCode::kCancelled, "interrupted") : error;
  }

  // Warnings about a file come once, whatever the number of rates.
  Expected<Picture> Read(size_t index, const MeasureOptions& options) {
    const PictureFile& file = job_.pictures.files[index];
    std::vector<MeasuringModels> models;
    for (const TestedModel& model : job_.models) {
      for (const LoadedModel& member : model.members) {
        models.push_back({member.encoder, member.decoder});
      }
    }
    std::vector<std::string> warnings;
    Expected<Picture> picture = ReadToMeasure(file.path, models, options, &warnings);
    if (!picture) return picture;
    if (warned_.insert(file.path).second) {
      report_.status().Clear();
      Warn(tool_, file.path, warnings);
    }
    // Means and the page are of one picture.
    const std::pair size(picture->info.width, picture->info.height);
    if (sizes_.emplace(index, size).first->second != size) {
      return MakeError(ErrorCode::kBadImage, "has another size than when it was read before");
    }
    return picture;
  }

  // A picture that fails is an error where it is the only one.
  Expected<Step> LeaveOut(const Error& error, Step step) const {
    if (Interrupted()) return MakeError(ErrorCode::kCancelled, "interrupted");
    const std::string& path = job_.pictures.files[step.picture].path;
    const Error placed = At(path, error);
    if (!job_.pictures.is_folder) return placed;
    step.failure = Failure{path, MessageOf(placed), step.picture, step.point, {}};
    return step;
  }

  Error AddToPage(const Picture& original, const Coded& coded, size_t model,
                  MeasureOptions options) {
    options.progress = ProgressOf(model);
    const size_t member = job_.points[coded.measurement.point].member;
    const Model& encoder = job_.models[model].members[member].encoder;
    const Expected<BitsMap> bits = MapBits(encoder, original, coded, options);
    return bits ? page_->Add(original, coded, *bits, model) : bits.error();
  }

  // With the layers of each model, which are measured for it.
  Error WritePage() {
    if (!page_) return {};
    if (measured_) {
      const Error error = AddLayers(flags_, job_, run_, *measured_, &report_.status(), &*page_);
      if (!error.ok()) return error;
    }
    return report_.WritePage(*page_, flags_.html);
  }

  const std::string tool_;
  const EvaluateFlags& flags_;
  const Job job_;
  const EvaluationRun run_;
  const SavedFiles saved_{flags_, job_, run_};
  EvaluationReport report_;
  EvaluationProgress progress_{run_, &report_.status()};
  std::unique_ptr<LogFile> log_;
  std::unique_ptr<EvaluationJournal> journal_;
  StepTable done_;  // before this run
  std::optional<EvaluationPage> page_;
  std::optional<size_t> measured_;                         // a picture
  std::map<size_t, std::pair<uint32_t, uint32_t>> sizes_;  // of pictures, when they were read first
  std::set<std::string> warned_;                           // paths
};

}  // namespace

int RunEvaluation(const std::string& tool, const EvaluateFlags& flags, Job job) {
  return Run(tool, flags, std::move(job)).Main();
}

}  // namespace glint::tools
