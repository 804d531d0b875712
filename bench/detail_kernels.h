// Benchmarks of the detail layer's kernels: nanoseconds a block or a pixel. Called by
// bench_kernels. Thread rules: one thread.
#ifndef GLINT_BENCH_DETAIL_KERNELS_H_
#define GLINT_BENCH_DETAIL_KERNELS_H_

namespace glint::bench {

// detail/inverse/dense, detail/planes/3, ...
void RegisterDetailKernels();

}  // namespace glint::bench

#endif  // GLINT_BENCH_DETAIL_KERNELS_H_
