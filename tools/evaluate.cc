// evaluate: what a model makes of pictures, or how several compare. Encodes to bytes, decodes those
// bytes with a model loaded separately, and reports quality, size, time and memory. A command-line
// tool over the public interface.
// Thread rules: one main thread; the library makes the workers that --threads asks for.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/comparison.h"
#include "tools/console.h"
#include "tools/detail_flags.h"
#include "tools/effort_flag.h"
#include "tools/evaluation.h"
#include "tools/evaluation_job.h"
#include "tools/evaluation_output.h"
#include "tools/flag_checks.h"
#include "tools/flag_texts.h"
#include "tools/json_output.h"
#include "tools/log_file.h"
#include "tools/machine.h"
#include "tools/messages.h"
#include "tools/output.h"
#include "tools/pictures.h"
#include "tools/program.h"
#include "tools/signals.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

constexpr double kPoorPsnr = 15;  // such pictures are shown and saved whatever --freq says

class Run {
 public:
  Run(std::string tool, const EvaluateFlags& flags, Job job)
      : tool_(std::move(tool)),
        flags_(flags),
        job_(std::move(job)),
        out_(IsStandardOutput(flags.json) ? stderr : stdout),
        table_(PictureNames(job_), ModelLabels(job_)) {
    for (const TestedModel& model : job_.models) {
      Evaluation evaluation;
      evaluation.label = model.label;
      evaluation.type = model.type;
      evaluation.detail = DetailName(job_.detail);
      evaluation.effort = flags.effort;
      evaluation.threads = flags.threads > 0 ? flags.threads : HardwareThreads();
      evaluation.model = model.info();
      for (const LoadedModel& member : model.members) {
        evaluation.paths.push_back(member.path);
        evaluation.file_bytes += member.encoder.info().file_bytes;
      }
      evaluations_.push_back(std::move(evaluation));
    }
  }

  int Main() {
    const Error prepared = PrepareOutput();
    if (!prepared.ok()) return ExitCodeFor(tool_, prepared);
    PrintBanner();
    for (size_t point = 0; point < job_.points.size(); ++point) {
      const Error error = EvaluateRate(point);
      status_.Clear();
      if (!error.ok()) return ExitCodeFor(tool_, error);
    }
    for (size_t m = 0; m < evaluations_.size(); ++m) {
      for (size_t point = 0; point < job_.points.size(); ++point) {
        Means means = MeansOf(evaluations_[m].measurements, point);
        means.rate = RateName(m, point);
        evaluations_[m].rates.push_back(std::move(means));
      }
    }
    PrintEnd();
    const Error written = WriteJson();
    if (!written.ok()) return ExitCodeFor(tool_, written);
    return failed_.empty() ? kExitOk : kExitSomeFailed;
  }

 private:
  static std::vector<std::string> PictureNames(const Job& job) {
    std::vector<std::string> names;
    for (const PictureFile& file : job.pictures.files) names.push_back(file.name);
    names.push_back("mean of " + Grouped(names.size()));
    return names;
  }

  static std::vector<std::string> ModelLabels(const Job& job) {
    std::vector<std::string> labels;
    for (const TestedModel& model : job.models) labels.push_back(model.label);
    return labels;
  }

  bool compares() const { return evaluations_.size() > 1; }

  // To the report and to the log; `text` ends in a line feed.
  void Print(const std::string& text) {
    status_.Clear();
    std::fputs(text.c_str(), out_);
    std::fflush(out_);
    if (log_) log_->Info(text);
  }

  std::string OutputFolder(const Evaluation& evaluation) const {
    return (fs::path(flags_.out) / evaluation.label).string();
  }

  // "0.0004", or the member of the family, with the lrd of its details where one was chosen.
  std::string RateName(size_t model, size_t point) const {
    const CurvePoint& at = job_.points[point];
    const LoadedModel& member = job_.models[model].members[at.member];
    if (job_.has_families) {
      return member.name + (at.lrd == 0 ? "" : "_lrd" + Shortest(at.lrd));
    }
    return at.lrd == 0 ? "fixed" : Shortest(at.lrd);
  }

  // The stream and the picture at one rate.
  std::string SavedPath(size_t model, size_t index, size_t point, const char* extension) const {
    const std::string& name = job_.pictures.files[index].output;
    const std::string rate = job_.points.size() < 2 ? ""
                             : job_.has_families    ? RateName(model, point)
                                                    : "lrd" + RateName(model, point);
    return (fs::path(OutputFolder(evaluations_[model])) / OutputFileName(name, rate, extension))
        .string();
  }

  // Nothing that is read may be overwritten: --out may lead back to the pictures.
  Error CheckKeepsInputs() const {
    InputFiles inputs;
    for (const Evaluation& evaluation : evaluations_) {
      for (const std::string& path : evaluation.paths) inputs.Add(path);
    }
    for (const PictureFile& file : job_.pictures.files) inputs.Add(file.path);
    if (!flags_.curves.empty()) inputs.Add(flags_.curves);
    Error error = flags_.json.empty() ? Error{} : inputs.Check(flags_.json);
    if (flags_.out.empty()) return error;
    for (size_t model = 0; model < evaluations_.size(); ++model) {
      for (size_t i = 0; i < job_.pictures.files.size(); ++i) {
        for (size_t point = 0; point < job_.points.size(); ++point) {
          for (const char* const extension : {".glint", ".png"}) {
            if (!error.ok()) return error;
            error = inputs.Check(SavedPath(model, i, point, extension));
          }
        }
      }
    }
    return error;
  }

  Error PrepareOutput() {
    const Error kept = CheckKeepsInputs();
    if (!kept.ok() || flags_.out.empty()) return kept;
    for (const Evaluation& evaluation : evaluations_) {
      const std::string folder = OutputFolder(evaluation);
      std::error_code error;
      fs::create_directories(folder, error);
      if (error) return MakeError(ErrorCode::kIo, "--out " + folder + ": " + error.message());
    }
    Expected<std::unique_ptr<LogFile>> log =
        LogFile::Create((fs::path(flags_.out) / "log").string());
    if (!log) return At("--out", log.error());
    log_ = std::move(*log);
    return {};
  }

  void PrintBanner() {
    Print("Glint " + std::string(Version()) + ", " +
          Count(static_cast<size_t>(evaluations_.front().threads), "thread") + ", " +
          CurrentTarget() + ", " + CpuName() + "\n");
    for (const Evaluation& evaluation : evaluations_) {
      const ModelInfo& model = evaluation.model;
      if (job_.has_families) {
        Print(Printable(evaluation.label) + ": " + Count(evaluation.paths.size(), "model") +
              " of one fixed rate each, " + ByteSize(static_cast<double>(evaluation.file_bytes)) +
              "\n");
        continue;
      }
      Print(Printable(evaluation.label) + ": model " + model.name + ", id " + model.id + ", " +
            ByteSize(static_cast<double>(model.file_bytes)) + ", loaded in " +
            Fixed(model.load_seconds, 3) + " s\n");
    }
    Print("Details: " + DetailName(job_.detail) +
          (job_.detail == Detail::kOff && !flags_.detail ? ", so that models compare" : "") + "\n");
    if (flags_.effort > 0) Print("Effort: " + std::to_string(flags_.effort) + "\n");
    Print(Count(job_.pictures.files.size(), "picture") + " from " + job_.source + "\n");
    const std::string left_out = LeftOutText(job_.pictures);
    if (!left_out.empty()) Print(left_out);
    const bool chosen = !flags_.lrd.empty() || !flags_.quality.empty() || job_.has_families;
    if (job_.points.size() > 1 && !chosen) {
      Print("No --lrd: " + Count(job_.points.size(), "rate") +
            " spread over what the models are meant for, " + Shortest(job_.points.front().lrd) +
            " to " + Shortest(job_.points.back().lrd) + "\n");
    }
  }

  // Every picture at one rate, then their means. Only errors that end the run come back.
  Error EvaluateRate(size_t point) {
    Print("\n" + TitleOf(point) + "\n" + table_.Header() + "\n" + table_.Rule() + "\n");
    for (size_t i = 0; i < job_.pictures.files.size(); ++i) {
      if (failed_.count(job_.pictures.files[i].path) != 0) continue;
      const Error error = EvaluatePicture(i, point);
      if (!error.ok()) return error;
    }
    if (failed_.size() == job_.pictures.files.size()) {
      return MakeError(ErrorCode::kBadImage, job_.source + ": no picture could be evaluated");
    }
    Print(table_.Rule() + "\n");
    for (const Evaluation& evaluation : evaluations_) {
      Print(table_.Row(evaluation.label, MeansOf(evaluation.measurements, point)) + "\n");
    }
    return {};
  }

  std::string TitleOf(size_t point) const {
    if (!job_.has_families) {
      return job_.points[point].lrd == 0 ? "fixed rate" : "lrd " + RateName(0, point);
    }
    std::string names;
    for (size_t m = 0; m < job_.models.size(); ++m) {
      names += (m == 0 ? "" : ", ") + Printable(RateName(m, point));
    }
    return names;
  }

  // With each model in turn, so that whatever else the machine does costs all of them alike.
  Error EvaluatePicture(size_t index, size_t point) {
    const PictureFile& file = job_.pictures.files[index];
    const std::string place = "[" + std::to_string(index + 1) + "/" +
                              std::to_string(job_.pictures.files.size()) + "] " +
                              Printable(file.name) + " ";
    MeasureOptions options;
    options.lrd = job_.points[point].lrd;
    options.detail = job_.detail;
    options.effort = flags_.effort;
    options.threads = flags_.threads;
    options.repeat = flags_.repeat;
    options.verify = flags_.verify;
    options.limits = flags_.limits;
    status_.Show(place + "reading");
    const Expected<Picture> picture = Read(file, options);
    if (!picture) return LeaveOut(file, picture.error());
    for (size_t m = 0; m < job_.models.size(); ++m) {
      options.progress = [&](const char* what, double done) {
        status_.ShowProgress(place + (compares() ? evaluations_[m].label + " " : "") + what, done);
        return !Interrupted();
      };
      const LoadedModel& model = job_.models[m].members[job_.points[point].member];
      Expected<Coded> coded = Measure(model.encoder, model.decoder, *picture, options);
      if (!coded) return LeaveOut(file, At(evaluations_[m].label, coded.error()));
      coded->measurement.name = file.name;
      coded->measurement.source = file.path;
      coded->measurement.point = point;
      const Error kept = Keep(index, *coded, m);
      if (!kept.ok()) return kept;
    }
    return {};
  }

  // Warnings about a file come once, whatever the number of rates.
  Expected<Picture> Read(const PictureFile& file, const MeasureOptions& options) {
    std::vector<MeasuringModels> models;
    for (const TestedModel& model : job_.models) {
      for (const LoadedModel& member : model.members) {
        models.push_back({member.encoder, member.decoder});
      }
    }
    std::vector<std::string> warnings;
    Expected<Picture> picture = ReadToMeasure(file.path, models, options, &warnings);
    if (picture && warned_.insert(file.path).second) {
      status_.Clear();
      Warn(tool_, file.path, warnings);
    }
    return picture;
  }

  // A picture of a folder that failed once is left out of everything, so that all rates and models
  // are of the same pictures.
  Error LeaveOut(const PictureFile& file, const Error& error) {
    if (Interrupted()) return MakeError(ErrorCode::kCancelled, "interrupted");
    const Error placed = At(file.path, error);
    if (!job_.pictures.is_folder) return placed;
    const std::string message = MessageOf(placed);
    status_.Clear();
    Complain(tool_, message);
    if (log_) log_->Failed(message);
    failed_.insert(file.path);
    for (Evaluation& evaluation : evaluations_) {
      evaluation.failures.push_back({file.path, message});
      std::erase_if(evaluation.measurements,
                    [&](const Measurement& m) { return m.source == file.path; });
    }
    return {};
  }

  // Takes the measurement, and shows and saves what --freq asks for.
  Error Keep(size_t index, const Coded& coded, size_t model) {
    const Measurement& measurement = coded.measurement;
    evaluations_[model].measurements.push_back(measurement);
    const bool wanted = index % static_cast<size_t>(job_.freq) == 0;
    if (!wanted && measurement.psnr >= kPoorPsnr) return {};
    Print(table_.Row(evaluations_[model].label, measurement) + "\n");
    return flags_.out.empty() ? Error{} : Save(index, coded, model);
  }

  // The stream and what it decodes to.
  Error Save(size_t index, const Coded& coded, size_t model) {
    const size_t point = coded.measurement.point;
    const Error error = WriteOutput(SavedPath(model, index, point, ".glint"), coded.stream.data(),
                                    coded.stream.size());
    if (!error.ok()) return error;
    return WritePictureOutput(SavedPath(model, index, point, ".png"), coded.decoded);
  }

  void PrintEnd() {
    if (compares()) Print("\n" + ComparisonText(CompareWithFirst(evaluations_)));
    if (!job_.curves.empty()) {
      Print("\n" + CurvesText(CompareWithCurves(evaluations_, job_.curves)));
    }
    if (job_.points.size() > 1) {
      for (const Evaluation& evaluation : evaluations_) {
        Print("\nMeans by rate" + (compares() ? ", " + Printable(evaluation.label) : "") + "\n" +
              RateTable(RateTitle(), evaluation.rates));
      }
    }
    PrintDetails();
    PrintStages();
    PrintSaturated();
    const Means& means = evaluations_.front().rates.back();
    if (means.with_ms_ssim < means.pictures) {
      Print("MS-SSIM: the mean is over " + Grouped(means.with_ms_ssim) + " of " +
            Count(means.pictures, "picture") +
            "; the others are too small for 5 scales (a side of 160 pixels or less)\n");
    }
    Print("Peak memory " + ByteSize(PeakRssMib() * 1024 * 1024) + "\n");
    if (!failed_.empty()) Print(Count(failed_.size(), "picture") + " could not be evaluated\n");
    if (log_) {
      std::string folders;
      for (const Evaluation& evaluation : evaluations_) folders += OutputFolder(evaluation) + ", ";
      Print("Pictures and streams in " + folders + "log " + log_->path() + "\n");
    }
  }

  // By rate; of several models by model, as they differ more than the rates.
  std::vector<NamedMeans> NamedRows() const {
    std::vector<NamedMeans> rows;
    if (compares()) {
      for (const Evaluation& e : evaluations_) rows.emplace_back(e.label, MeansOf(e.measurements));
    } else {
      for (const Means& rate : evaluations_.front().rates) {
        rows.emplace_back(rate.rate, rate);
      }
    }
    return rows;
  }
  const char* RowTitle() const { return compares() ? "model" : RateTitle(); }

  void PrintStages() {
    Print("\nSeconds per picture\n" + StageTable(RowTitle(), NamedRows()) + "\n");
  }

  void PrintDetails() {
    if (job_.detail == Detail::kOff) return;
    Print("\nDetails: blocks of 64 x 64 pixels that they had to repair, and what that did\n" +
          DetailTable(RowTitle(), NamedRows()));
  }

  const char* RateTitle() const { return job_.has_families ? "model" : "lrd"; }

  // Only where there is something to be said: a trained model stays within its fixed point.
  void PrintSaturated() {
    for (const Evaluation& evaluation : evaluations_) {
      const uint64_t count = MeansOf(evaluation.measurements).saturated_latents;
      if (count == 0) continue;
      Print(Printable(evaluation.label) + ": " + Grouped(count) +
            " latents were beyond the range of the model's fixed point and were limited to it\n");
    }
  }

  Error WriteJson() {
    if (flags_.json.empty()) return {};
    const std::string text = JsonText(EvaluationsJson(evaluations_, job_.curves));
    return WriteOutput(flags_.json, text.data(), text.size());
  }

  const std::string tool_;
  const EvaluateFlags& flags_;
  Job job_;
  std::FILE* out_;
  PictureTable table_;
  StatusLine status_;
  std::unique_ptr<LogFile> log_;
  std::set<std::string> warned_;         // paths
  std::set<std::string> failed_;         // paths; not tried again at the next rate
  std::vector<Evaluation> evaluations_;  // one for each of the job's models
};

// ---- flags -------------------------------------------------------------------------------------

void AddModelFlags(CLI::App* app, EvaluateFlags* flags) {
  constexpr const char* kGroup = "Models";
  CLI::Option* const type =
      app->add_option("--type", flags->type,
                      "The shipped model of that type (default: FP32, or what --model is)")
          ->check(CLI::IsMember(ShippedTypes(), CLI::ignore_case))
          ->type_name("TYPE")
          ->group(kGroup);
  CLI::Option* const model =
      app->add_option("--model", flags->models,
                      "Model: a file, or the name of one that came with Glint (default: "
                      "$GLINT_MODEL, else light-fp32); several times: compares them with the first")
          ->allow_extra_args(false)
          ->check(NotEmpty())
          ->type_name("FILE")
          ->group(kGroup);
  CLI::Option* const compare =
      app->add_option("--compare", flags->compare,
                      "Types, with commas between: compares the shipped models with the first")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->check(CLI::IsMember(ShippedTypes(), CLI::ignore_case))
          ->type_name("TYPES")
          ->group(kGroup)
          ->excludes(type)
          ->excludes(model);
  app->add_option("--family", flags->families,
                  "Models of one fixed rate each that make one curve, as a pattern in quotes: "
                  "'mbt-mean-*.safetensors'; several times: compares them with the first")
      ->allow_extra_args(false)
      ->type_name("PATTERN")
      ->group(kGroup)
      ->excludes(type)
      ->excludes(model)
      ->excludes(compare);
  app->add_option("--curves", flags->curves,
                  "JSON of other codecs' results, as CompressAI and --json write them: compares "
                  "with each")
      ->check(NotEmpty())
      ->type_name("FILE")
      ->group(kGroup);
}

void AddRunFlags(CLI::App* app, EvaluateFlags* flags) {
  constexpr const char* kPictures = "Pictures and rates";
  constexpr const char* kSpeed = "Speed";
  app->add_option("--gt_path,--gt-path", flags->gt_path,
                  "Picture, or folder of pictures (default: the samples that came with Glint)")
      ->check(NotEmpty())
      ->type_name("PATH")
      ->group(kPictures);
  CLI::Option* const lrd =
      app->add_option("--lrd", flags->lrd,
                      "Rates, with commas between; larger is more bits (default: the model's; when "
                      "comparing models or --curves, 6 over what the models are meant for)")
          ->check(NotEmpty())
          ->type_name("N,N")
          ->group(kPictures);
  app->add_option("--quality", flags->quality,
                  "Rates as qualities, with commas between: 0, the lowest, to 100, the highest")
      ->check(NotEmpty())
      ->type_name("N,N")
      ->group(kPictures)
      ->excludes(lrd);
  AddDetailFlag(app,
                "Details: in blocks that are better for them, in none, or in all (default auto; "
                "off when comparing models, and of families)",
                &flags->detail)
      ->group(kPictures);
  AddEffortFlag(app, "", &flags->effort)->group(kPictures);
  app->add_option("--freq", flags->freq,
                  "Show and save every N-th picture, and any below 15 dB (default: 5 for a folder, "
                  "else 1); means are over all")
      ->check(WholeNumber())
      ->check(CLI::Range(1, 1 << 30))
      ->group(kPictures);
  app->add_option("--threads", flags->threads,
                  "Threads (default 1, so that times compare); 0: all that the machine has")
      ->check(WholeNumber())
      ->check(CLI::Range(0, 1024))
      ->group(kSpeed);
  app->add_option("--target", flags->target,
                  "SIMD target, such as AVX2 (default: $GLINT_TARGET, else the best here)")
      ->type_name("NAME")
      ->group(kSpeed);
  app->add_option("--repeat", flags->repeat,
                  "Code each picture N times and take the median of the times (default 1)")
      ->check(WholeNumber())
      ->check(CLI::Range(1, 10000))
      ->group(kSpeed);
  app->add_flag_callback(
         "--no-verify", [flags] { flags->verify = false; },
         "Do not decode each stream once more, untimed, with other threads and bands, where a "
         "difference makes the picture fail")
      ->group(kSpeed);
  AddByteSizeOption(app, "--max-pixels", &flags->limits.max_pixels,
                    "Fail pictures with more pixels (default 1G; K, M, G: powers of 1024)")
      ->group("Limits");
  AddByteSizeOption(app, "--max-memory", &flags->limits.max_memory,
                    "Fail pictures that need more memory to be measured, in bytes (default 4G)")
      ->group("Limits");
}

void AddFlags(CLI::App* app, EvaluateFlags* flags) {
  constexpr const char* kResults = "Results";
  AddModelFlags(app, flags);
  AddRunFlags(app, flags);
  app->add_option("--out", flags->out,
                  "Reconstructions and streams go to FOLDER/FP32 and so on, the log to FOLDER/log")
      ->check(NotEmpty())
      ->type_name("FOLDER")
      ->group(kResults);
  app->add_option("--json", flags->json,
                  "Results as JSON, in CompressAI's schema (-: standard output)")
      ->check(NotEmpty())
      ->type_name("FILE")
      ->group(kResults);
  const std::string tool = app->get_name();
  SetHelp(app,
          {{"[FLAGS]"},
           "Without flags: the sample pictures, with light-fp32. docs/EVALUATE.md says what each "
           "number means.",
           {tool + " --gt_path Kodak --lrd 0.0001,0.0003,0.0009 --json kodak.json",
            tool + " --type INT8 --gt_path photo.png --out results --repeat 5",
            tool + " --compare FP32,INT8 --gt_path Kodak --json compared.json",
            tool + " --gt_path Kodak --curves bench/codecs.json"},
           {{"Exit code",
             "0; 1 when some pictures of a folder could not be evaluated; 2 when a flag, file or "
             "model is bad."},
            {"Environment",
             "GLINT_MODEL is a model file, or a folder that holds light-fp32.safetensors. "
             "GLINT_TARGET is a SIMD target."}}});
}

int Main(int argc, char** argv) {
  const std::string tool = ProgramName(argv[0]);
  CLI::App app("Compresses pictures with a Glint model and reports quality, size and time", tool);
  EvaluateFlags flags;
  app.set_version_flag("--version", tool + " (Glint) " + Version());
  AddFlags(&app, &flags);
  return RunTool(app, argc, argv, [&] {
    Expected<Job> job = PrepareJob(flags);
    if (!job) return ExitCodeFor(tool, job.error());
    return Run(tool, flags, std::move(*job)).Main();
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
