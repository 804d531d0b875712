// bench_stages: the stages of the codec and whole encode and decode of one synthetic picture: MP/s,
// GOPS (two operations a multiply-add) and percent of the FP32 peak measured in the same run.
// `--layers` prints a table per layer instead. Run by people and scripts; Google Benchmark's own
// flags work as well. Thread rules: one main thread; the library makes the workers that --threads
// asks for.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/peak.h"
#include "benchmark/benchmark.h"
#include "glint/glint.hpp"
#include "tools/console.h"
#include "tools/machine.h"
#include "tools/models.h"
#include "tools/table.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

constexpr const char* kTool = "bench_stages";

struct Flags {
  std::string model, target, size = "768x512";
  int threads = 1;
  int rounds = 5;
  double lrd = 0;
  bool layers = false;
};

// ---- the picture -------------------------------------------------------------------------------

uint32_t NextRandom(uint32_t* state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

// Smooth shapes, an edge, a texture and a little noise, so that symbols are neither all zero nor
// all wild.
Picture SyntheticPicture(uint32_t width, uint32_t height) {
  Picture picture;
  picture.info.width = width;
  picture.info.height = height;
  picture.samples.resize(size_t{height} * picture.info.RowBytes());
  uint32_t random = 1;
  size_t i = 0;
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) / 97, v = static_cast<double>(y) / 71;
      const double shape = 60 * std::sin(u) * std::cos(v) + (std::sin(u + 2 * v) > 0.4 ? 40 : 0);
      const double texture = 12 * std::sin(29 * u) * std::sin(23 * v) * std::sin(0.7 * v);
      for (int c = 0; c < 3; ++c) {
        const double noise = static_cast<double>(NextRandom(&random) % 9) - 4;
        const double value = 110 + (1 - 0.2 * c) * shape + texture + noise + 8 * c;
        picture.samples[i++] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
  return picture;
}

bool ParseSize(const std::string& text, uint32_t* width, uint32_t* height) {
  char extra = 0;
  return text.find('-') == std::string::npos &&
         std::sscanf(text.c_str(), "%7ux%7u%c", width, height, &extra) == 2 && *width > 0 &&
         *height > 0;
}

// ---- what is measured --------------------------------------------------------------------------

enum class Stage { kAnalysis, kHyper, kContext, kEntropy, kSynthesis, kWhole };
enum class Direction { kEncode, kDecode };

struct Case {
  const char* name;
  Stage stage;
  Direction direction;
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

double MacsOf(Stage stage, const Report& report) {
  double macs = 0;
  for (const LayerProfile& layer : report.layers) {
    if (stage == Stage::kWhole || StageOfGraph(layer.stage) == stage) macs += layer.macs;
  }
  return macs;
}

// One model, one picture, its stream, and what coding them costs in multiply-adds.
class Bench {
 public:
  Bench(Model model, Picture picture, const Flags& flags)
      : model_(std::move(model)), picture_(std::move(picture)) {
    encode_options_.lrd = flags.lrd;
    encode_options_.threads = decode_options_.threads = flags.threads;
    threads_ = flags.threads > 0 ? flags.threads : HardwareThreads();
  }

  // Codes once with the profiler on, which also warms caches and finds errors before anything is
  // timed.
  Error Profile() {
    encode_options_.profile = decode_options_.profile = true;
    Error error = RunEncode(&encode_profile_);
    if (error.ok()) error = RunDecode(&decode_profile_);
    encode_options_.profile = decode_options_.profile = false;
    return error;
  }
  void MeasurePeak() { peak_gmacs_ = bench::MeasurePeakGops(bench::PeakKind::kFp32Fma) / 2 * threads_; }

  Error Run(Direction direction, Report* report) {
    return direction == Direction::kEncode ? RunEncode(report) : RunDecode(report);
  }

  const Report& profile(Direction direction) const {
    return direction == Direction::kEncode ? encode_profile_ : decode_profile_;
  }
  const Picture& picture() const { return picture_; }
  const std::vector<uint8_t>& stream() const { return stream_; }
  const Model& model() const { return model_; }
  double megapixels() const { return picture_.info.width * 1e-6 * picture_.info.height; }
  double peak_gmacs() const { return peak_gmacs_; }  // of all threads together
  int threads() const { return threads_; }

 private:
  Error RunEncode(Report* report) {
    Expected<std::vector<uint8_t>> stream = Encode(model_, picture_, encode_options_, report);
    if (!stream) return stream.error();
    stream_ = std::move(*stream);
    return {};
  }
  Error RunDecode(Report* report) {
    const Expected<Picture> decoded =
        Decode(model_, stream_.data(), stream_.size(), decode_options_, report);
    return decoded ? Error{} : decoded.error();
  }

  Model model_;
  Picture picture_;
  EncodeOptions encode_options_;
  DecodeOptions decode_options_;
  std::vector<uint8_t> stream_;
  Report encode_profile_, decode_profile_;
  double peak_gmacs_ = 0;
  int threads_ = 1;
};

// ---- Google Benchmark --------------------------------------------------------------------------

// A stage is timed where it happens, inside a whole call, by the clock that the library reports.
void RunCase(benchmark::State& state, const Case& which, Bench* bench) {
  double seconds = 0;
  double symbols = 0;
  for (auto _ : state) {
    Report report;
    const Error error = bench->Run(which.direction, &report);
    if (!error.ok()) {
      state.SkipWithError(error.message.c_str());
      return;
    }
    const double spent = SecondsOf(which.stage, report.times);
    state.SetIterationTime(spent);
    seconds += spent;
    symbols += static_cast<double>(report.symbols);
  }
  if (seconds <= 0) return;  // shorter than the clock can tell: no rates
  const double runs = static_cast<double>(state.iterations());
  const double macs = runs * MacsOf(which.stage, bench->profile(which.direction));
  state.counters["MP/s"] = runs * bench->megapixels() / seconds;
  if (which.stage == Stage::kEntropy) {
    state.counters["Msym/s"] = symbols * 1e-6 / seconds;
    return;
  }
  state.counters["GOPS"] = 2e-9 * macs / seconds;
  state.counters["peak_percent"] = 1e-7 * macs / seconds / bench->peak_gmacs();
}

int RunBenchmarks(const Flags& flags, Bench* bench) {
  const ModelInfo& model = bench->model().info();
  benchmark::AddCustomContext("cpu", CpuName());
  benchmark::AddCustomContext("target", CurrentTarget());
  benchmark::AddCustomContext("threads", std::to_string(bench->threads()));
  benchmark::AddCustomContext("model", model.name + " " + model.form + " " + model.id);
  benchmark::AddCustomContext("picture", flags.size);
  benchmark::AddCustomContext("stream_bytes", std::to_string(bench->stream().size()));
  benchmark::AddCustomContext("peak_fp32_gops", Fixed(2 * bench->peak_gmacs(), 1));
  for (const Case& which : kCases) {
    benchmark::RegisterBenchmark(
        which.name, [&which, bench](benchmark::State& state) { RunCase(state, which, bench); })
        ->UseManualTime()
        ->Iterations(flags.rounds)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return kExitOk;
}

// ---- --layers ----------------------------------------------------------------------------------

// The fastest of several runs for each layer: what the layer costs when nothing disturbs it.
Error BestLayers(Bench* bench, Direction direction, int rounds, std::vector<LayerProfile>* best) {
  *best = bench->profile(direction).layers;
  for (int i = 1; i < rounds; ++i) {
    const Error error = bench->Profile();
    if (!error.ok()) return error;
    const std::vector<LayerProfile>& layers = bench->profile(direction).layers;
    for (size_t k = 0; k < std::min(layers.size(), best->size()); ++k) {
      (*best)[k].seconds = std::min((*best)[k].seconds, layers[k].seconds);
    }
  }
  return {};
}

Table::Cells LayerRow(const LayerProfile& layer, double peak_gmacs) {
  const double gmacs = layer.seconds > 0 ? 1e-9 * layer.macs / layer.seconds : 0;
  return {layer.stage,
          Printable(layer.name, 40),
          layer.kernel,
          Fixed(1e-6 * layer.macs, 2),
          Fixed(1e3 * layer.seconds, 3),
          Fixed(gmacs, 1),
          Fixed(100 * gmacs / peak_gmacs, 1)};
}

LayerProfile SumOf(const std::vector<LayerProfile>& layers, const std::string& stage) {
  LayerProfile sum;
  sum.stage = stage.empty() ? "all" : stage;
  sum.name = "(sum)";
  for (const LayerProfile& layer : layers) {
    if (!stage.empty() && layer.stage != stage) continue;
    sum.macs += layer.macs;
    sum.seconds += layer.seconds;
  }
  return sum;
}

std::string LayerTable(const std::vector<LayerProfile>& layers, double peak_gmacs) {
  std::vector<Table::Cells> rows;
  for (size_t i = 0; i < layers.size(); ++i) {
    rows.push_back(LayerRow(layers[i], peak_gmacs));
    const bool last = i + 1 == layers.size() || layers[i + 1].stage != layers[i].stage;
    if (last) rows.push_back(LayerRow(SumOf(layers, layers[i].stage), peak_gmacs));
  }
  rows.push_back(LayerRow(SumOf(layers, ""), peak_gmacs));
  return FormatTable({{"stage", Table::Align::kLeft},
                      {"layer", Table::Align::kLeft},
                      {"kernel", Table::Align::kLeft},
                      {"MMAC"},
                      {"ms"},
                      {"GMAC/s"},
                      {"peak %"}},
                     rows);
}

int PrintLayers(const Flags& flags, Bench* bench) {
  std::printf("%s, %s, %s, %s; FP32 peak %s GMAC/s\n", flags.size.c_str(), CurrentTarget().c_str(),
              Count(static_cast<size_t>(bench->threads()), "thread").c_str(), CpuName().c_str(),
              Fixed(bench->peak_gmacs(), 1).c_str());
  for (const Direction direction : {Direction::kEncode, Direction::kDecode}) {
    std::vector<LayerProfile> layers;
    const Error error = BestLayers(bench, direction, flags.rounds, &layers);
    if (!error.ok()) return ExitCodeFor(kTool, error);
    std::printf("\n%s\n%s", direction == Direction::kEncode ? "encode" : "decode",
                LayerTable(layers, bench->peak_gmacs()).c_str());
  }
  return kExitOk;
}

// ---- flags -------------------------------------------------------------------------------------

void AddFlags(CLI::App* app, Flags* flags) {
  app->add_option("--model", flags->model,
                  "Model file (default: $GLINT_MODEL, else the one that came with Glint)");
  app->add_option("--target", flags->target, "SIMD target (default: the best here)");
  app->add_option("--threads", flags->threads, "Threads (default 1); 0: all")
      ->check(CLI::Range(0, 1024));
  app->add_option("--size", flags->size, "Size of the picture (default 768x512)");
  app->add_option("--lrd", flags->lrd, "Rate (default: the model's)");
  app->add_option("--rounds", flags->rounds, "Whole codings per measure (default 5)")
      ->check(CLI::Range(1, 100000));
  app->add_flag("--layers", flags->layers, "A table per layer instead of the benchmarks");
  app->footer(
      "Google Benchmark's flags work too: --benchmark_format=json, --benchmark_filter=decode, ...\n"
      "A stage is timed inside whole codings, by the library's own clock.");
}

int Measure(const Flags& flags) {
  uint32_t width = 0, height = 0;
  if (!ParseSize(flags.size, &width, &height)) {
    Complain(kTool, "--size " + flags.size + ": not a size such as 768x512");
    return kExitBad;
  }
  const Error target = UseTarget(flags.target);
  if (!target.ok()) return ExitCodeFor(kTool, target);
  const Expected<std::string> path = FindModel(flags.model);
  if (!path) return ExitCodeFor(kTool, path.error());
  Expected<Model> model = LoadModel(*path);
  if (!model) return ExitCodeFor(kTool, model.error());
  const Error lrd = flags.lrd > 0 ? CheckLrd(model->info(), flags.lrd) : Error{};
  if (!lrd.ok()) return ExitCodeFor(kTool, lrd);
  Bench bench(std::move(*model), SyntheticPicture(width, height), flags);
  const Error profiled = bench.Profile();
  if (!profiled.ok()) return ExitCodeFor(kTool, profiled);
  bench.MeasurePeak();
  return flags.layers ? PrintLayers(flags, &bench) : RunBenchmarks(flags, &bench);
}

int Main(int argc, char** argv) {
  // Google Benchmark takes its own flags out, but would answer --help without ours.
  const auto is_help = [](const char* arg) { return std::strcmp(arg, "--help") == 0; };
  if (std::none_of(argv + 1, argv + argc, is_help)) benchmark::Initialize(&argc, argv);
  CLI::App app("Speed of the codec's stages and layers", kTool);
  Flags flags;
  AddFlags(&app, &flags);
  return RunTool(kTool, app, argc, argv, [&flags] { return Measure(flags); });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
