// bench_stages: the stages of the codec and whole encode and decode of one picture: MP/s, GOPS (two
// operations a multiply-add), percent of the peak of the layers' own precisions measured in the
// same run, and, of several models whose rounds alternate, the speed against FP32. Then the same
// with details: what they take beside the model.
// `--layers` prints tables per layer instead. Run by people and scripts; Google Benchmark's own
// flags work as well.
// Thread rules: one main thread; the library makes the workers that --threads asks for.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/synthetic_picture.h"
#include "benchmark/benchmark.h"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/common/console.h"
#include "tools/common/machine.h"
#include "tools/common/models.h"
#include "tools/common/table.h"
#include "tools/common/text.h"
#include "tools/evaluation/layers.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

constexpr const char* kTool = "bench_stages";

struct Flags {
  std::vector<std::string> models, types;
  std::string target, picture, size = "768x512";
  int threads = 1;
  int rounds = 5;
  double lrd = 0;
  bool layers = false;
};

std::string NameOfPicture(const Flags& flags) {
  return flags.picture.empty() ? flags.size : flags.picture;
}

// ---- what is measured --------------------------------------------------------------------------

enum class Stage { kAnalysis, kHyper, kContext, kEntropy, kSynthesis, kDetail, kWhole };
enum class Direction { kEncode, kDecode };
enum class Parts { kModel, kAll };  // without details, and with them (Detail::kAuto)

struct Case {
  const char* name;
  Stage stage;
  Direction direction;
  Parts parts = Parts::kModel;
};

constexpr Case kCases[] = {
    {"encode/analysis", Stage::kAnalysis, Direction::kEncode},
    {"encode/hyper", Stage::kHyper, Direction::kEncode},
    {"encode/context", Stage::kContext, Direction::kEncode},
    {"encode/entropy", Stage::kEntropy, Direction::kEncode},
    {"encode/whole", Stage::kWhole, Direction::kEncode},
    {"decode/hyper", Stage::kHyper, Direction::kDecode},
    {"decode/context", Stage::kContext, Direction::kDecode},
    {"decode/entropy", Stage::kEntropy, Direction::kDecode},
    {"decode/synthesis", Stage::kSynthesis, Direction::kDecode},
    {"decode/whole", Stage::kWhole, Direction::kDecode},
    {"encode/detail", Stage::kDetail, Direction::kEncode, Parts::kAll},
    {"encode/whole_with_detail", Stage::kWhole, Direction::kEncode, Parts::kAll},
    {"decode/detail", Stage::kDetail, Direction::kDecode, Parts::kAll},
    {"decode/whole_with_detail", Stage::kWhole, Direction::kDecode, Parts::kAll},
};

double SecondsOf(Stage stage, const StageTimes& times) {
  switch (stage) {
    case Stage::kAnalysis:
      return times.analysis;
    case Stage::kHyper:
      return times.hyper;
    case Stage::kContext:
      return times.context;
    case Stage::kEntropy:
      return times.entropy;
    case Stage::kSynthesis:
      return times.synthesis;
    case Stage::kDetail:
      return times.detail;
    case Stage::kWhole:
      return times.total;
  }
  return 0;
}

// The stage that a graph of the model belongs to; all graphs of coding steps are context.
Stage StageOfGraph(const std::string& graph) {
  if (graph == "g_a") return Stage::kAnalysis;
  if (graph == "g_s") return Stage::kSynthesis;
  if (graph == "h_a" || graph == "h_s") return Stage::kHyper;
  return Stage::kContext;
}

Arithmetic ArithmeticOf(Stage stage, const Report& report, const Peaks& peaks) {
  Arithmetic sum;
  for (const LayerProfile& layer : report.layers) {
    if (stage == Stage::kWhole || StageOfGraph(layer.stage) == stage) sum.Add(layer, peaks);
  }
  return sum;
}

double Least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

// Codings of one picture with one model.
class Codings {
 public:
  Codings(const Model* model, const Picture* picture, const Flags& flags, Parts parts)
      : model_(*model), picture_(*picture) {
    const ModelInfo& info = model->info();
    encode_.detail = parts == Parts::kAll ? Detail::kAuto : Detail::kOff;
    // Without details the model has no rate above its own.
    encode_.lrd = parts == Parts::kAll ? flags.lrd : std::min(flags.lrd, info.lrd_max);
    encode_.threads = decode_.threads = flags.threads;
  }

  // One coding in either direction.
  Error Run(bool profile, Report* encode, Report* decode) {
    encode_.profile = decode_.profile = profile;
    Expected<std::vector<uint8_t>> stream = Encode(model_, picture_, encode_, encode);
    if (!stream) return stream.error();
    stream_ = std::move(*stream);
    return Decode(model_, stream_.data(), stream_.size(), decode_, decode).error();
  }

  // The same, for Seconds.
  Error Time() {
    Report decode;
    const Error error = Run(false, &report_, &decode);
    encodes_.push_back(report_.times);
    decodes_.push_back(decode.times);
    return error;
  }
  // Of a stage each Time.
  std::vector<double> Seconds(const Case& which) const {
    std::vector<double> seconds;
    for (const StageTimes& times : which.direction == Direction::kEncode ? encodes_ : decodes_) {
      seconds.push_back(SecondsOf(which.stage, times));
    }
    return seconds;
  }

  const std::vector<uint8_t>& stream() const { return stream_; }
  const Report& report() const { return report_; }  // of the last encoding

 private:
  const Model& model_;
  const Picture& picture_;
  EncodeOptions encode_;
  DecodeOptions decode_;
  std::vector<uint8_t> stream_;
  Report report_;
  std::vector<StageTimes> encodes_, decodes_;
};

// One model, one picture, their codings, and what these cost in multiply-adds.
class Bench {
 public:
  Bench(Model model, const Picture& picture, const Flags& flags)
      : model_(std::move(model)),
        picture_(picture),
        type_(Upper(model_.info().form)),
        without_(&model_, &picture_, flags, Parts::kModel),
        with_(&model_, &picture_, flags, Parts::kAll) {}

  // Codes once with the profiler on, which also warms caches and finds errors before anything is
  // timed.
  Error Profile() { return without_.Run(true, &encode_profile_, &decode_profile_); }

  // One coding in either direction, for Seconds, without details and with them.
  Error Run() {
    const Error error = without_.Time();
    return error.ok() ? with_.Time() : error;
  }
  std::vector<double> Seconds(const Case& which) const {
    return codings(which.parts).Seconds(which);
  }

  const Codings& codings(Parts parts) const { return parts == Parts::kAll ? with_ : without_; }
  const Report& profile(Direction direction) const {
    return direction == Direction::kEncode ? encode_profile_ : decode_profile_;
  }
  const Model& model() const { return model_; }
  double pixels() const { return static_cast<double>(picture_.info.width) * picture_.info.height; }
  const std::string& type() const { return type_; }  // "FP32"

 private:
  const Model model_;
  const Picture& picture_;
  const std::string type_;
  Codings without_, with_;
  Report encode_profile_, decode_profile_;
};

// The models that are compared, and what the machine can do.
struct Comparison {
  std::vector<std::unique_ptr<Bench>> benches;
  Peaks peaks;
  int threads = 1;

  // FP32 when it is compared with others, else nullptr.
  const Bench* Baseline() const {
    if (benches.size() < 2) return nullptr;
    for (const auto& bench : benches) {
      if (bench->type() == "FP32") return bench.get();
    }
    return nullptr;
  }
};

// ---- Google Benchmark --------------------------------------------------------------------------

// What details cost beside the model: bits, and time against synthesis or coding without them.
void TellDetails(benchmark::State& state, const Case& which, const Bench& bench, double least) {
  const DetailReport& detail = bench.codings(Parts::kAll).report().detail;
  if (which.stage == Stage::kWhole) {
    Case without = which;
    without.parts = Parts::kModel;
    state.counters["x_without"] = least / Least(bench.Seconds(without));
    return;
  }
  const Case synthesis = {"", Stage::kSynthesis, which.direction, Parts::kAll};
  state.counters["detail_bpp"] = 8 * static_cast<double>(detail.bytes) / bench.pixels();
  state.counters["x_synthesis"] = least / Least(bench.Seconds(synthesis));
}

// Tells what was measured before: a stage is timed where it happens, inside whole codings, by the
// clock that the library reports, and the codings of all models alternate.
void TellCase(benchmark::State& state, const Case& which, const Comparison& all,
              const Bench& bench) {
  const std::vector<double> seconds = bench.Seconds(which);
  size_t round = 0;
  for (auto _ : state) state.SetIterationTime(seconds[round++ % seconds.size()]);
  const double least = Least(seconds);
  if (least <= 0) return;  // shorter than the clock can tell: no rates
  state.counters["MP/s"] = 1e-6 * bench.pixels() / least;
  const Bench* baseline = all.Baseline();
  if (baseline != nullptr) state.counters["x_FP32"] = Least(baseline->Seconds(which)) / least;
  if (which.parts == Parts::kAll) return TellDetails(state, which, bench, least);
  if (which.stage == Stage::kEntropy) {
    const auto symbols = static_cast<double>(bench.codings(Parts::kModel).report().symbols);
    state.counters["Msym/s"] = 1e-6 * symbols / least;
    return;
  }
  const Arithmetic sum = ArithmeticOf(which.stage, bench.profile(which.direction), all.peaks);
  state.counters["GOPS"] = 2e-9 * sum.macs / least;
  state.counters["peak_percent"] = 100 * sum.seconds_at_peak / least;
}

int RunBenchmarks(const Flags& flags, const Comparison& all) {
  for (int round = 0; round < flags.rounds; ++round) {
    for (const auto& bench : all.benches) {
      const Error error = bench->Run();
      if (!error.ok()) return ExitCodeFor(kTool, error);
    }
  }
  benchmark::AddCustomContext("cpu", CpuName());
  benchmark::AddCustomContext("target", CurrentTarget());
  benchmark::AddCustomContext("threads", std::to_string(all.threads));
  for (const auto& bench : all.benches) {
    const ModelInfo& model = bench->model().info();
    benchmark::AddCustomContext("model_" + bench->type(),
                                model.name + " " + model.form + " " + model.id);
    benchmark::AddCustomContext("stream_bytes_" + bench->type(),
                                std::to_string(bench->codings(Parts::kModel).stream().size()));
    benchmark::AddCustomContext("stream_bytes_with_detail_" + bench->type(),
                                std::to_string(bench->codings(Parts::kAll).stream().size()));
  }
  benchmark::AddCustomContext("picture", NameOfPicture(flags));
  benchmark::AddCustomContext("peak_fp32_gops", Fixed(2 * all.peaks.fp32, 1));
  benchmark::AddCustomContext("peak_int16_gops", Fixed(2 * all.peaks.i16, 1));
  benchmark::AddCustomContext("peak_int8_gops", Fixed(2 * all.peaks.u8, 1));
  for (const Case& which : kCases) {
    for (const auto& bench : all.benches) {
      const std::string name = std::string(which.name) + "/" + bench->type();
      benchmark::RegisterBenchmark(
          name.c_str(),
          [&which, &all, &bench](benchmark::State& state) { TellCase(state, which, all, *bench); })
          ->UseManualTime()
          ->Iterations(flags.rounds)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return kExitOk;
}

// ---- --layers ----------------------------------------------------------------------------------

// The fastest of several runs for each layer, what it costs when nothing disturbs it, by model.
Error BestLayers(const Comparison& all, Direction direction, int rounds,
                 std::vector<Layers>* best) {
  for (const auto& bench : all.benches) best->push_back(bench->profile(direction).layers);
  for (int i = 1; i < rounds; ++i) {
    for (size_t b = 0; b < all.benches.size(); ++b) {
      const Error error = all.benches[b]->Profile();
      if (!error.ok()) return error;
      KeepFaster(all.benches[b]->profile(direction).layers, &(*best)[b]);
    }
  }
  return {};
}

// `baseline`: the same layers in FP32, or nothing.
std::string LayerTable(const std::vector<LayerLine>& lines,
                       const std::vector<LayerLine>& baseline) {
  std::vector<Table::Cells> rows;
  for (const LayerLine& line : lines) {
    const double gmacs = line.seconds > 0 ? 1e-9 * line.arithmetic.macs / line.seconds : 0;
    const double part = line.seconds > 0 ? line.arithmetic.seconds_at_peak / line.seconds : 0;
    const auto same = std::find_if(baseline.begin(), baseline.end(), [&](const LayerLine& other) {
      return other.stage == line.stage && other.name == line.name;
    });
    const bool has_ratio = same != baseline.end() && line.seconds > 0;
    rows.push_back({line.stage, Printable(line.name, 40), line.kernel,
                    Fixed(1e-6 * line.arithmetic.macs, 2), Fixed(1e3 * line.seconds, 3),
                    Fixed(gmacs, 1), Fixed(100 * part, 1),
                    has_ratio ? Fixed(same->seconds / line.seconds, 2) : ""});
  }
  return FormatTable({{"stage", Table::Align::kLeft},
                      {"layer", Table::Align::kLeft},
                      {"kernel", Table::Align::kLeft},
                      {"MMAC"},
                      {"ms"},
                      {"GMAC/s"},
                      {"peak %"},
                      {"x FP32"}},
                     rows);
}

int PrintLayers(const Flags& flags, const Comparison& all) {
  std::printf("%s, %s, %s, %s; peaks: FP32 %s, int16 %s, int8 %s GMAC/s\n",
              NameOfPicture(flags).c_str(), CurrentTarget().c_str(),
              Count(static_cast<size_t>(all.threads), "thread").c_str(), CpuName().c_str(),
              Fixed(all.peaks.fp32, 1).c_str(), Fixed(all.peaks.i16, 1).c_str(),
              Fixed(all.peaks.u8, 1).c_str());
  for (const Direction direction : {Direction::kEncode, Direction::kDecode}) {
    std::vector<Layers> layers;
    const Error error = BestLayers(all, direction, flags.rounds, &layers);
    if (!error.ok()) return ExitCodeFor(kTool, error);
    std::vector<LayerLine> baseline;
    for (size_t b = 0; b < all.benches.size(); ++b) {
      if (all.benches[b].get() == all.Baseline()) baseline = LinesOf(layers[b], all.peaks);
    }
    for (size_t b = 0; b < all.benches.size(); ++b) {
      std::printf("\n%s %s\n%s", all.benches[b]->type().c_str(),
                  direction == Direction::kEncode ? "encode" : "decode",
                  LayerTable(LinesOf(layers[b], all.peaks), baseline).c_str());
    }
  }
  return kExitOk;
}

// ---- flags -------------------------------------------------------------------------------------

void AddFlags(CLI::App* app, Flags* flags) {
  CLI::Option* models = app->add_option(
      "--model", flags->models,
      "Model files, with commas (default: $GLINT_MODEL, else the one that came with Glint)");
  models->delimiter(',');
  app->add_option("--type", flags->types,
                  "FP32, FP16, INT16, INT8 or several with commas: the models of these forms that "
                  "came with Glint, compared")
      ->delimiter(',')
      ->excludes(models);
  app->add_option("--target", flags->target, "SIMD target (default: the best here)");
  app->add_option("--threads", flags->threads, "Threads (default 1); 0: all")
      ->check(CLI::Range(0, 1024));
  CLI::Option* const size =
      app->add_option("--size", flags->size, "Size of a picture that is made (default 768x512)");
  app->add_option("--picture", flags->picture, "A picture file instead")->excludes(size);
  app->add_option("--lrd", flags->lrd, "Rate (default: the model's)");
  app->add_option("--rounds", flags->rounds, "Whole codings with each model (default 5)")
      ->check(CLI::Range(1, 100000));
  app->add_flag("--layers", flags->layers, "A table per layer instead of the benchmarks");
  app->footer(
      "Google Benchmark's flags work too: --benchmark_format=json, --benchmark_filter=decode, ...\n"
      "A stage is timed inside whole codings, by the library's own clock; rates are those of the\n"
      "fastest. The codings of several models alternate, and so do those without and with "
      "details.\n"
      "x_synthesis: the time of details by that of synthesis in the same codings; x_without: the\n"
      "time with details by that without.");
}

Error FindModels(const Flags& flags, std::vector<std::string>* paths) {
  *paths = flags.models;
  for (const std::string& type : flags.types) {
    const Expected<std::string> path = FindShippedModel("light-" + Lower(type) + ".safetensors");
    if (!path) return path.error();
    paths->push_back(*path);
  }
  if (!paths->empty()) return {};
  const Expected<std::string> path = FindModel("");
  if (!path) return path.error();
  paths->push_back(*path);
  return {};
}

Expected<Picture> PictureFor(const Flags& flags) {
  if (!flags.picture.empty()) {
    Expected<Picture> picture = ReadPicture(flags.picture);
    return picture ? picture : At(flags.picture, picture.error());
  }
  uint32_t width = 0, height = 0;
  if (bench::ParseSize(flags.size, &width, &height)) return bench::SyntheticPicture(width, height);
  return MakeError(ErrorCode::kInvalidArgument,
                   "--size " + flags.size + ": not a size such as 768x512");
}

int Measure(const Flags& flags) {
  const Expected<Picture> picture = PictureFor(flags);
  if (!picture) return ExitCodeFor(kTool, picture.error());
  const Error target = UseTarget(flags.target);
  if (!target.ok()) return ExitCodeFor(kTool, target);
  std::vector<std::string> paths;
  const Error found = FindModels(flags, &paths);
  if (!found.ok()) return ExitCodeFor(kTool, found);
  const int threads = flags.threads > 0 ? flags.threads : HardwareThreads();
  Comparison all{{}, Peaks(threads), threads};
  for (const std::string& path : paths) {
    Expected<Model> model = LoadModel(path, threads);
    if (!model) return ExitCodeFor(kTool, model.error());
    const Error lrd = flags.lrd > 0 ? CheckLrd(model->info(), flags.lrd) : Error{};
    if (!lrd.ok()) return ExitCodeFor(kTool, lrd);
    all.benches.push_back(std::make_unique<Bench>(std::move(*model), *picture, flags));
    const Error profiled = all.benches.back()->Profile();
    if (!profiled.ok()) return ExitCodeFor(kTool, profiled);
  }
  return flags.layers ? PrintLayers(flags, all) : RunBenchmarks(flags, all);
}

int Main(int argc, char** argv) {
  // Google Benchmark takes its own flags out, but would answer --help without ours.
  const auto is_help = [](const char* arg) { return std::strcmp(arg, "--help") == 0; };
  if (std::none_of(argv + 1, argv + argc, is_help)) benchmark::Initialize(&argc, argv);
  CLI::App app("Speed of the codec's stages and layers", kTool);
  Flags flags;
  AddFlags(&app, &flags);
  return RunTool(app, argc, argv, [&flags] { return Measure(flags); });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
