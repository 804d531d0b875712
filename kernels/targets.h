// SIMD targets: which ones this machine can run, and limiting the choice (tests, --target and
// GLINT_TARGET of the programs). Called by engine/, codec/, tests and benchmarks.
// Thread rules: the choice is the process's. Set it before models are loaded, because weights are
// packed for the target chosen at that moment.
#ifndef GLINT_KERNELS_TARGETS_H_
#define GLINT_KERNELS_TARGETS_H_

#include <string>
#include <vector>

namespace glint::kernels {

// Names (as Highway's, "AVX3_DL", "AVX2", "SSE4", ...) that were compiled in and run here, best
// first. One is ours: "AVX2_VNNI" is AVX2 where the CPU has AVX-VNNI, products of bytes and of
// int16 in vectors of 256 bits (Intel's CPUs without AVX-512 since 2021, AMD's since Zen 5).
std::vector<std::string> SupportedTargets();
// The target that kernels use now.
std::string CurrentTarget();
// True when uint8 x int8 products cost less than int16 x int16 on the current target (VNNI).
bool HasFastBytes();
// True when the current target is AVX2_VNNI.
bool UsesAvxVnni();
// True when an instruction widens float16 to float (F16C, Arm): float16 weights and tensors then
// cost about what floats do.
bool HasFastFloat16();
// True when the current target multiplies and adds float16 (Arm with FP16; AVX3_SPR, which
// .cmake/Targets.cmake leaves out).
bool HasFloat16Sums();
// True where the engine is to use them. On AVX3_SPR they took twice the time of sums in float
// (docs/PERFORMANCE.md), and saturated colours came out two levels off those of other machines.
bool HasFastFloat16Sums();
// Limits the choice to `name` (case-insensitive); "" or "best": no limit. False when it is not
// supported.
bool SetTarget(const std::string& name);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_TARGETS_H_
