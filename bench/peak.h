// What the machine can do at most, measured on the current SIMD target with one thread.
// Called by benchmarks: percentages are always against a peak of the same run.
#ifndef GLINT_BENCH_PEAK_H_
#define GLINT_BENCH_PEAK_H_

#include <cstddef>

namespace glint::bench {

enum class PeakKind { kFp32Fma, kFp32MulAdd, kU8I8, kI16, kFp16 };

// Operations (a multiply and an add are two) of `iterations` rounds; 0 when the target has no such
// unit. The result of the arithmetic goes to *sink, so that nothing is optimised away.
double RunPeak(PeakKind kind, size_t iterations, float* sink);

// GFLOP/s of FP32 fused multiply-adds in registers: the best of a few short runs.
double MeasurePeakFp32Gflops();

// Reads `bytes` (a multiple of 1024) once, summing; returns the sum.
float ReadAll(const float* data, size_t bytes);

}  // namespace glint::bench

#endif  // GLINT_BENCH_PEAK_H_
