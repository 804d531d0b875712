// evaluate: what a model makes of pictures, or how several compare. Encodes to bytes, decodes those
// bytes with a model loaded separately, and reports quality, size, time and memory. A command-line
// tool over the public interface.
// Thread rules: one main thread; the library makes the workers that --threads asks for.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/console.h"
#include "tools/detail_flags.h"
#include "tools/effort_flag.h"
#include "tools/evaluation.h"
#include "tools/evaluation_job.h"
#include "tools/evaluation_journal.h"
#include "tools/evaluation_merge.h"
#include "tools/evaluation_page.h"
#include "tools/evaluation_progress.h"
#include "tools/evaluation_report.h"
#include "tools/evaluation_run.h"
#include "tools/flag_checks.h"
#include "tools/flag_texts.h"
#include "tools/layers.h"
#include "tools/log_file.h"
#include "tools/messages.h"
#include "tools/output.h"
#include "tools/pictures.h"
#include "tools/program.h"
#include "tools/signals.h"
#include "tools/text.h"

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
    if (!error.ok()) return ExitCodeFor(tool_, error);
    if (journal_) journal_->Remove();
    return exit_code;
  }

 private:
  std::string OutputFolder(size_t model) const {
    return (fs::path(flags_.out) / run_.models[model].label).string();
  }

  // The stream and the picture at one rate.
  std::string SavedPath(size_t model, size_t picture, size_t point, const char* extension) const {
    const std::string& name = job_.pictures.files[picture].output;
    const std::string rate = job_.points.size() < 2 ? ""
                             : job_.has_families    ? RateName(run_, model, point)
                                                    : "lrd" + RateName(run_, model, point);
    return (fs::path(OutputFolder(model)) / OutputFileName(name, rate, extension)).string();
  }

  // Nothing that is read may be overwritten: --out may lead back to the pictures.
  Error CheckKeepsInputs() const {
    InputFiles inputs;
    std::map<fs::path, std::string> results;
    for (const std::string* path : {&flags_.json, &flags_.html}) {
      if (!path->empty()) results.emplace(PlaceOf(*path), *path);
    }
    for (const RunModel& model : run_.models) {
      for (const RunModel::Member& member : model.members) inputs.Add(member.path);
    }
    for (const PictureFile& file : job_.pictures.files) inputs.Add(file.path);
    if (!flags_.curves.empty()) inputs.Add(flags_.curves);
    Error error = tools::CheckKeepsInputs(inputs, flags_);
    if (error.ok() && flags_.resume) error = inputs.Check(JournalPath(flags_.json));
    if (flags_.out.empty()) return error;
    for (size_t model = 0; model < run_.models.size(); ++model) {
      for (size_t i = 0; i < job_.pictures.files.size(); ++i) {
        for (size_t point = 0; point < job_.points.size(); ++point) {
          for (const char* const extension : kSavedExtensions) {
            if (!error.ok()) return error;
            const std::string saved = SavedPath(model, i, point, extension);
            error = inputs.Check(saved);
            const auto result = results.find(PlaceOf(saved));
            if (result == results.end()) continue;
            return MakeError(ErrorCode::kInvalidArgument,
                             result->second + ": is a file of --out as well");
          }
        }
      }
    }
    return error;
  }

  Error PrepareOutput() {
    const Error kept = CheckKeepsInputs();
    if (!kept.ok() || flags_.out.empty()) return kept;
    std::string folders;
    for (size_t model = 0; model < run_.models.size(); ++model) {
      const std::string folder = OutputFolder(model);
      std::error_code error;
      fs::create_directories(folder, error);
      if (error) return MakeError(ErrorCode::kIo, "--out " + folder + ": " + error.message());
      folders += folder + ", ";
    }
    Expected<std::unique_ptr<LogFile>> log =
        LogFile::Create((fs::path(flags_.out) / "log").string());
    if (!log) return At("--out", log.error());
    log_ = std::move(*log);
    report_.LogTo(log_.get(), "Pictures and streams in " + folders + "log " + log_->path() + "\n");
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
    const size_t done = journal_->done().size();
    if (done > 0) Complain(tool_, path + ": goes on after " + Count(done, "measurement"));
    return {};
  }

  Expected<Step> FindOrMeasure(size_t picture, size_t point) {
    if (journal_) {
      const auto done = journal_->done().find({picture, point});
      if (done != journal_->done().end() && HasOutputs(done->second)) {
        progress_.Skip(picture);
        if (!done->second.failure && !measured_) measured_ = picture;
        return done->second;
      }
    }
    progress_.Begin(picture);
    Expected<Step> step = MeasurePicture(picture, point);
    if (step) progress_.End(picture, point, step->failure.has_value());
    if (step && step->failure && measured_ == picture) measured_.reset();
    if (step && !step->failure && !measured_) measured_ = picture;
    if (step && page_) step->failure ? page_->Remove(picture) : page_->EndStep(picture);
    if (!step || !journal_) return step;
    const Error written = journal_->Append(*step);
    return written.ok() ? step : written;
  }

  // Whether all is there that would be saved of it. What the page shows has to be made again.
  bool HasOutputs(const Step& step) const {
    if (flags_.out.empty() && !page_) return true;
    for (size_t model = 0; model < step.measurements.size(); ++model) {
      if (!report_.Shows(step.measurements[model])) continue;
      if (page_) return false;
      for (const char* const extension : kSavedExtensions) {
        std::error_code ignored;
        if (!fs::exists(SavedPath(model, step.picture, step.point, extension), ignored)) {
          return false;
        }
      }
    }
    return true;
  }

  // With each model in turn, so that whatever else the machine does costs all of them alike.
  Expected<Step> MeasurePicture(size_t index, size_t point) {
    const PictureFile& file = job_.pictures.files[index];
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
    for (size_t m = 0; m < job_.models.size(); ++m) {
      options.progress = [&](const char* what, double done) {
        progress_.Show(m, what, done);
        return !Interrupted();
      };
      const LoadedModel& model = job_.models[m].members[job_.points[point].member];
      Expected<Coded> coded = Measure(model.encoder, model.decoder, *picture, options);
      if (!coded) return LeaveOut(At(run_.models[m].label, coded.error()), std::move(step));
      progress_.Measured(coded->measurement);
      coded->measurement.name = file.name;
      coded->measurement.source = file.path;
      coded->measurement.picture = index;
      coded->measurement.point = point;
      // What is shown of a picture at a rate is shown of all models: the first one decides.
      if (m == 0) on_page_ = page_ && report_.Shows(coded->measurement) && page_->MayShow(index);
      Error saved = on_page_ ? AddToPage(*picture, *coded, m, options) : Error{};
      if (saved.ok()) saved = Save(*coded, m);
      if (!saved.ok())
        return Interrupted() ? MakeError(ErrorCode::kCancelled, "interrupted") : saved;
      step.measurements.push_back(std::move(coded->measurement));
    }
    return step;
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
                  const MeasureOptions& options) {
    const size_t member = job_.points[coded.measurement.point].member;
    const Model& encoder = job_.models[model].members[member].encoder;
    const Expected<BitsMap> bits = MapBits(encoder, original, coded, options);
    return bits ? page_->Add(original, coded, *bits, model) : bits.error();
  }

  // The stream and what it decodes to, where --freq asks for them.
  Error Save(const Coded& coded, size_t model) {
    const Measurement& m = coded.measurement;
    if (flags_.out.empty() || !report_.Shows(m)) return {};
    const Error error = WriteOutput(SavedPath(model, m.picture, m.point, ".glint"),
                                    coded.stream.data(), coded.stream.size());
    if (!error.ok()) return error;
    return WritePictureOutput(SavedPath(model, m.picture, m.point, ".png"), coded.decoded);
  }

  // With the layers of each model, which are measured for it.
  Error WritePage() {
    if (!page_) return {};
    const Error error = AddLayers();
    return error.ok() ? report_.WritePage(*page_, flags_.html) : error;
  }

  // Of the corner of a picture that was measured; there are none where that is gone.
  Error AddLayers() {
    constexpr uint32_t kWidth = 768, kHeight = 512;
    constexpr int kCodings = 3;
    if (!measured_) return {};
    const PictureFile* const first = &job_.pictures.files[*measured_];
    const Expected<Picture> whole = ReadPicture(first->path, flags_.limits);
    if (!whole) return {};
    const Picture picture = PartOf(AsSeen(*whole), {0, 0, std::min(kWidth, whole->info.width),
                                                    std::min(kHeight, whole->info.height)});
    const Peaks peaks(run_.machine.threads);
    EncodeOptions options;
    options.threads = flags_.threads;
    options.lrd = job_.points.front().lrd;
    options.detail = job_.detail;
    options.progress = [](double) { return !Interrupted(); };
    for (size_t m = 0; m < job_.models.size(); ++m) {
      report_.status().ShowProgress(
          "measuring layers", static_cast<double>(m) / static_cast<double>(job_.models.size()));
      const LoadedModel& member = job_.models[m].members[job_.points.front().member];
      const Expected<CodingLayers> layers =
          ProfileLayers(member.encoder, picture, options, kCodings);
      if (!layers) return At(member.path, layers.error());
      page_->AddLayers(run_.models[m].label + " encode", LinesOf(layers->encoding, peaks));
      page_->AddLayers(run_.models[m].label + " decode", LinesOf(layers->decoding, peaks));
    }
    page_->SetLayersNote("Of " + std::to_string(picture.info.width) + " x " +
                         std::to_string(picture.info.height) + " pixels of " + first->name +
                         ", each layer the fastest of " + std::to_string(kCodings) +
                         " codings. Peaks of this machine with " +
                         Count(static_cast<size_t>(run_.machine.threads), "thread") +
                         ", measured just before: FP32 " + Fixed(peaks.fp32, 1) + ", int16 " +
                         Fixed(peaks.i16, 1) + ", int8 " + Fixed(peaks.u8, 1) + " GMAC/s.");
    report_.status().Clear();
    return {};
  }

  static constexpr const char* kSavedExtensions[] = {".glint", ".png"};

  const std::string tool_;
  const EvaluateFlags& flags_;
  const Job job_;
  const EvaluationRun run_;
  EvaluationReport report_;
  EvaluationProgress progress_{run_, &report_.status()};
  std::unique_ptr<LogFile> log_;
  std::unique_ptr<EvaluationJournal> journal_;
  std::optional<EvaluationPage> page_;
  bool on_page_ = false;            // the picture that is being measured, at its rate
  std::optional<size_t> measured_;  // a picture
  std::map<size_t, std::pair<uint32_t, uint32_t>> sizes_;  // of pictures, when they were read first
  std::set<std::string> warned_;                           // paths
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

// After all others: --merge goes with few of them.
void AddMachineFlags(CLI::App* app, EvaluateFlags* flags) {
  constexpr const char* kGroup = "Long runs and several machines";
  CLI::Option* const json = app->get_option("--json");
  app->add_flag("--resume", flags->resume,
                "Keep a journal beside --json, FILE.journal, until that is written, and go on with "
                "what it has of a run that was ended")
      ->group(kGroup)
      ->needs(json);
  AddShardFlag(app, "A part of the pictures", &flags->shard)->group(kGroup)->needs(json);
  CLI::Option* const merge =
      app->add_option("--merge", flags->merge,
                      "Results of all shards, as --json wrote them: reports what one run would")
          ->check(NotEmpty())
          ->type_name("FILE...")
          ->group(kGroup);
  for (CLI::Option* option : app->get_options()) {
    const std::string name = option->get_name();
    if (option == merge || option == json || name == "--html" || name == "--html-size" ||
        name == "--curves" || name == "--help") {
      continue;
    }
    merge->excludes(option);
  }
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
  CLI::Option* const html =
      app->add_option("--html", flags->html,
                      "Results as a page for a browser, in one file: curves, tables, layers, and "
                      "the pictures that are shown, under a slider")
          ->check(NotEmpty())
          ->type_name("FILE")
          ->group(kResults);
  AddByteSizeOption(app, "--html-size", &flags->html_size,
                    "The pictures of the page take so much at most; of those with less error only "
                    "parts are shown, or nothing (default 19M)")
      ->group(kResults)
      ->needs(html);
  AddMachineFlags(app, flags);
  const std::string tool = app->get_name();
  SetHelp(app,
          {{"[FLAGS]"},
           "Without flags: the sample pictures, with light-fp32. docs/EVALUATE.md says what each "
           "number means.",
           {tool + " --gt_path Kodak --lrd 0.0001,0.0003,0.0009 --json kodak.json",
            tool + " --type INT8 --gt_path photo.png --out results --repeat 5",
            tool + " --compare FP32,INT8 --gt_path Kodak --json compared.json",
            tool + " --gt_path Kodak --curves bench/codecs.json --html kodak.html",
            tool + " --gt_path photos --shard 1/4 --json 1.json",
            tool + " --merge 1.json 2.json 3.json 4.json --json all.json"},
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
  flags.command = CommandLineText(tool, argc, argv);
  return RunTool(app, argc, argv, [&] {
    if (!flags.merge.empty()) return MergeShards(tool, flags);
    Expected<Job> job = PrepareJob(flags);
    if (!job) return ExitCodeFor(tool, job.error());
    return Run(tool, flags, std::move(*job)).Main();
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
