// The one micro-kernel behind convolutions and GDN: a GEMM whose left side is read through taps.
//   out[p][c] = bias[c] + sum over taps t, k < run[t] of  tap[t][p * stride[t] + k] * w[t][k][c]
// A tap is one row pointer of the left side: for a convolution, one position of its kernel.
// Inputs and weights are floats or float16. The kernel widens float16 next to the products, so that
// memory holds two bytes for each. Where the target multiplies float16, sums of the close class may
// be float16 too, over short blocks that are added up in float. Called by kernels/ only.
// Thread rules: packed weights are immutable and shared by threads.
#ifndef GLINT_KERNELS_TAP_GEMM_H_
#define GLINT_KERNELS_TAP_GEMM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/aligned_array.h"
#include "kernels/conv.h"

namespace glint::kernels {

// The block of float16 sums: so many products of one tap are summed in float16, in two chains (even
// and odd ones), before they go to a float sum. The error of a block is 7e-4 of its value (rms;
// tests/float16_sums_test.cc), with which light loses 0.03 % of bits. Blocks half as long lose
// nothing but bring little speed, because ending a block takes as long as 10 products.
inline constexpr size_t kFloat16Block = 32;

struct PackedTaps {
  Element input = Element::kF32;    // or kF16
  Element element = Element::kF32;  // of the weights; or kF16
  bool float16_sums = false;        // runs are padded to pairs, weights are [pair][lane][2]
  std::vector<uint32_t> runs;       // of each tap
  size_t depth = 0;                 // sum of runs
  size_t out_channels = 0;
  size_t lanes = 0;  // of the target that it was packed for
  // [block][tap][k][vectors of the block][lanes]; a block is two vectors, the last may be one.
  AlignedArray<uint8_t> weights;
  AlignedArray<float> bias;  // padded to vectors
  size_t vectors() const { return (out_channels + lanes - 1) / lanes; }
  size_t blocks() const { return (vectors() + 1) / 2; }
  size_t bytes() const { return (depth * BytesOf(element) + sizeof(float)) * vectors() * lanes; }
};

// What the epilogue does with the sums and the residual of a row. Those of a GDN, whose `residual`
// is x, are followed by the gain alone.
enum class Join {
  kNone,          // there is no residual
  kAdd,           // residual + sum
  kDivide,        // residual / sum
  kMultiply,      // residual * sum
  kDivideRoot,    // residual / sqrt(sum); sums of integers: of sum * pixel_scale * scale + bias
  kMultiplyRoot,  // residual * sqrt(sum)
};

// Pointers are to elements of the types that kernel and epilogue name; strides count elements.
struct TapRow {
  const void* const* taps = nullptr;  // input of pixel 0, by tap
  const size_t* strides = nullptr;    // elements per pixel, by tap
  void* out = nullptr;
  size_t out_stride = 0;
  const void* residual = nullptr;
  size_t residual_stride = 0;
  const float* pixel_scale = nullptr;  // by pixel; roots of integer sums only
  size_t pixels = 0;
};

// Sums of some pixels in memory, [pixel][vector][lane], and where they belong.
template <typename T>
struct Sums {
  const T* sums;
  size_t first_pixel;
  size_t pixels;
  size_t channel;
};

// How to finish sums of one and of two vectors a pixel.
template <typename T>
struct Finisher {
  using Function = void (*)(const Sums<T>& from, const TapRow& row, size_t out_channels,
                            const Epilogue& epilogue);
  Function one;
  Function two;
};

// What a GEMM is packed for. `element` kF16: weights are kept in float16 if that can hold them all.
// `most`: no input is larger, so float16 sums are used where they cannot leave their range; 0: no
// float16 sums.
struct TapTypes {
  Element input = Element::kF32;
  Element element = Element::kF32;
  float most = 0.0f;
};

// `weights`: dense [depth][out_channels]; `bias` may be null.
PackedTaps PackTaps(const TapTypes& types, const std::vector<uint32_t>& runs, size_t out_channels,
                    const float* weights, const float* bias);
// Pixels that a tile of the current target holds.
size_t TilePixels();
// Floats of a vector of the current target.
size_t VectorLanes();
void RunTaps(const PackedTaps& packed, const TapRow& row, Numerics numerics, Join join,
             const Epilogue& epilogue, size_t block_begin, size_t block_end);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_TAP_GEMM_H_
