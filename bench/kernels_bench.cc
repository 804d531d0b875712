// bench_kernels: every kernel family in every precision on the layer shapes of `light` and of
// mbt2018-mean (N = 128, M = 192), over a band of rows that stays in cache: GOPS (two operations a
// multiply-add) and percent of the peak of that precision, measured in the same run. Run by people
// and scripts; Google Benchmark's own flags work as well. Besides, every operator as it is planned,
// by its description in tests/ops/ (bench/operators.h), the detail layer's kernels
// (bench/detail_kernels.h) and rANS (bench/entropy_coding.h). One thread.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/detail_kernels.h"
#include "bench/entropy_coding.h"
#include "bench/operators.h"
#include "benchmark/benchmark.h"
#include "engine/aligned.h"
#include "kernels/conv.h"
#include "kernels/gdn.h"
#include "kernels/peak.h"
#include "kernels/pointwise.h"
#include "tools/common/console.h"
#include "tools/common/machine.h"
#include "tools/common/models.h"
#include "tools/common/text.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

using kernels::BytesOf;
using kernels::Conv;
using kernels::ConvSpec;
using kernels::Element;
using kernels::Epilogue;
using kernels::Gdn;
using kernels::Numerics;

constexpr const char* kTool = "bench_kernels";
constexpr size_t kPixels = 48;  // of a row of outputs
constexpr int64_t kRows = 2;    // of outputs

// ---- precisions and shapes ---------------------------------------------------------------------

struct Precision {
  const char* name;
  Element element;  // of inputs and outputs
  Numerics numerics;
  kernels::PeakKind peak;
};

constexpr Precision kPrecisions[] = {
    {"fp32", Element::kF32, Numerics::kClose, kernels::PeakKind::kFp32Fma},
    {"fp32_exact", Element::kF32, Numerics::kExact, kernels::PeakKind::kFp32MulAdd},
    {"int16", Element::kI16, Numerics::kClose, kernels::PeakKind::kI16},
    {"int8", Element::kU8, Numerics::kClose, kernels::PeakKind::kU8I8},
};

// Whether a layer belongs to the exact class, and so occurs with Numerics::kExact.
enum class Class { kClose, kExact };
enum class Family { kConv, kTranspose, kPointwiseConv, kCheckerboard };

constexpr const char* NameOf(Family family) {
  return family == Family::kConv            ? "conv"
         : family == Family::kTranspose     ? "deconv"
         : family == Family::kPointwiseConv ? "conv1x1"
                                            : "checkerboard";
}

struct Layer {
  const char* name;  // model/layer
  Family family;
  size_t kernel, stride;
  std::array<size_t, 3> in;  // channels by source
  size_t out;
  Class numeric_class;
};

// Layers of one shape stand once, under the first one's name.
constexpr Layer kLayers[] = {
    {"light/a1", Family::kConv, 5, 2, {3}, 32, Class::kClose},
    {"light/a2", Family::kConv, 5, 2, {32}, 64, Class::kClose},
    {"light/a3", Family::kConv, 5, 2, {64}, 128, Class::kClose},
    {"light/a4", Family::kConv, 5, 2, {128}, 192, Class::kClose},
    {"light/ar2.b", Family::kConv, 3, 1, {32}, 32, Class::kClose},
    {"light/ar3.b", Family::kConv, 3, 1, {64}, 64, Class::kClose},
    {"light/ar4.b", Family::kConv, 3, 1, {96}, 96, Class::kClose},
    {"light/ha1", Family::kConv, 3, 1, {192}, 128, Class::kClose},
    {"light/ha2", Family::kConv, 5, 2, {128}, 128, Class::kClose},
    {"light/ha3", Family::kConv, 5, 2, {128}, 64, Class::kClose},
    {"light/hs3", Family::kConv, 3, 1, {192}, 192, Class::kExact},
    {"light/c10", Family::kConv, 3, 1, {64}, 96, Class::kExact},
    {"light/s3", Family::kTranspose, 5, 2, {192}, 128, Class::kClose},
    {"light/s2", Family::kTranspose, 5, 2, {128}, 64, Class::kClose},
    {"light/s1", Family::kTranspose, 4, 2, {64}, 32, Class::kClose},
    {"light/s0", Family::kTranspose, 4, 2, {32}, 3, Class::kClose},
    {"light/hs1", Family::kTranspose, 4, 2, {64}, 128, Class::kExact},
    {"light/hs2", Family::kTranspose, 4, 2, {128}, 192, Class::kExact},
    {"light/ar2.a", Family::kPointwiseConv, 1, 1, {64}, 32, Class::kClose},
    {"light/ar2.c", Family::kPointwiseConv, 1, 1, {32}, 64, Class::kClose},
    {"light/ar3.a", Family::kPointwiseConv, 1, 1, {128}, 64, Class::kClose},
    {"light/ar3.c", Family::kPointwiseConv, 1, 1, {64}, 128, Class::kClose},
    {"light/ar4.a", Family::kPointwiseConv, 1, 1, {192}, 96, Class::kClose},
    {"light/ar4.c", Family::kPointwiseConv, 1, 1, {96}, 192, Class::kClose},
    {"light/p00.0", Family::kPointwiseConv, 1, 1, {192}, 160, Class::kExact},
    {"light/p00.2", Family::kPointwiseConv, 1, 1, {160}, 128, Class::kExact},
    {"light/p10.0", Family::kPointwiseConv, 1, 1, {192, 96}, 224, Class::kExact},
    {"light/p11.0", Family::kPointwiseConv, 1, 1, {192, 96, 96}, 256, Class::kExact},
    {"light/c01", Family::kCheckerboard, 5, 1, {64}, 96, Class::kExact},
    {"light/c11", Family::kCheckerboard, 5, 1, {128}, 96, Class::kExact},
    {"mbt2018/g_a.0", Family::kConv, 5, 2, {3}, 128, Class::kClose},
    {"mbt2018/g_a.6", Family::kConv, 5, 2, {128}, 192, Class::kClose},
    {"mbt2018/g_s.2", Family::kTranspose, 5, 2, {128}, 128, Class::kClose},
    {"mbt2018/g_s.0", Family::kTranspose, 5, 2, {192}, 128, Class::kClose},
    {"mbt2018/g_s.6", Family::kTranspose, 5, 2, {128}, 3, Class::kClose},
    {"mbt2018/h_s.0", Family::kTranspose, 5, 2, {128}, 192, Class::kExact},
    {"mbt2018/h_s.2", Family::kTranspose, 5, 2, {192}, 288, Class::kExact},
    {"mbt2018/h_s.4", Family::kConv, 3, 1, {288}, 384, Class::kExact},
};

constexpr struct {
  const char* name;
  size_t channels;
  Gdn::Form form;
  bool inverse;
} kGdns[] = {
    {"light/ag1", 32, Gdn::Form::kAbs, false},     {"light/ag2", 64, Gdn::Form::kAbs, false},
    {"light/ag3", 128, Gdn::Form::kAbs, false},    {"light/sg3", 128, Gdn::Form::kAbs, true},
    {"mbt2018/gdn", 128, Gdn::Form::kSqrt, false}, {"mbt2018/igdn", 128, Gdn::Form::kSqrt, true},
};

// ---- operands ----------------------------------------------------------------------------------

template <typename T>
std::vector<T> Random(size_t count, int most) {
  static std::mt19937 random(1);
  std::uniform_int_distribution<int> value(-most, most);
  std::vector<T> values(count);
  for (T& v : values) v = static_cast<T>(value(random));
  return values;
}

// Values from which no sum of products leaves int32 or becomes denormal.
constexpr int kMostInput = 1000, kMostWeight = 63;

AlignedBuffer<uint8_t> RandomElements(Element element, size_t count) {
  AlignedBuffer<uint8_t> buffer;
  if (!buffer.Allocate(count * BytesOf(element))) std::abort();
  const auto copy = [&](const auto& values) {
    std::memcpy(buffer.get(), values.data(), values.size() * sizeof(values[0]));
  };
  if (element == Element::kF32) {
    copy(Random<float>(count, kMostInput));
  } else if (element == Element::kI16) {
    copy(Random<int16_t>(count, kMostInput));
  } else {
    copy(Random<uint8_t>(count, kMostInput));
  }
  return buffer;
}

constexpr int ZeroOf(Element element) { return element == Element::kU8 ? 128 : 0; }

// What a quantised tensor's store takes, for sums of `terms` products.
struct Constants {
  std::vector<float> scale, bias, gain, residual_scale;

  Constants(size_t channels, size_t terms)
      : scale(kernels::PaddedChannels(channels), 1.0f / static_cast<float>(terms)),
        bias(scale.size(), 1.0f),
        gain(scale.size(), 0.5f),
        residual_scale(scale.size(), 0.25f) {}

  Epilogue For(Element element) const {
    Epilogue epilogue;
    if (element == Element::kF32) return epilogue;
    epilogue.scale = scale.data();
    epilogue.bias = bias.data();
    epilogue.gain = gain.data();
    epilogue.residual = epilogue.out = element;
    epilogue.residual_scale = residual_scale.data();
    epilogue.zero = epilogue.residual_zero = static_cast<float>(ZeroOf(element));
    epilogue.high = element == Element::kU8 ? 127.0f : 4095.0f;
    epilogue.low = element == Element::kU8 ? -128.0f : -4095.0f;
    return epilogue;
  }
};

// Something to time.
struct Work {
  std::function<void()> run;
  double operations = 0;  // of one run
};

struct ConvWork {
  std::unique_ptr<Conv> conv;
  std::vector<AlignedBuffer<uint8_t>> inputs;  // by source
  AlignedBuffer<uint8_t> out;
  Constants constants;
  std::vector<kernels::ConvRow> rows;
  Epilogue epilogue;
  AlignedBuffer<float> scratch;
};

Work MakeConvWork(const Layer& layer, const Precision& precision) {
  ConvSpec spec;
  const bool transposed = layer.family == Family::kTranspose;
  const bool checkerboard = layer.family == Family::kCheckerboard;
  spec.kind = transposed ? ConvSpec::Kind::kTranspose : ConvSpec::Kind::kConv;
  spec.kernel = layer.kernel;
  spec.stride = layer.stride;
  spec.padding = (layer.kernel - 1) / 2;
  if (checkerboard) spec.mask = kernels::ConvMask::kCheckerboard;
  spec.sources = static_cast<size_t>(std::count_if(layer.in.begin(), layer.in.end(),
                                                   [](size_t channels) { return channels > 0; }));
  size_t in_total = 0;
  for (size_t s = 0; s < spec.sources; ++s) in_total += spec.in_channels[s] = layer.in[s];
  spec.out_channels = layer.out;
  spec.numerics = precision.numerics;
  const size_t terms = in_total * spec.kernel * spec.kernel;
  const auto work = std::make_shared<ConvWork>(
      ConvWork{nullptr, {}, {}, Constants(layer.out, terms), {}, {}, {}});
  const std::vector<int16_t> weight = Random<int16_t>(terms * layer.out, kMostWeight);
  if (precision.element == Element::kF32) {
    const std::vector<float> floats(weight.begin(), weight.end());
    work->conv = std::make_unique<Conv>(spec, floats.data(), nullptr);
  } else {
    work->conv =
        std::make_unique<Conv>(spec, precision.element, weight.data(), ZeroOf(precision.element));
  }
  const Conv& conv = *work->conv;
  work->epilogue = work->constants.For(precision.element);
  // Paired rows are stored as floats. Of the rest, those of stride 1 stand before an activation.
  if (spec.paired_rows()) work->epilogue.out = Element::kF32;
  work->epilogue.leaky_relu = spec.stride == 1;
  work->epilogue.slope = 0.125f;

  const size_t element = BytesOf(precision.element);
  const size_t x_stride = checkerboard ? 2 : 1;
  const size_t in_pixels = conv.ReadsLeft() + conv.ReadsRight() +
                           (transposed ? kPixels / 2 : kPixels * spec.stride * x_stride);
  constexpr int64_t kInputRows = 2 * kRows + static_cast<int64_t>(kernels::kMaxKernel);
  for (size_t s = 0; s < spec.sources; ++s) {
    const size_t count = static_cast<size_t>(kInputRows) * in_pixels * layer.in[s] + 64;
    work->inputs.push_back(RandomElements(precision.element, count));
  }
  const size_t out_element = BytesOf(work->epilogue.out);
  const size_t out_row = kPixels * layer.out * out_element;
  if (!work->out.Allocate(kRows * out_row + 64)) std::abort();
  const bool pairs = spec.paired_rows();
  if (!work->scratch.Allocate(conv.ScratchFloats() + 1)) std::abort();
  for (int64_t oy = 0; oy < kRows; oy += pairs ? 2 : 1) {
    kernels::ConvRow row;
    int64_t iy[2 * kernels::kMaxKernel];
    const size_t taps = conv.TapRows(oy, iy);
    for (size_t s = 0; s < spec.sources; ++s) {
      for (size_t i = 0; i < taps; ++i) {
        const size_t y = static_cast<size_t>(iy[i] + static_cast<int64_t>(spec.kernel));
        row.in[s * kernels::kMaxKernel + i] =
            work->inputs[s].get() + (y * in_pixels + conv.ReadsLeft()) * layer.in[s] * element;
      }
      row.in_pixel_stride[s] = layer.in[s];
    }
    row.out = work->out.get() + static_cast<size_t>(oy) * out_row;
    row.out_second = pairs ? work->out.get() + static_cast<size_t>(oy + 1) * out_row : nullptr;
    row.out_pixel_stride = layer.out;
    row.phase = transposed && !pairs ? static_cast<size_t>(oy & 1) : 0;
    row.x_stride = x_stride;
    row.pixels = kPixels;
    work->rows.push_back(row);
  }
  const auto run = [work] {
    work->conv->Run(work->rows.data(), work->rows.size(), work->epilogue, 0, work->conv->blocks(),
                    work->scratch.get());
  };
  return {run, 2.0 * conv.MacsPerPixel() * static_cast<double>(kPixels * kRows)};
}

struct GdnWork {
  std::unique_ptr<Gdn> gdn;
  AlignedBuffer<uint8_t> in, out;
  AlignedBuffer<float> scratch;
  Constants constants;
};

Work MakeGdnWork(size_t channels, Gdn::Form form, bool inverse, const Precision& precision) {
  const auto work =
      std::make_shared<GdnWork>(GdnWork{nullptr, {}, {}, {}, Constants(channels, channels)});
  std::vector<int16_t> gamma = Random<int16_t>(channels * channels, kMostWeight);
  for (int16_t& g : gamma) g = static_cast<int16_t>(std::abs(g));
  if (precision.element == Element::kF32) {
    const std::vector<float> beta(channels, 1.0f), floats(gamma.begin(), gamma.end());
    work->gdn = std::make_unique<Gdn>(channels, form, inverse, beta.data(), floats.data());
  } else {
    work->gdn = std::make_unique<Gdn>(channels, form, precision.element, ZeroOf(precision.element),
                                      inverse, gamma.data());
  }
  work->in = RandomElements(precision.element, kPixels * channels + 64);
  work->out = RandomElements(precision.element, kPixels * channels + 64);
  if (!work->scratch.Allocate(work->gdn->ScratchFloats())) std::abort();
  const Epilogue epilogue = work->constants.For(precision.element);
  const auto run = [work, channels, epilogue] {
    work->gdn->Run(work->in.get(), channels, work->out.get(), channels, kPixels, epilogue,
                   work->scratch.get());
  };
  return {run, 2.0 * work->gdn->MacsPerPixel() * static_cast<double>(kPixels)};
}

// ---- element-wise kernels ----------------------------------------------------------------------

struct PointwiseWork {
  AlignedBuffer<uint8_t> a, b, out;
  Constants constants;
};

struct PointwiseCase {
  const char* name;
  size_t bytes;  // read and written for an element
  void (*run)(PointwiseWork* work, size_t pixels, size_t channels);
};

template <typename T = float>
T* As(AlignedBuffer<uint8_t>* buffer) {
  return static_cast<T*>(static_cast<void*>(buffer->get()));
}

void RunConversion(Element element, bool to_float, PointwiseWork* work, size_t pixels,
                   size_t channels) {
  const Epilogue e = work->constants.For(element);
  for (size_t p = 0; p < pixels; ++p) {
    float* floats = As(&work->a) + p * channels;
    uint8_t* integers = work->b.get() + p * channels * BytesOf(element);
    if (to_float) {
      kernels::ElementsToFloat(element, integers, floats, channels, e.gain, e.zero);
    } else {
      kernels::FloatToElements(floats, element, integers, channels, e.gain, e.low, e.high, e.zero);
    }
  }
}

constexpr PointwiseCase kPointwise[] = {
    {"leaky_relu/fp32", 8,
     [](PointwiseWork* w, size_t pixels, size_t channels) {
       kernels::LeakyRelu(As(&w->a), As(&w->out), pixels * channels, 0.125f);
     }},
    {"add/fp32", 12,
     [](PointwiseWork* w, size_t pixels, size_t channels) {
       kernels::Add(As(&w->a), As(&w->b), As(&w->out), pixels * channels);
     }},
    {"gain/fp32", 8,
     [](PointwiseWork* w, size_t pixels, size_t channels) {
       kernels::Affine(As(&w->a), As(&w->out), pixels, channels, channels, channels,
                       w->constants.gain.data(), nullptr);
     }},
    {"to_float/int16", 6,
     [](PointwiseWork* w, size_t pixels, size_t channels) {
       RunConversion(Element::kI16, true, w, pixels, channels);
     }},
    {"to_float/int8", 5,
     [](PointwiseWork* w, size_t pixels, size_t channels) {
       RunConversion(Element::kU8, true, w, pixels, channels);
     }},
    {"from_float/int16", 6,
     [](PointwiseWork* w, size_t pixels, size_t channels) {
       RunConversion(Element::kI16, false, w, pixels, channels);
     }},
    {"from_float/int8", 5,
     [](PointwiseWork* w, size_t pixels, size_t channels) {
       RunConversion(Element::kU8, false, w, pixels, channels);
     }},
};

// ---- benchmarks --------------------------------------------------------------------------------

void RunWork(benchmark::State& state, const std::function<Work()>& make, double peak_gops) {
  const Work work = make();
  work.run();
  for (auto _ : state) work.run();
  const double gops = 1e-9 * work.operations * static_cast<double>(state.iterations());
  state.counters["GOPS"] = benchmark::Counter(gops, benchmark::Counter::kIsRate);
  state.counters["peak_percent"] =
      benchmark::Counter(100.0 * gops / peak_gops, benchmark::Counter::kIsRate);
}

void RunPointwise(benchmark::State& state, const PointwiseCase& which, size_t channels) {
  const size_t count = kPixels * channels;
  PointwiseWork work{RandomElements(Element::kF32, count), RandomElements(Element::kF32, count),
                     RandomElements(Element::kF32, count), Constants(channels, 1)};
  for (auto _ : state) which.run(&work, kPixels, channels);
  const auto elements = state.iterations() * static_cast<int64_t>(count);
  state.SetItemsProcessed(elements);
  state.SetBytesProcessed(elements * static_cast<int64_t>(which.bytes));
}

void RegisterAll() {
  std::vector<double> peaks;
  for (const Precision& precision : kPrecisions) {
    peaks.push_back(kernels::MeasurePeakGops(precision.peak));
    benchmark::AddCustomContext(std::string("peak_") + precision.name + "_gops",
                                Fixed(peaks.back(), 1));
  }
  const auto add = [](const std::string& name, std::function<Work()> make, double peak) {
    benchmark::RegisterBenchmark(
        name.c_str(),
        [make = std::move(make), peak](benchmark::State& state) { RunWork(state, make, peak); });
  };
  for (const Layer& layer : kLayers) {
    for (size_t i = 0; i < std::size(kPrecisions); ++i) {
      const Precision& precision = kPrecisions[i];
      if (precision.numerics == Numerics::kExact && layer.numeric_class != Class::kExact) continue;
      add(
          std::string(NameOf(layer.family)) + "/" + layer.name + "/" + precision.name,
          [&layer, &precision] { return MakeConvWork(layer, precision); }, peaks[i]);
    }
  }
  for (const auto& gdn : kGdns) {
    for (size_t i = 0; i < std::size(kPrecisions); ++i) {
      const Precision& precision = kPrecisions[i];
      if (precision.numerics == Numerics::kExact) continue;
      add(
          std::string("gdn/") + gdn.name + "/" + precision.name,
          [&gdn, &precision] {
            return MakeGdnWork(gdn.channels, gdn.form, gdn.inverse, precision);
          },
          peaks[i]);
    }
  }
  for (const PointwiseCase& which : kPointwise) {
    for (const size_t channels : {size_t{32}, size_t{192}}) {
      const std::string name =
          std::string("pointwise/") + which.name + "/" + std::to_string(channels);
      benchmark::RegisterBenchmark(name.c_str(), [&which, channels](benchmark::State& state) {
        RunPointwise(state, which, channels);
      });
    }
  }
}

int Measure(const std::string& target_name) {
  const Error target = UseTarget(target_name);
  if (!target.ok()) return ExitCodeFor(kTool, target);
  benchmark::AddCustomContext("cpu", CpuName());
  benchmark::AddCustomContext("target", CurrentTarget());
  RegisterAll();
  bench::RegisterOperators();
  bench::RegisterDetailKernels();
  bench::RegisterEntropyCoding();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return kExitOk;
}

int Main(int argc, char** argv) {
  // Google Benchmark takes its own flags out, but would answer --help without ours.
  const auto is_help = [](const char* arg) { return std::strcmp(arg, "--help") == 0; };
  if (std::none_of(argv + 1, argv + argc, is_help)) benchmark::Initialize(&argc, argv);
  CLI::App app("Speed of the kernels on layers of real models", kTool);
  std::string target;
  app.add_option("--target", target, "SIMD target (default: the best here)");
  app.footer(
      "Google Benchmark's flags work too: --benchmark_filter=conv1x1.*int16, "
      "--benchmark_format=json, ...");
  return RunTool(app, argc, argv, [&target] { return Measure(target); });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
