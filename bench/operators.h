// Benchmarks of whole operators, made from their descriptions in tests/ops/: planned as in a model,
// and timed by the executor's own profile. Called by bench_kernels.
// Thread rules: one thread.
#ifndef GLINT_BENCH_OPERATORS_H_
#define GLINT_BENCH_OPERATORS_H_

namespace glint::bench {

// One for each operator, precision and number of channels: operator/sigmoid/fp32/192.
void RegisterOperators();

}  // namespace glint::bench

#endif  // GLINT_BENCH_OPERATORS_H_
