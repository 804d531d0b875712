// Depthwise convolutions, row by row: each channel is filtered by a kernel of its own. Vectors lie
// across channels, so that every product is a vector of inputs times one of weights. Floats,
// float16 inputs, or integers. Called by engine/ only. Thread rules: a Depthwise is immutable after
// construction and may run on many threads at once.
#ifndef GLINT_KERNELS_DEPTHWISE_H_
#define GLINT_KERNELS_DEPTHWISE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/aligned_array.h"
#include "kernels/conv.h"
#include "kernels/element.h"

namespace glint::kernels {

struct DepthwiseSpec {
  size_t channels = 0;
  size_t rows = 1;  // of the kernel: odd, at most kMaxKernel, as are its columns
  size_t columns = 1;
  size_t stride = 1;  // 1 or 2
  // kExact: each output is one chain: acc = bias, then for ky, kx: acc = acc + w * x. As in
  // kernels/conv.h.
  Numerics numerics = Numerics::kClose;

  size_t row_padding() const { return (rows - 1) / 2; }
  size_t column_padding() const { return (columns - 1) / 2; }
};

class Depthwise {
 public:
  // `weight`: [channels][rows][columns]; `bias` may be null. Packs for the SIMD target chosen at
  // this moment. `input`: what rows hold, kF32 or kF16. Sums are in float.
  Depthwise(const DepthwiseSpec& spec, const float* weight, const float* bias, Element input);
  // Integer products of `input` (kI16, or kU8 with weights within int8); class exact whatever
  // spec.numerics says. `zero`: what stands for 0 in a kU8 input. No sum of products may leave
  // int32. Bias and scale are the epilogue's.
  Depthwise(const DepthwiseSpec& spec, Element input, const int16_t* weight, int zero);

  const DepthwiseSpec& spec() const { return packed_.spec; }
  Element input() const { return packed_.input; }
  // As those of kernels/conv.h, for rows of one source. Run makes tiles of kRowsAtOnce rows one
  // after the other, so that rows of the input are in L1 for all outputs that read them.
  static constexpr size_t kRowsAtOnce = 8;
  size_t TapRows(int64_t oy, int64_t* iy) const;
  size_t blocks() const;
  size_t BlocksTogether() const { return blocks(); }  // as Conv's
  size_t packed_bytes() const;
  double MacsPerPixel() const;
  void Run(const ConvRow* rows, size_t count, const Epilogue& epilogue, size_t block_begin,
           size_t block_end, float* scratch = nullptr) const;  // needs none

  // Weights and what sums begin with, for vectors of channels.
  struct Packed {
    DepthwiseSpec spec;
    Element input = Element::kF32;
    size_t lanes = 0;  // of the target that it was packed for
    // [vector][tap][lanes] floats. Of integers [vector][group of rows][column][lanes] words: a word
    // holds the weights of as many rows as a lane multiplies at once.
    AlignedArray<float> weights;
    AlignedArray<int32_t> words;
    AlignedArray<float> bias;     // of floats
    AlignedArray<int32_t> start;  // of integers: -zero * sum of weights
    size_t vectors() const { return (spec.channels + lanes - 1) / lanes; }
    size_t depth = 0;  // vectors of weights for one of outputs
  };

 private:
  Packed packed_;
};

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_DEPTHWISE_H_
