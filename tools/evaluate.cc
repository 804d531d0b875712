// evaluate: what a model makes of pictures. Encodes to bytes, decodes those bytes with a model
// loaded separately, and reports quality, size, time and memory. A command-line tool over the
// public interface. Thread rules: one main thread; the library makes the workers that --threads
// asks for.
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
#include "tools/console.h"
#include "tools/evaluation.h"
#include "tools/evaluation_output.h"
#include "tools/json_output.h"
#include "tools/log_file.h"
#include "tools/machine.h"
#include "tools/models.h"
#include "tools/pictures.h"
#include "tools/table.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTool = "evaluate";
constexpr int kSeedFreq = 5;
constexpr double kPoorPsnr = 15;  // such pictures are shown and saved whatever --freq says

struct Flags {
  std::string type, gt_path, lrd, model, target, out, json;
  int freq = 0;
  int threads = 1;
  int repeat = 1;
};

// Everything that was checked before the first picture is touched.
struct Job {
  std::string type;  // "FP32"
  Model encoder, decoder;
  std::vector<double> lrds;
  PictureList pictures;
  std::string source;  // of the pictures, for the report
  int freq = 1;
};

// ---- from flags to a job -----------------------------------------------------------------------

// The model file for --type and --model, in this order: --model; --type, among the shipped ones;
// the default.
Expected<std::string> ModelPath(const Flags& flags) {
  if (!flags.model.empty()) return flags.model;
  if (flags.type.empty()) return FindModel("");
  return FindShippedModel("light-" + Lower(flags.type) + ".safetensors");
}

// "FP32" of a model of form "fp32"; --type must agree with it.
Expected<std::string> TypeOf(const Flags& flags, const std::string& path, const ModelInfo& model) {
  const std::string form = Upper(model.form);
  if (flags.type.empty()) return form;
  if (form.rfind(Upper(flags.type), 0) == 0) return Upper(flags.type);
  return MakeError(ErrorCode::kInvalidArgument,
                   path + ": this model is " + form + ", --type says " + Upper(flags.type));
}

Expected<std::vector<double>> Rates(const Flags& flags, const ModelInfo& model) {
  if (flags.lrd.empty()) return std::vector<double>{model.lrd_default};
  std::optional<std::vector<double>> rates = ParseNumbers(flags.lrd);
  if (!rates) {
    return MakeError(ErrorCode::kInvalidArgument,
                     "--lrd " + flags.lrd + ": not a number, nor numbers with commas between");
  }
  std::set<double> seen;
  for (const double lrd : *rates) {
    const Error valid = CheckLrd(model, lrd);
    if (!valid.ok()) return valid;
    if (!seen.insert(lrd).second) {
      return MakeError(ErrorCode::kInvalidArgument,
                       "--lrd " + flags.lrd + ": " + Shortest(lrd) + " is there twice");
    }
  }
  return std::move(*rates);
}

// A JSON file that could not be written at the end would have cost the whole run.
Error CheckJsonPath(const std::string& path) {
  if (path.empty() || path == "-") return {};
  std::error_code error;
  const fs::path folder = fs::absolute(path, error).parent_path();
  if (fs::is_directory(path, error)) {
    return MakeError(ErrorCode::kInvalidArgument, "--json " + path + ": is a folder");
  }
  if (!fs::is_directory(folder, error)) {
    return MakeError(ErrorCode::kNotFound,
                     "--json " + path + ": there is no folder " + folder.string());
  }
  return {};
}

// --freq, else the seed's 5 for a folder; every picture of the samples and of a single file.
int Freq(const Flags& flags, const PictureList& pictures) {
  if (flags.freq > 0) return flags.freq;
  return pictures.is_folder && !flags.gt_path.empty() ? kSeedFreq : 1;
}

Expected<Job> Prepare(const Flags& flags) {
  Error error = CheckJsonPath(flags.json);
  if (error.ok()) error = UseTarget(flags.target);
  if (!error.ok()) return error;
  const Expected<std::string> pictures_path =
      flags.gt_path.empty() ? FindSamples() : Expected<std::string>(flags.gt_path);
  if (!pictures_path) return pictures_path.error();
  const Expected<PictureList> pictures = ListPictures(*pictures_path);
  if (!pictures) return pictures.error();
  if (!pictures->is_folder) {  // nothing is printed or written for a picture that cannot be read
    const Expected<Picture> picture = ReadPicture(*pictures_path);
    if (!picture) return At(*pictures_path, picture.error());
  }
  const Expected<std::string> model_path = ModelPath(flags);
  if (!model_path) return model_path.error();
  Expected<Model> encoder = LoadModel(*model_path);
  if (!encoder) return encoder.error();
  Expected<Model> decoder = LoadModel(*model_path);
  if (!decoder) return decoder.error();
  const Expected<std::string> type = TypeOf(flags, *model_path, encoder->info());
  if (!type) return type.error();
  const Expected<std::vector<double>> rates = Rates(flags, encoder->info());
  if (!rates) return rates.error();
  return Job{*type,     std::move(*encoder), std::move(*decoder),   *rates,
             *pictures, *pictures_path,      Freq(flags, *pictures)};
}

// ---- the run -----------------------------------------------------------------------------------

class Run {
 public:
  Run(const Flags& flags, Job job)
      : flags_(flags),
        job_(std::move(job)),
        out_(flags.json == "-" ? stderr : stdout),
        table_(PictureTable(Names())) {
    evaluation_.type = job_.type;
    evaluation_.threads = flags.threads > 0 ? flags.threads : HardwareThreads();
    evaluation_.model = job_.encoder.info();
  }

  int Main() {
    const Error prepared = PrepareOutput();
    if (!prepared.ok()) return ExitCodeFor(kTool, prepared);
    PrintBanner();
    for (const double lrd : job_.lrds) {
      const Error error = EvaluateRate(lrd);
      status_.Clear();
      if (!error.ok()) return ExitCodeFor(kTool, error);
    }
    PrintEnd();
    const Error written = WriteJson();
    if (!written.ok()) return ExitCodeFor(kTool, written);
    return evaluation_.failures.empty() ? kExitOk : kExitSomeFailed;
  }

 private:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const PictureFile& file : job_.pictures.files) names.push_back(file.name);
    names.push_back("mean of " + Grouped(names.size()));
    return names;
  }

  // To the report and to the log; `text` ends in a line feed.
  void Print(const std::string& text) {
    status_.Clear();
    std::fputs(text.c_str(), out_);
    std::fflush(out_);
    if (log_) log_->Info(text);
  }

  Error PrepareOutput() {
    if (flags_.out.empty()) return {};
    std::error_code error;
    picture_folder_ = (fs::path(flags_.out) / job_.type).string();
    fs::create_directories(picture_folder_, error);
    if (error) {
      return MakeError(ErrorCode::kIo, "--out " + picture_folder_ + ": " + error.message());
    }
    Expected<std::unique_ptr<LogFile>> log =
        LogFile::Create((fs::path(flags_.out) / "log").string());
    if (!log) return At("--out", log.error());
    log_ = std::move(*log);
    return {};
  }

  void PrintBanner() {
    const ModelInfo& model = evaluation_.model;
    Print("Glint " + std::string(Version()) + ": model " + model.name + ", " + job_.type + ", id " +
          model.id + ", " + ByteSize(static_cast<double>(model.file_bytes)) + ", loaded in " +
          Fixed(model.load_seconds, 3) + " s\n" + Count(job_.pictures.files.size(), "picture") +
          " from " + job_.source + "\n" +
          Count(static_cast<size_t>(evaluation_.threads), "thread") + ", " + CurrentTarget() +
          ", " + CpuName() + "\n");
    if (job_.pictures.skipped > 0) {
      Print(Count(job_.pictures.skipped, "other file") +
            " of the folder left out (not PNG, PPM, PGM or PAM by name)\n");
    }
  }

  // Every picture at one rate, then their means. Only errors that end the run come back.
  Error EvaluateRate(double lrd) {
    Print("\nlrd " + Shortest(lrd) + "\n" + table_.Header() + "\n" + table_.Rule() + "\n");
    std::vector<Measurement> measurements;
    for (size_t i = 0; i < job_.pictures.files.size(); ++i) {
      const PictureFile& file = job_.pictures.files[i];
      if (failed_.count(file.path) != 0) continue;
      const Expected<Coded> coded = EvaluatePicture(file, i, lrd);
      if (Interrupted()) return MakeError(ErrorCode::kCancelled, "interrupted");
      if (!coded) {
        if (!job_.pictures.is_folder) return coded.error();
        Fail(file, coded.error());
        continue;
      }
      measurements.push_back(coded->measurement);
      const bool wanted = i % static_cast<size_t>(job_.freq) == 0;
      if (!wanted && coded->measurement.psnr >= kPoorPsnr) continue;
      Print(table_.Row(PictureRow(coded->measurement)) + "\n");
      const Error saved = Save(file, lrd, *coded);
      if (!saved.ok()) return saved;
    }
    if (measurements.empty()) {
      return MakeError(ErrorCode::kBadImage, job_.source + ": no picture could be evaluated");
    }
    const Means means = MeansOf(measurements, lrd);
    Print(table_.Rule() + "\n" + table_.Row(MeansRow(means)) + "\n");
    evaluation_.rates.push_back(means);
    evaluation_.measurements.insert(evaluation_.measurements.end(), measurements.begin(),
                                    measurements.end());
    return {};
  }

  Expected<Coded> EvaluatePicture(const PictureFile& file, size_t index, double lrd) {
    const std::string place = "[" + std::to_string(index + 1) + "/" +
                              std::to_string(job_.pictures.files.size()) + "] " +
                              Printable(file.name) + " ";
    status_.Show(place + "reading");
    const Expected<Picture> picture = ReadPicture(file.path);
    if (!picture) return At(file.path, picture.error());
    MeasureOptions options;
    options.lrd = lrd;
    options.threads = flags_.threads;
    options.repeat = flags_.repeat;
    options.progress = [&](const char* what, double done) {
      status_.ShowProgress(place + what, done);
      return !Interrupted();
    };
    Expected<Coded> coded = Measure(job_.encoder, job_.decoder, *picture, options);
    if (!coded) return At(file.path, coded.error());
    coded->measurement.name = file.name;
    coded->measurement.source = file.path;
    return coded;
  }

  void Fail(const PictureFile& file, const Error& error) {
    status_.Clear();
    Complain(kTool, error.message);
    if (log_) log_->Failed(error.message);
    failed_.insert(file.path);
    evaluation_.failures.push_back({file.path, error.message});
  }

  // The stream and what it decodes to, under --out.
  Error Save(const PictureFile& file, double lrd, const Coded& coded) {
    if (picture_folder_.empty()) return {};
    const auto path = [&](const char* extension) {
      const fs::path folder = picture_folder_;
      return (folder / OutputFileName(file.output, lrd, job_.lrds.size(), extension)).string();
    };
    Error error =
        At(path(".glint"), WriteFile(path(".glint"), coded.stream.data(), coded.stream.size()));
    if (error.ok()) error = At(path(".png"), WritePicture(path(".png"), coded.decoded));
    return error;
  }

  void PrintEnd() {
    const std::vector<Means>& rates = evaluation_.rates;
    if (rates.size() > 1) Print("\nMeans by rate\n" + RateTable(rates));
    Print("\nSeconds per picture\n" + StageTable(rates) + "\n");
    const Means& last = rates.back();
    if (last.with_ms_ssim < last.pictures) {
      Print("MS-SSIM: the mean is over " + Grouped(last.with_ms_ssim) + " of " +
            Count(last.pictures, "picture") +
            "; the others are too small for 5 scales (a side of 160 pixels or less)\n");
    }
    Print("Model " + ByteSize(static_cast<double>(evaluation_.model.file_bytes)) + ", loaded in " +
          Fixed(evaluation_.model.load_seconds, 3) + " s; peak memory " +
          ByteSize(PeakRssMib() * 1024 * 1024) + "\n");
    if (!evaluation_.failures.empty()) {
      Print(Count(evaluation_.failures.size(), "picture") + " could not be evaluated\n");
    }
    if (log_) Print("Pictures and streams in " + picture_folder_ + ", log " + log_->path() + "\n");
  }

  Error WriteJson() {
    if (flags_.json.empty()) return {};
    const std::string text = JsonText(EvaluationJson(evaluation_));
    return At(OutputName(flags_.json), WriteFile(flags_.json, text.data(), text.size()));
  }

  const Flags& flags_;
  Job job_;
  std::FILE* out_;
  Table table_;
  StatusLine status_;
  std::unique_ptr<LogFile> log_;
  std::string picture_folder_;
  std::set<std::string> failed_;  // paths; not tried again at the next rate
  Evaluation evaluation_;
};

// ---- flags -------------------------------------------------------------------------------------

void AddFlags(CLI::App* app, Flags* flags) {
  app->add_option("--type", flags->type,
                  "FP32, FP16 or INT8: the shipped model of that form (default: FP32, or what "
                  "--model is)")
      ->check(CLI::IsMember({"FP32", "FP16", "INT8"}, CLI::ignore_case));
  app->add_option("--gt_path,--gt-path", flags->gt_path,
                  "Picture, or folder of pictures (default: the samples that came with Glint)");
  app->add_option("--lrd", flags->lrd,
                  "Rates, with commas between; larger is more bits (default: the model's)");
  app->add_option("--freq", flags->freq,
                  "Show and save every N-th picture, and any below 15 dB (default: 5 for a folder, "
                  "else 1); means are over all")
      ->check(CLI::Range(1, 1 << 30));
  app->add_option("--model", flags->model,
                  "Model file (default: $GLINT_MODEL, else the one that came with Glint)");
  app->add_option("--threads", flags->threads,
                  "Threads (default 1, so that times compare); 0: all that the machine has")
      ->check(CLI::Range(0, 1024));
  app->add_option("--target", flags->target,
                  "SIMD target, such as AVX2 (default: $GLINT_TARGET, else the best here)");
  app->add_option("--repeat", flags->repeat,
                  "Code each picture N times and take the median of the times (default 1)")
      ->check(CLI::Range(1, 10000));
  app->add_option("--out", flags->out,
                  "Folder for reconstructions and streams (DIR/FP32) and the log (DIR/log)");
  app->add_option("--json", flags->json,
                  "Results as JSON, in CompressAI's schema (-: standard output)");
  app->footer(
      "Examples:\n"
      "  evaluate\n"
      "  evaluate --gt_path Kodak --lrd 0.0001,0.0003,0.0009 --json kodak.json\n"
      "  evaluate --type FP32 --gt_path photo.png --out results --repeat 5\n"
      "Exit code: 0; 1 when some pictures of a folder could not be evaluated; 2 when a flag, file "
      "or\n"
      "model is bad. docs/EVALUATE.md says what each number means.");
}

int Main(int argc, char** argv) {
  CLI::App app("Compresses pictures with a Glint model and reports quality, size and time", kTool);
  Flags flags;
  app.set_version_flag("--version", std::string("evaluate (Glint) ") + Version());
  AddFlags(&app, &flags);
  return RunTool(kTool, app, argc, argv, [&flags] {
    CatchInterrupts();
    Expected<Job> job = Prepare(flags);
    if (!job) return ExitCodeFor(kTool, job.error());
    return Run(flags, std::move(*job)).Main();
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
