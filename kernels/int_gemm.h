// The micro-kernel of the integer forms: kernels/tap_gemm.h with integer products.
//   sum[p][c] = start[c] + sum over taps t, k < run[t] of  tap[t][p * stride[t] + k] * w[t][k][c]
// Sums are int32, of products int16 x int16 or uint8 x int8. Class exact: no sum can leave int32,
// which engine/graph_check sees to, so the order of summation does not matter. Called by kernels/
// only.
// Thread rules: packed weights are immutable and shared by threads.
#ifndef GLINT_KERNELS_INT_GEMM_H_
#define GLINT_KERNELS_INT_GEMM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/aligned_array.h"
#include "kernels/tap_gemm.h"

namespace glint::kernels {

// Products that a 32-bit lane adds up at once: runs are padded to a multiple of it by zero weights.
constexpr size_t GroupOf(Element input) { return input == Element::kU8 ? 4 : 2; }

struct PackedIntTaps {
  Element input = Element::kI16;
  std::vector<uint32_t> groups;  // of each tap: ceil(run / GroupOf(input))
  size_t depth = 0;              // sum of groups
  size_t out_channels = 0;
  size_t lanes = 0;
  bool nonnegative = false;  // no weight is negative
  // [block][tap][group][vectors of the block][lanes] words of GroupOf(input) weights.
  AlignedArray<int32_t> weights;
  AlignedArray<int32_t> start;  // -zero * sum of weights; padded to vectors
  size_t vectors() const { return (out_channels + lanes - 1) / lanes; }
  size_t blocks() const { return (vectors() + 1) / 2; }
  size_t bytes() const { return (depth + 1) * vectors() * lanes * sizeof(int32_t); }
};

// `weights`: dense [sum of runs][out_channels], no run being 0, within int8 for kU8. `zero`: what
// stands for 0 in the input.
PackedIntTaps PackIntTaps(Element input, const std::vector<uint32_t>& runs, size_t out_channels,
                          const int16_t* weights, int zero);
void RunIntTaps(const PackedIntTaps& packed, const TapRow& row, Join join, const Epilogue& epilogue,
                size_t block_begin, size_t block_end);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_INT_GEMM_H_
