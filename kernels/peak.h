// What the machine can do at most, measured on the current SIMD target with one thread.
// Called by codec/api for MeasurePeak, and by benchmarks: percentages are always against a peak of
// the same run.
// Thread rules: one thread at a time.
#ifndef GLINT_KERNELS_PEAK_H_
#define GLINT_KERNELS_PEAK_H_

#include <cstddef>

namespace glint::kernels {

enum class PeakKind { kFp32Fma, kFp32MulAdd, kU8I8, kI16, kFp16 };

// Operations (a multiply and an add are two) of about `iterations` passes over a tile; 0 when the
// target has no such unit. The result of the arithmetic goes to *sink, so that nothing is optimised
// away.
double RunPeak(PeakKind kind, size_t iterations, float* sink);

// 1e9 operations a second of that kind: the best of many short runs; 0 without such a unit.
double MeasurePeakGops(PeakKind kind);

// Reads `bytes` (a multiple of 1024) once, summing; returns the sum.
float ReadAll(const float* data, size_t bytes);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_PEAK_H_
