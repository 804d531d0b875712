// Convolutions, row by row: conv2d (any odd kernel, stride 1 or 2, dense or masked) and
// conv_transpose2d (stride 2, kernels 3, 4, 5, by phases). Each is an implicit GEMM over packed
// weights, of floats, float16 or integers. Called by engine/ only.
// Thread rules: a Conv is immutable after construction and may run on many threads at once.
#ifndef GLINT_KERNELS_CONV_H_
#define GLINT_KERNELS_CONV_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/element.h"

namespace glint::kernels {

inline constexpr size_t kMaxSources = 4;
inline constexpr size_t kMaxKernel = 15;

// kExact: each output is one chain: acc = bias, then for source, ky, kx, ic: acc = acc + w * x. The
// product is rounded before it is added, so the bits are the same on every target.
// kClose: fused multiply-adds, with an error within the usual bound of a float32 dot product.
enum class Numerics { kExact, kClose };

// Which taps of a kernel exist. kCheckerboard: those with ky + kx odd. kCausal: those that a scan
// row by row, from left to right, has passed before it comes to the middle.
enum class ConvMask { kNone, kCheckerboard, kCausal };

constexpr bool IsLiveTap(ConvMask mask, size_t kernel, size_t ky, size_t kx) {
  if (mask == ConvMask::kCheckerboard) return (ky + kx) % 2 == 1;
  return mask == ConvMask::kNone || ky * kernel + kx < kernel * kernel / 2;
}

struct ConvSpec {
  enum class Kind { kConv, kTranspose };
  Kind kind = Kind::kConv;
  size_t kernel = 1;
  size_t stride = 1;  // transposed: 2
  size_t padding = 0;
  ConvMask mask = ConvMask::kNone;  // conv only
  // Each pixel of the one source has what all live taps read, [tap][input channel], so the kernel
  // moves over pixels like one of 1x1. Conv only, stride 1.
  bool gathered = false;
  // The input channels, split over several tensors: a concatenation that is never copied.
  // Several sources need kernel 1.
  size_t sources = 1;
  std::array<size_t, kMaxSources> in_channels{};
  size_t out_channels = 0;
  Numerics numerics = Numerics::kClose;
  // Transposed convolutions with few outputs (the last layer) make rows in pairs (2m, 2m+1), their
  // lanes being pixels (kernels/few_outputs.h). The order of summation is not that of the exact
  // class.
  bool paired_rows() const {
    return kind == Kind::kTranspose && numerics == Numerics::kClose && out_channels <= 4;
  }
};

// One row of output. Pointers are to pixel 0 of a row, of elements that the Conv and the epilogue
// name. The halo must be there: pixels left of 0 and right of the width, as far as the kernel
// reaches (ReadsLeft, ReadsRight), which hold what stands for zero. Kernels of integers may read up
// to three elements past the last pixel's channels, those of float16 up to a vector.
struct ConvRow {
  // Row pointers, [source][tap row] flattened as source * kMaxKernel + i; i counts the tap rows in
  // the order that TapRows gives.
  std::array<const void*, kMaxSources * kMaxKernel> in{};
  std::array<size_t, kMaxSources> in_pixel_stride{};  // elements between neighbouring input pixels
  std::array<bool, kMaxSources>
      in_compact{};  // the source holds only the positions wanted (kernel 1)
  void* out = nullptr;
  void* out_second = nullptr;   // paired_rows: row 2m+1
  size_t out_pixel_stride = 0;  // elements between neighbouring pixels written
  size_t phase = 0;             // transposed: output row & 1 (paired_rows: 0)
  // Output pixel j stands at column x_first + j * x_stride of the full row. All pixels: 0 and 1.
  // One parity of the checkerboard: its first column and 2 (conv with stride 1 only). `pixels`
  // counts the output pixels of the row (transposed: of the whole output row, an even number).
  size_t x_first = 0;
  size_t x_stride = 1;
  size_t pixels = 0;
  const void* residual = nullptr;  // nullptr, or a row at the output's positions to be added
  size_t residual_pixel_stride = 0;
};

class Conv {
 public:
  // `weight` in PyTorch's layout: [out][in][k][k], transposed [in][out][k][k]; `bias` may be null.
  // Packs for the SIMD target chosen at this moment. `input`: what rows hold, kF32 or kF16. `kept`:
  // what weights are kept as, kF32, or kF16 where float16 can hold them all.
  // Sums are in float. Four things together make them blocks of float16 sums: the close class;
  // inputs and weights in float16; a target with arithmetic on float16; and `most`, which no input
  // exceeds (0: unknown), so small that no block can leave the range of float16.
  Conv(const ConvSpec& spec, const float* weight, const float* bias, Element input = Element::kF32,
       Element kept = Element::kF32, float most = 0.0f);
  // Integer products of `input` (kI16, or kU8 with weights within int8) and int16 weights; class
  // exact whatever spec.numerics says. `zero`: what stands for 0 in a kU8 input. No sum of products
  // may leave int32. Bias and scale are the epilogue's.
  Conv(const ConvSpec& spec, Element input, const int16_t* weight, int zero);
  ~Conv();
  Conv(Conv&&) noexcept;
  Conv& operator=(Conv&&) noexcept;

  const ConvSpec& spec() const;
  Element input() const;
  bool float16_sums() const;
  // Input rows that output row `oy` reads (may lie outside the picture: pass a row of zeros), in
  // the order of ConvRow::in. Returns their number. paired_rows: of the pair (oy, oy + 1), oy even.
  size_t TapRows(int64_t oy, int64_t* iy) const;
  // Pixels that are read beyond either end of an input row of `in_width` pixels.
  size_t ReadsLeft() const;
  size_t ReadsRight() const;
  // Output channels are computed in this many independent blocks.
  size_t blocks() const;
  // So many blocks, at least one, go through the rows together, because the cache keeps the weights
  // of all of them.
  size_t BlocksTogether() const;
  size_t packed_bytes() const;
  // Multiply-adds per output pixel (live taps).
  double MacsPerPixel() const;

  // Memory that Run needs, of one thread; 0: none.
  size_t ScratchFloats() const;
  // Blocks [block_begin, block_end) of all `count` rows. BlocksTogether() of them go through all
  // rows before the next ones, so that their weights stay in cache. paired_rows: neighbouring
  // pairs.
  void Run(const ConvRow* rows, size_t count, const Epilogue& epilogue, size_t block_begin,
           size_t block_end, float* scratch = nullptr) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_CONV_H_
