// quantize: makes a model of integers or float16 out of a model in FP32. A command-line tool over
// the public interface.
// Thread rules: one main thread; the library makes the workers that --threads asks for.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "glint/quantise.hpp"
#include "tools/common/console.h"
#include "tools/common/messages.h"
#include "tools/common/models.h"
#include "tools/common/output.h"
#include "tools/common/pace.h"
#include "tools/common/pictures.h"
#include "tools/common/signals.h"
#include "tools/common/table.h"
#include "tools/common/text.h"
#include "tools/evaluation/measurement.h"
#include "tools/program/flag_checks.h"
#include "tools/program/flag_texts.h"
#include "tools/program/program.h"
#include "tools/quantising/picture_set.h"
#include "tools/quantising/quantise_status.h"
#include "tools/quantising/shrunk_graphs.h"

namespace glint::tools {
namespace {

struct Flags {
  std::string type = "INT8", model, out, calibration, calibration_lrd, held_out, log;
  std::string activations = "8", scope = "all", method = "max", rounding = "gptq";
  std::string smoothing = "auto", splitting = "auto", scheme = "glint", metric = "mse", target;
  std::vector<std::string> keep;
  std::optional<double> lrd;
  double percentile = 99.99;
  double max_loss = 0;
  bool no_bias_correction = false;
  bool no_built_in = false;
  bool tune = false;
  int threads = 0;
  Limits limits;
};

// ---- from flags to a job -----------------------------------------------------------------------

struct Job {
  Model model;
  QuantiseOptions options;
  std::string calibration_source, held_out_source;
  std::vector<Picture> calibration, held_out;
  std::vector<std::string> calibration_names;
  double held_out_lrd = 0;
  std::string little;  // a warning that the calibration is too little
};

Error Invalid(const std::string& what) { return MakeError(ErrorCode::kInvalidArgument, what); }

Expected<LayerPrecision> ParsePrecision(const std::string& flag, const std::string& text) {
  const std::pair<const char*, LayerPrecision> known[] = {{"fp32", LayerPrecision::kFp32},
                                                          {"fp16", LayerPrecision::kFp16},
                                                          {"int16", LayerPrecision::kW16A16},
                                                          {"w8a16", LayerPrecision::kW8A16},
                                                          {"int8", LayerPrecision::kW8A8}};
  for (const auto& [name, precision] : known) {
    if (Lower(text) == name) return precision;
  }
  return Invalid("--keep " + flag + ": " + text + " is none of fp32, fp16, int16, w8a16, int8");
}

Error ParseKeep(const Flags& flags, QuantiseOptions* options) {
  for (const std::string& item : flags.keep) {
    const size_t sign = item.find('=');
    if (sign == std::string::npos || sign == 0) {
      return Invalid("--keep " + item + ": not LAYER=PRECISION");
    }
    const auto precision = ParsePrecision(item, item.substr(sign + 1));
    if (!precision) return precision.error();
    options->keep.emplace_back(item.substr(0, sign), *precision);
  }
  return {};
}

Expected<std::vector<double>> ParseCalibrationLrds(const std::string& text) {
  const auto lrds = ParseNumbers(text);
  if (lrds) return *lrds;
  return Invalid("--calibration-lrd " + text + ": not a number, nor numbers with commas between");
}

Expected<QuantiseOptions> ParseOptions(const Flags& flags) {
  QuantiseOptions options;
  const std::string type = Upper(flags.type);
  options.type = type == "INT8"    ? QuantisedType::kInt8
                 : type == "INT16" ? QuantisedType::kInt16
                                   : QuantisedType::kFp16;
  options.scope = flags.scope == "all"       ? QuantisationScope::kAll
                  : flags.scope == "entropy" ? QuantisationScope::kEntropy
                                             : QuantisationScope::kTransforms;
  const std::string activations = Lower(flags.activations);
  options.activation_bits = activations == "8" ? 8 : 16;
  options.dynamic_ranges = activations == "16-dynamic";
  options.ranges = flags.method == "max"   ? RangeMethod::kMax
                   : flags.method == "mse" ? RangeMethod::kMse
                                           : RangeMethod::kPercentile;
  options.percentile = flags.percentile;
  options.rounding = flags.rounding == "gptq" ? WeightRounding::kGptq : WeightRounding::kNearest;
  options.correct_bias = !flags.no_bias_correction;
  const std::tuple<const char*, std::string, double*> shares[] = {
      {"--smoothing ", flags.smoothing, &options.smoothing},
      {"--splitting ", flags.splitting, &options.splitting}};
  for (const auto& [flag, text, value] : shares) {
    if (text == "auto") continue;
    const auto number = ParseNumbers(text);
    if (!number || number->size() != 1 || (*number)[0] < 0 || (*number)[0] > 1) {
      return Invalid(flag + text + ": neither auto nor a number in 0..1");
    }
    *value = (*number)[0];
  }
  options.built_in = !flags.no_built_in;
  options.tune = flags.tune;
  options.max_loss = flags.max_loss;
  options.metric =
      Lower(flags.metric) == "ms-ssim" ? LossMetric::kMsSsim : LossMetric::kSquaredError;
  options.seed_scheme = flags.scheme == "seed";
  options.threads = flags.threads;
  if (!flags.calibration_lrd.empty()) {
    const Expected<std::vector<double>> lrds = ParseCalibrationLrds(flags.calibration_lrd);
    if (!lrds) return lrds.error();
    options.lrds = *lrds;
  }
  const Error kept = ParseKeep(flags, &options);
  if (!kept.ok()) return kept;
  return options;
}

// What the quantiser will hold besides pictures and what coding them takes.
Expected<uint64_t> PlanFor(const std::string& calibration, const Model& model,
                           const QuantiseOptions& options, const Limits& limits) {
  const Expected<PictureList> list = ListPictures(calibration);
  if (!list) return list.error();
  std::vector<PictureInfo> infos;
  for (const PictureFile& file : list->files) {
    const auto reader = PictureReader::Open(file.path, limits);
    if (reader) infos.push_back((*reader)->info());  // else found again when it is read
  }
  return PlanQuantisation(model, infos, options);
}

// What does not depend on the model.
Error CheckOutputs(const Flags& flags) {
  if (IsStandardOutput(flags.out) || flags.out == flags.log)
    return Invalid("--out: has to be a file of its own");
  Error error = CheckOutputPath("--out", flags.out);
  if (error.ok() && !flags.log.empty()) error = CheckOutputPath("--log", flags.log);
  return error.ok() ? UseTarget(flags.target) : error;
}

// Flags that --type KEEP does not look at.
Error CheckKeepFlags(const CLI::App& app) {
  for (const char* flag :
       {"--activations", "--scope", "--keep", "--max-loss", "--metric", "--held-out", "--lrd",
        "--method", "--percentile", "--rounding", "--no-bias-correction", "--smoothing",
        "--splitting", "--tune", "--scheme"}) {
    if (app.count(flag) > 0) {
      return Invalid(std::string(flag) + ": nothing is quantised with --type KEEP");
    }
  }
  return {};
}

// --type KEEP.
Error KeepModel(const std::string& tool, const Flags& flags) {
  const Error checked = CheckOutputs(flags);
  if (!checked.ok()) return checked;
  ShrunkGraphsJob job{flags.model, flags.calibration, flags.out, flags.log, {}, flags.limits};
  if (!flags.calibration_lrd.empty()) {
    const Expected<std::vector<double>> lrds = ParseCalibrationLrds(flags.calibration_lrd);
    if (!lrds) return lrds.error();
    job.options.lrds = *lrds;
  }
  job.options.built_in = !flags.no_built_in;
  job.options.threads = flags.threads;
  return RunShrunkGraphs(tool, job);
}

Expected<Job> Prepare(const std::string& tool, const Flags& flags) {
  Error error = CheckOutputs(flags);
  if (!error.ok()) return error;
  Expected<QuantiseOptions> options = ParseOptions(flags);
  if (!options) return options.error();
  const Expected<std::string> path = FindModel(flags.model);
  if (!path) return path.error();
  Expected<Model> model = LoadModel(*path, flags.threads);
  if (!model) return model.error();
  for (const double lrd : options->lrds) {
    error = CheckLrd(model->info(), lrd, Detail::kOff);
    if (!error.ok()) return At("--calibration-lrd", error);
  }
  InputFiles inputs;
  inputs.Add(*path);
  const Expected<std::string> samples = FindSamples();
  const auto source = [&](const std::string& flag) {
    return flag.empty() ? samples : Expected<std::string>(flag);
  };
  const Expected<std::string> calibration_source = source(flags.calibration);
  if (!calibration_source) return calibration_source.error();
  const Expected<std::string> held_out_source = source(flags.held_out);
  if (!held_out_source) return held_out_source.error();
  Limits room = flags.limits;
  const Expected<uint64_t> planned = PlanFor(*calibration_source, *model, *options, flags.limits);
  if (!planned) return planned.error();
  room.held_memory = *planned;
  error = CheckPictureSets({*calibration_source, *held_out_source}, *model, room);
  if (!error.ok()) return At("model and pictures", error);
  Expected<PictureSet> calibration = ReadPictureSet(
      tool, *calibration_source, flags.limits,
      options->metric == LossMetric::kMsSsim ? PictureUse::kMsSsim : PictureUse::kAny);
  if (!calibration) return calibration.error();
  const std::string little = TooLittleToLearn(*calibration);
  Limits rest = flags.limits;
  rest.held_memory += calibration->bytes;
  Expected<PictureSet> held_out = ReadPictureSet(tool, *held_out_source, rest);
  if (!held_out) return held_out.error();
  for (const PictureSet* set : {&*calibration, &*held_out}) {
    for (const std::string& picture : set->paths) inputs.Add(picture);
  }
  for (const std::string& out : {flags.out, flags.log}) {
    error = inputs.Check(out);
    if (!error.ok()) return error;
  }
  options->max_memory = flags.limits.max_memory - held_out->bytes;
  const double lrd = flags.lrd.value_or(model->info().lrd_default);
  if (flags.lrd) error = CheckLrd(model->info(), lrd, Detail::kOff);
  if (!error.ok()) return error;
  return Job{std::move(*model),
             std::move(*options),
             *calibration_source,
             *held_out_source,
             std::move(calibration->pictures),
             std::move(held_out->pictures),
             std::move(calibration->paths),
             lrd,
             little};
}

// ---- the run -----------------------------------------------------------------------------------

class Run {
 public:
  Run(std::string tool, const Flags& flags, Job job)
      : tool_(std::move(tool)), flags_(flags), job_(std::move(job)) {}

  int Main() {
    // Not before the library has looked at model and options.
    job_.options.progress = [this](const QuantiseProgress& progress) {
      if (report_.empty()) PrintBanner();
      progress_.Show(progress);
      return !Interrupted();
    };
    const Expected<QuantisedModel> quantised = Quantise(job_.model, job_.calibration, job_.options);
    status_.Clear();
    if (!quantised) return ExitCodeFor(tool_, quantised.error());
    PrintLayers(*quantised);
    PrintLosses(*quantised);
    const Error checked = CheckWorst(*quantised);
    if (!checked.ok()) return ExitCodeFor(tool_, checked);
    const Error compared = Compare(*quantised);
    status_.Clear();
    if (!compared.ok()) return ExitCodeFor(tool_, compared);
    Error written = WriteOutput(flags_.out, quantised->file.data(), quantised->file.size());
    if (!written.ok()) return ExitCodeFor(tool_, written);
    PrintEnd(*quantised);
    if (!flags_.log.empty()) {
      written = WriteOutput(flags_.log, report_.data(), report_.size());
      if (!written.ok()) return ExitCodeFor(tool_, written);
    }
    return kExitOk;
  }

 private:
  void Print(const std::string& text) {
    status_.Clear();
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    report_ += text;
  }

  void PrintBanner() {
    const ModelInfo& model = job_.model.info();
    std::string how = "Glint " + std::string(Version()) + ": " + model.name + ", id " + model.id +
                      ", to " + Upper(flags_.type) + "\n";
    if (job_.options.type != QuantisedType::kFp16) {
      how += "Scheme " + flags_.scheme + ", scope " + flags_.scope;
      if (!job_.options.seed_scheme) {
        how += ", ranges " + (job_.options.dynamic_ranges ? "dynamic" : "by " + flags_.method) +
               ", rounding " + flags_.rounding + ", smoothing " + flags_.smoothing +
               ", splitting " + flags_.splitting +
               (job_.options.correct_bias ? ", bias corrected" : "") +
               (job_.options.tune ? ", tuned" : "") +
               (flags_.max_loss > 0 ? ", loss below " + Shortest(flags_.max_loss) + " %" : "");
      }
      how += "\n";
    }
    Print(how + "Calibration: " + Count(job_.calibration.size(), "picture") + " from " +
          job_.calibration_source + "\n");
    if (!job_.little.empty()) Warn(tool_, "calibration", {job_.little});
  }

  void PrintLayers(const QuantisedModel& quantised) {
    const bool mixed = job_.options.max_loss > 0;
    std::vector<Table::Cells> rows;
    for (const QuantisedLayer& layer : quantised.layers) {
      const bool integer = layer.precision >= LayerPrecision::kW16A16;
      const auto shown = [&](double value, int decimals) {
        return integer ? Fixed(value, decimals) : std::string("-");
      };
      Table::Cells row = {layer.name,
                          NameOf(layer.precision),
                          Fixed(layer.macs_per_pixel, 0),
                          shown(layer.weight_snr, 1),
                          shown(layer.activation_snr, 1),
                          shown(layer.input_low, 3),
                          shown(layer.input_high, 3)};
      if (mixed) row.push_back(layer.loss == 0 ? "-" : Fixed(layer.loss, 3));
      rows.push_back(row);
    }
    std::vector<Table::Column> columns = {{"layer", Table::Align::kLeft},
                                          {"form", Table::Align::kLeft},
                                          {"MAC/px"},
                                          {"weights dB"},
                                          {"input dB"},
                                          {"low"},
                                          {"high"}};
    if (mixed) columns.push_back({"8 bits alone %"});
    Print("\n" + FormatTable(std::move(columns), rows));
    if (!quantised.shrunk.empty()) Print(ShrunkGraphsText(quantised.shrunk));
    Print("\nMultiply-adds of the transforms, by their width: " +
          Fixed(1.0 / quantised.relative_cost, 2) + " times as fast as in FP32\n");
  }

  // "flat 0,255,0 at lrd 5.03e-05"
  std::string PictureName(const PictureLoss& loss, bool built_in) const {
    char rate[32] = "";
    if (loss.lrd > 0) std::snprintf(rate, sizeof(rate), " at lrd %.3g", loss.lrd);
    if (built_in) return built_in_[loss.picture].name + rate;
    return Printable(
               std::filesystem::path(job_.calibration_names[loss.picture]).filename().string()) +
           rate;
  }

  void PrintLosses(const QuantisedModel& quantised) {
    std::vector<Table::Cells> rows;
    const auto add = [&](const char* set, const SetLoss& loss, bool built_in) {
      rows.push_back({set, Fixed(loss.loss, 2), Fixed(loss.worst.decibels, 2),
                      PictureName(loss.worst, built_in), Fixed(loss.worst_colour.colour, 1),
                      PictureName(loss.worst_colour, built_in),
                      built_in ? Fixed(loss.worst_growth.growth, 1) : "-",
                      built_in ? PictureName(loss.worst_growth, built_in) : ""});
    };
    add("calibration", quantised.calibration, false);
    if (job_.options.built_in) add("built in", quantised.built_in, true);
    Print(
        "\nAgainst FP32: bits at equal " +
        std::string(job_.options.metric == LossMetric::kMsSsim ? "MS-SSIM (built in: quality)"
                                                               : "quality") +
        ", the most that a picture loses, levels that the mean of a channel is off, and bits more "
        "above 8 bytes\n" +
        FormatTable({{"pictures", Table::Align::kLeft},
                     {"loss %"},
                     {"dB"},
                     {"of", Table::Align::kLeft},
                     {"levels"},
                     {"of", Table::Align::kLeft},
                     {"bits %"},
                     {"of", Table::Align::kLeft}},
                    rows));
  }

  // Empty, or what loses more than fewer bits should cost.
  std::string Faults(const QuantisedModel& quantised) const {
    std::string faults;
    const auto add = [&](const SetLoss& loss, bool built_in) {
      const auto name = [&](const PictureLoss& of) {
        return (faults.empty() ? "" : "; ") + PictureName(of, built_in);
      };
      if (loss.worst.decibels > kMostDecibels) {
        faults += name(loss.worst) + " loses " + Fixed(loss.worst.decibels, 2) + " dB";
      }
      if (loss.worst_colour.colour > kMostColour) {
        faults += name(loss.worst_colour) + " is " + Fixed(loss.worst_colour.colour, 1) +
                  " levels off in colour";
      }
    };
    add(quantised.calibration, false);
    if (job_.options.built_in) add(quantised.built_in, true);
    return faults;
  }

  // Before anything is written: with --max-loss a fault is an error, else a warning.
  Error CheckWorst(const QuantisedModel& quantised) {
    const std::string faults = Faults(quantised);
    if (faults.empty()) return {};
    const std::string limits = " (" + Fixed(kMostDecibels, 0) + " dB and " + Fixed(kMostColour, 0) +
                               " levels are the most that fewer bits cost)";
    if (flags_.max_loss > 0) return Invalid("against FP32, " + faults + limits);
    Warn(tool_, flags_.out, {"against FP32, " + faults + limits});
    return {};
  }

  Expected<Means> MeasureAll(const Model& model, const char* what) {
    std::vector<Measurement> measurements;
    MeasureOptions options;
    options.detail = Detail::kOff;  // of the model alone
    options.lrd = job_.held_out_lrd;
    options.threads = flags_.threads;
    const double all = static_cast<double>(job_.held_out.size());
    const Pace pace("picture");
    for (size_t i = 0; i < job_.held_out.size(); ++i) {
      options.progress = [&](const char*, double) {
        const double done = static_cast<double>(i);
        status_.ShowProgress(what, done / all, pace.Text(done, all, done));
        return !Interrupted();
      };
      const Expected<Coded> coded = Measure(model, model, job_.held_out[i], options);
      if (!coded) return coded.error();
      measurements.push_back(coded->measurement);
    }
    return MeansOf(measurements);
  }

  Error Compare(const QuantisedModel& quantised) {
    const Expected<Model> model =
        Model::FromMemory(quantised.file.data(), quantised.file.size(), flags_.out);
    if (!model) return model.error();
    const Expected<Means> before = MeasureAll(job_.model, "before");
    if (!before) return before.error();
    const Expected<Means> after = MeasureAll(*model, "after");
    if (!after) return after.error();
    std::vector<Table::Cells> rows;
    const std::pair<std::string, const Means*> both[] = {{Upper(job_.model.info().form), &*before},
                                                         {Upper(model->info().form), &*after}};
    for (const auto& [form, means] : both) {
      rows.push_back({form, Fixed(means->psnr, 3),
                      means->ms_ssim ? Fixed(*means->ms_ssim, 5) : std::string("-"),
                      Fixed(means->bpp, 4)});
    }
    const bool same = job_.held_out_source == job_.calibration_source;
    Print("\n" + Count(job_.held_out.size(), "picture") + " of " + job_.held_out_source +
          (same ? " (those of the calibration)" : "") +
          (job_.held_out_lrd > 0 ? " at lrd " + Shortest(job_.held_out_lrd) : "") + "\n" +
          FormatTable({{"form", Table::Align::kLeft}, {"PSNR dB"}, {"MS-SSIM"}, {"bpp"}}, rows));
    return {};
  }

  void PrintEnd(const QuantisedModel& quantised) {
    const double before = static_cast<double>(job_.model.info().file_bytes);
    const double after = static_cast<double>(quantised.file.size());
    Print("\n" + flags_.out + ": " + ByteSize(after) + ", " + Fixed(after / before, 2) +
          " of the " + ByteSize(before) + " of " + Upper(job_.model.info().form) + "\n");
  }

  const std::string tool_;
  const Flags& flags_;
  Job job_;
  StatusLine status_;
  QuantiseStatus progress_{&status_, flags_.max_loss};
  std::string report_;
  const std::vector<NamedPicture> built_in_ = BuiltInPictures();
};

// ---- flags -------------------------------------------------------------------------------------

// A flag whose value is one of several.
CLI::Option* AddChoice(CLI::App* app, const char* name, std::string* value,
                       std::vector<std::string> values, const char* help) {
  return app->add_option(name, *value, help)
      ->check(CLI::IsMember(std::move(values), CLI::ignore_case))
      ->capture_default_str();
}

void AddFileFlags(CLI::App* app, Flags* flags) {
  constexpr const char* kGroup = "Files";
  app->add_option(
         "--model", flags->model,
         "Model in FP32, with --type KEEP of any precision: a file, or the name of one that came "
         "with Glint (default: light-fp32)")
      ->check(NotEmpty())
      ->type_name("FILE")
      ->group(kGroup);
  app->add_option("--out", flags->out, "Model file to write")
      ->required()
      ->type_name("FILE")
      ->group(kGroup);
  app->add_option("--log", flags->log, "File for the report")
      ->check(NotEmpty())
      ->type_name("FILE")
      ->group(kGroup);
}

void AddCalibrationFlags(CLI::App* app, Flags* flags) {
  constexpr const char* kGroup = "Pictures and rates";
  app->add_option("--calibration", flags->calibration,
                  "Picture or folder of pictures to learn ranges from (default: the samples that "
                  "came with Glint)")
      ->check(NotEmpty())
      ->type_name("PATH")
      ->group(kGroup);
  app->add_flag("--no-built-in", flags->no_built_in,
                "Leave out the built-in pictures (flat colours, gradients, edges, text, ...), "
                "which are calibrated on besides")
      ->group(kGroup);
  app->add_option("--calibration-lrd", flags->calibration_lrd,
                  "Rates to calibrate at, with commas between (default: five over the model's)")
      ->check(NotEmpty())
      ->type_name("N,N")
      ->group(kGroup);
  app->add_option("--held-out", flags->held_out,
                  "Picture or folder to compare before and after on (default: the samples)")
      ->check(NotEmpty())
      ->type_name("PATH")
      ->group(kGroup);
  app->add_option("--lrd", flags->lrd, "Rate of that comparison (default: the model's)")
      ->check(NotEmpty())
      ->check(Number())
      ->type_name("N")
      ->group(kGroup);
}

void AddPrecisionFlags(CLI::App* app, Flags* flags) {
  constexpr const char* kGroup = "What becomes of it";
  AddChoice(app, "--type", &flags->type, {"INT8", "INT16", "FP16", "KEEP"},
            "What to make. KEEP: the model stays what it is, whatever its precision, and gets "
            "graphs for shrunk pictures (glint decode --shrink); models that have some keep them "
            "with the other types too")
      ->group(kGroup);
  AddChoice(app, "--activations", &flags->activations, {"8", "16", "16-dynamic"},
            "INT8: bits of activations; 16 leaves 8 bits to the weights alone, 16-dynamic takes "
            "the ranges of g_a and g_s from each picture, which is then whole in memory")
      ->group(kGroup);
  AddChoice(app, "--scope", &flags->scope, {"all", "entropy", "transforms"},
            "Everything, the networks of the entropy model, or analysis and synthesis")
      ->group(kGroup);
  app->add_option("--keep", flags->keep,
                  "Precisions of layers, whatever else is asked for: "
                  "LAYER=fp32|fp16|int16|w8a16|int8, with commas between")
      ->delimiter(',')
      ->type_name("LIST")
      ->group(kGroup);
  app->add_option("--max-loss", flags->max_loss,
                  "INT8: percent of bits at equal quality that may be lost on the calibration "
                  "pictures; chooses the cheapest mix of 8 and 16 bits")
      ->check(Number())
      ->check(CLI::Range(1e-6, 100.0))
      ->group(kGroup);
  AddChoice(app, "--metric", &flags->metric, {"mse", "ms-ssim"},
            "What counts as an error where loss is measured: squared error, or 1 - MS-SSIM (for "
            "models tuned for it; takes pictures of 161 x 161 and more)")
      ->group(kGroup);
}

void AddMethodFlags(CLI::App* app, Flags* flags) {
  constexpr const char* kGroup = "Method";
  AddChoice(app, "--method", &flags->method, {"max", "mse", "percentile"},
            "Ranges of 8-bit activations")
      ->group(kGroup);
  app->add_option("--percentile", flags->percentile, "For --method percentile")
      ->check(Number())
      ->check(CLI::Range(50.0, 100.0))
      ->capture_default_str()
      ->group(kGroup);
  AddChoice(app, "--rounding", &flags->rounding, {"nearest", "gptq"}, "Of 8-bit weights")
      ->group(kGroup);
  app->add_flag("--no-bias-correction", flags->no_bias_correction,
                "Leave what 8-bit weights add on average")
      ->group(kGroup);
  app->add_option("--smoothing", flags->smoothing,
                  "Channel factors moved into the next weights: auto, or the exponent of a "
                  "channel's range, 0 (none) to 1")
      ->capture_default_str()
      ->type_name("N")
      ->group(kGroup);
  app->add_option("--splitting", flags->splitting,
                  "Second digits of 8-bit channels, as a share of a layer's inputs, 0 to 1; they "
                  "cost as many products. auto: 0.125, in a mix what pays")
      ->capture_default_str()
      ->type_name("N")
      ->group(kGroup);
  app->add_flag("--tune", flags->tune,
                "Vary each 8-bit range by what it does to R + lambda D on the calibration pictures")
      ->group(kGroup);
  AddChoice(app, "--scheme", &flags->scheme, {"glint", "seed"},
            "seed: 8-bit weights between least and greatest, activations Q8.8")
      ->group(kGroup);
}

void AddFlags(CLI::App* app, Flags* flags) {
  AddFileFlags(app, flags);
  AddPrecisionFlags(app, flags);
  AddCalibrationFlags(app, flags);
  AddMethodFlags(app, flags);
  app->add_option("--threads", flags->threads, "Threads (default: all that the machine has)")
      ->check(WholeNumber())
      ->check(CLI::Range(0, 1024))
      ->group("Speed");
  app->add_option("--target", flags->target,
                  "SIMD target, such as AVX2 (default: $GLINT_TARGET, else the best here)")
      ->type_name("NAME")
      ->group("Speed");
  AddByteSizeOption(app, "--max-pixels", &flags->limits.max_pixels,
                    "Leave out pictures with more pixels (default 1G; K, M, G: powers of 1024)")
      ->group("Limits");
  AddByteSizeOption(app, "--max-memory", &flags->limits.max_memory,
                    "Refuse a model and pictures that take more memory together, in bytes (default "
                    "4G)")
      ->group("Limits");
  const std::string tool = app->get_name();
  SetHelp(
      app,
      {{"[FLAGS] --out FILE"},
       "The model learns its ranges from pictures, and graphs for shrunk pictures are fitted to "
       "them. docs/QUANTISATION.md says what each method does.",
       {tool + " --type INT8 --calibration photos --max-loss 1 --out int8.safetensors",
        tool + " --type INT16 --out int16.safetensors",
        tool + " --type INT8 --scope entropy --out entropy.safetensors",
        tool + " --type KEEP --model mine.safetensors --out shrinking.safetensors"},
       {{"Exit code", "0; 2 when a flag, file or model is bad."},
        {"Environment",
         "GLINT_MODEL is a model file, or a folder that holds light-fp32.safetensors. "
         "GLINT_TARGET is a SIMD target."}}});
}

int Main(int argc, char** argv) {
  const std::string tool = ProgramName(argv[0]);
  CLI::App app("Makes a model of integers or float16 out of one in FP32", tool);
  Flags flags;
  app.set_version_flag("--version", tool + " (Glint) " + Version());
  AddFlags(&app, &flags);
  return RunTool(app, argc, argv, [&] {
    if (Upper(flags.type) == "KEEP") {
      const Error unused = CheckKeepFlags(app);
      const Error kept = unused.ok() ? KeepModel(tool, flags) : unused;
      return kept.ok() ? static_cast<int>(kExitOk) : ExitCodeFor(tool, kept);
    }
    Expected<Job> job = Prepare(tool, flags);
    if (!job) return ExitCodeFor(tool, job.error());
    return Run(tool, flags, std::move(*job)).Main();
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
