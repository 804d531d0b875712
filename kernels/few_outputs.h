// The last layer: transposed convolutions of stride 2 with few outputs. Where a vector holds
// outputs of one pixel most of its lanes are empty, so here lanes are neighbouring pixels. Rows of
// input are turned first, so that a channel's pixels lie side by side; then each weight multiplies
// a vector of pixels. Two rows of output are made at once, from up to three rows of input.
// Called by kernels/conv.cc only.
// Thread rules: packed weights are immutable and shared by threads, the scratch belongs to one.
#ifndef GLINT_KERNELS_FEW_OUTPUTS_H_
#define GLINT_KERNELS_FEW_OUTPUTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/conv.h"

namespace glint::kernels {

struct PackedFewOutputs {
  Element input = Element::kF32;
  size_t kernel = 0;    // 3, 4 or 5
  size_t channels = 0;  // of the input
  size_t words = 0;     // of 32 bits, of an input pixel: floats, pairs of int16, fours of bytes
  size_t outputs = 0;
  // Bits of words: [row of output][word][row of input][place][output]. A place is a column of
  // output and a distance to the column of input (kPlacesOf5, kPlacesOf4).
  std::vector<int32_t> weights;
  std::vector<int32_t> start;  // bits of what a sum begins with, [row of output][column][output]
  size_t bytes() const { return (weights.size() + start.size()) * sizeof(int32_t); }
};

// `weight`: PyTorch's layout, [in][out][k][k]; `bias` may be null. Float16 inputs are widened.
PackedFewOutputs PackFewOutputs(const ConvSpec& spec, Element input, const float* weight,
                                const float* bias);
PackedFewOutputs PackFewOutputs(const ConvSpec& spec, Element input, const int16_t* weight,
                                int zero);

// Rows that a pair of output rows (2m, 2m + 1) reads: m + first .. m + 1, in this order in
// ConvRow::in.
constexpr int64_t FirstRowOfPair(size_t kernel) { return kernel == 3 ? 0 : -1; }

size_t FewOutputsScratchFloats(const PackedFewOutputs& packed);
// `count` pairs of rows. Those that follow each other share rows of input, which are turned once.
void RunFewOutputs(const PackedFewOutputs& packed, const ConvRow* rows, size_t count,
                   const Epilogue& epilogue, float* scratch);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_FEW_OUTPUTS_H_
