#include "bench/detail_kernels.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "kernels/detail.h"

namespace glint::bench {
namespace {

constexpr size_t kBlocks = 256;  // in a row
constexpr size_t kStride = kBlocks * kernels::kDetailTransform;
constexpr int32_t kStep = 100;
constexpr size_t kWidth = 2000;  // of a row, whose last ones do not fill a vector

// Levels of blocks: how many of the first frequencies of either direction have some, and how great.
struct Blocks {
  const char* name;
  size_t used;
  int most;
};
constexpr Blocks kLevels[] = {{"zero", 0, 0},     {"mean", 1, 30}, {"corner", 4, 3},
                              {"dense", 8, 3},    {"mixed", 8, 3},  // all four in turn by chance
                              {"great", 8, 10000}};

std::vector<int16_t> MakeLevels(const Blocks& kind) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> value(-kind.most, kind.most);
  std::vector<int16_t> levels(kBlocks * kernels::kDetailCoefficients, 0);
  for (size_t block = 0; block < kBlocks; ++block) {
    const bool mixed = std::string(kind.name) == "mixed";
    const size_t used = mixed ? kLevels[random() % 4].used : kind.used;
    for (size_t i = 0; i < used * used; ++i) {
      const size_t at = i / used * kernels::kDetailTransform + i % used;
      levels[block * kernels::kDetailCoefficients + at] = static_cast<int16_t>(value(random));
    }
  }
  return levels;
}

template <typename T>
std::vector<T> Random(size_t n, int least, int most) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> value(least, most);
  std::vector<T> values(n);
  for (T& v : values) v = static_cast<T>(value(random));
  return values;
}

// Runs what handles `items` blocks, pixels or samples.
void Run(benchmark::State& state, size_t items, const std::function<void()>& run) {
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  const double all = static_cast<double>(state.iterations()) * static_cast<double>(items);
  state.counters["each"] = benchmark::Counter(
      all, benchmark::Counter::Flags(benchmark::Counter::kIsRate | benchmark::Counter::kInvert));
}

void RunInverse(benchmark::State& state, const Blocks& kind) {
  const std::vector<int16_t> levels = MakeLevels(kind);
  std::vector<int16_t> plane(kStride * kernels::kDetailTransform);
  Run(state, kBlocks, [&] {
    for (size_t k = 0; k < kBlocks; ++k) {
      kernels::DetailInverse(&levels[k * kernels::kDetailCoefficients], kStep,
                             &plane[k * kernels::kDetailTransform], kStride);
    }
  });
}

void RunForward(benchmark::State& state) {
  const auto plane = Random<int16_t>(kStride * kernels::kDetailTransform, -4080, 4080);
  std::vector<int32_t> coefficients(kernels::kDetailCoefficients);
  Run(state, kBlocks, [&] {
    for (size_t k = 0; k < kBlocks; ++k) {
      kernels::DetailForward(&plane[k * kernels::kDetailTransform], kStride, coefficients.data());
    }
  });
}

void RunExpect(benchmark::State& state) {
  constexpr size_t kSize = kernels::kDetailCoefficients;
  const auto magnitudes = Random<uint8_t>((kBlocks + 3) * kSize, 0, 63);
  std::vector<uint16_t> of(kSize);
  Run(state, kBlocks, [&] {
    for (size_t k = 0; k < kBlocks; ++k) {
      const uint8_t* const m = &magnitudes[k * kSize];
      benchmark::DoNotOptimize(
          kernels::DetailExpect({m, m + kSize, m + 2 * kSize, m + 3 * kSize, 20}, of.data()));
    }
  });
}

enum class RowKernel { kPlanes, kPixels, kActivity, kSquaredError };

void RunRow(benchmark::State& state, RowKernel kernel, size_t channels) {
  constexpr size_t kRows = kernels::kDetailTransform;
  const size_t samples = kWidth * channels;
  const auto source = Random<uint8_t>(kRows * samples, 0, 255);
  const auto base = Random<uint8_t>(kRows * samples, 50, 200);
  std::vector<int16_t> planes[3];
  for (auto& plane : planes) plane = Random<int16_t>(kWidth, -1000, 1000);
  int16_t* const to[3] = {planes[0].data(), planes[1].data(), planes[2].data()};
  const int16_t* const from[3] = {to[0], to[1], to[2]};
  std::vector<uint8_t> out(samples);
  std::vector<uint32_t> activity(kWidth / kernels::kDetailTransform + 1);
  Run(state, kernel == RowKernel::kActivity ? kRows * kWidth : kWidth, [&] {
    switch (kernel) {
      case RowKernel::kPlanes:
        return kernels::DetailPlanes(source.data(), base.data(), kWidth, channels, to);
      case RowKernel::kPixels:
        return kernels::DetailPixels(base.data(), from, kWidth, channels, 255, out.data());
      case RowKernel::kActivity:
        return kernels::DetailActivity(source.data(), samples, kWidth, kRows, channels,
                                       activity.data());
      case RowKernel::kSquaredError:
        benchmark::DoNotOptimize(kernels::SquaredError(source.data(), base.data(), samples));
    }
  });
}

}  // namespace

void RegisterDetailKernels() {
  for (const Blocks& kind : kLevels) {
    const std::string name = std::string("detail/inverse/") + kind.name;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [&kind](benchmark::State& state) { RunInverse(state, kind); });
  }
  benchmark::RegisterBenchmark("detail/forward", RunForward);
  benchmark::RegisterBenchmark("detail/expect", RunExpect);
  constexpr struct {
    RowKernel kernel;
    const char* name;
  } kRowKernels[] = {{RowKernel::kPlanes, "planes"},
                     {RowKernel::kPixels, "pixels"},
                     {RowKernel::kActivity, "activity"},
                     {RowKernel::kSquaredError, "squared_error"}};
  for (const auto& row : kRowKernels) {
    for (const size_t channels : {size_t{1}, size_t{3}}) {
      const std::string name = std::string("detail/") + row.name + "/" + std::to_string(channels);
      benchmark::RegisterBenchmark(name.c_str(),
                                   [kernel = row.kernel, channels](benchmark::State& state) {
                                     RunRow(state, kernel, channels);
                                   });
    }
  }
}

}  // namespace glint::bench
