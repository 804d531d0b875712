// Benchmarks of rANS: symbols a second, by the number of states. Called by bench_kernels.
// Thread rules: one thread.
#ifndef GLINT_BENCH_ENTROPY_CODING_H_
#define GLINT_BENCH_ENTROPY_CODING_H_

namespace glint::bench {

// rans/encode/states:2, rans/decode/states:2, ...
void RegisterEntropyCoding();

}  // namespace glint::bench

#endif  // GLINT_BENCH_ENTROPY_CODING_H_
