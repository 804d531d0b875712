// The machine's limits by SIMD target: arithmetic peaks of every kind that kernels use, and the
// read bandwidth of each level of the memory.

#include <benchmark/benchmark.h>

#include <string>

#include "engine/aligned.h"
#include "kernels/peak.h"
#include "kernels/targets.h"

namespace glint::bench {
namespace {

void Peak(benchmark::State& state, const std::string& target, kernels::PeakKind kind) {
  if (!kernels::SetTarget(target)) {
    state.SkipWithError("target is not supported");
    return;
  }
  constexpr size_t kIterations = 20000;
  float sink = 0.0f;
  double operations = 0.0;
  for (auto _ : state) operations += kernels::RunPeak(kind, kIterations, &sink);
  benchmark::DoNotOptimize(sink);
  state.counters["GOPS"] = benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsRate);
}

void Bandwidth(benchmark::State& state, const std::string& target) {
  if (!kernels::SetTarget(target)) {
    state.SkipWithError("target is not supported");
    return;
  }
  const size_t bytes = static_cast<size_t>(state.range(0)) * 1024;
  AlignedBuffer<float> data;
  if (!data.Allocate(bytes / sizeof(float))) {
    state.SkipWithError("out of memory");
    return;
  }
  for (auto _ : state) {
    float sum = kernels::ReadAll(data.get(), bytes);
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

bool HasUnit(const std::string& target, kernels::PeakKind kind) {
  float sink = 0.0f;
  return kernels::SetTarget(target) && kernels::RunPeak(kind, 1, &sink) > 0.0;
}

void RegisterAll() {
  const struct {
    const char* name;
    kernels::PeakKind kind;
  } kinds[] = {{"peak_fp32_fma", kernels::PeakKind::kFp32Fma},
               {"peak_fp32_mul_add", kernels::PeakKind::kFp32MulAdd},
               {"peak_u8xi8", kernels::PeakKind::kU8I8},
               {"peak_i16xi16", kernels::PeakKind::kI16},
               {"peak_fp16_fma", kernels::PeakKind::kFp16}};
  for (const std::string& target : kernels::SupportedTargets()) {
    for (const auto& entry : kinds) {
      if (!HasUnit(target, entry.kind)) continue;
      const std::string name = std::string(entry.name) + "/" + target;
      benchmark::RegisterBenchmark(name.c_str(), Peak, target, entry.kind);
    }
    const std::string name = "read_KiB/" + target;
    // 16 KiB lie in L1, 512 KiB in L2, 12 MiB in L3 of most machines, 256 MiB in none.
    benchmark::RegisterBenchmark(name.c_str(), Bandwidth, target)
        ->Arg(16)
        ->Arg(512)
        ->Arg(12 << 10)
        ->Arg(256 << 10);
  }
  kernels::SetTarget("");
}

}  // namespace
}  // namespace glint::bench

int main(int argc, char** argv) {
  glint::bench::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
