// How a micro-kernel of tiles covers a row: kTile pixels by two vectors of outputs at a time, and
// what is left with smaller tiles. Included by the GEMMs of kernels/ only, once per SIMD target.
// Thread rules: functions of their arguments.

// The guard toggles: every target compiles its own copy.
#if defined(GLINT_KERNELS_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLINT_KERNELS_TILES_INL_H_
#undef GLINT_KERNELS_TILES_INL_H_
#else
#define GLINT_KERNELS_TILES_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kernels/tap_gemm.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {

// Pixels x 2 vectors of sums, 2 of weights and 1 or 2 of inputs fill 32 (16) registers; every
// weight that is loaded serves all pixels, every input that is broadcast serves two vectors.
constexpr size_t kTile = HWY_TARGET <= HWY_AVX3 ? 12 : 6;

// One vector of outputs leaves room for 12 pixels on every target; hiding the latency of the
// multiply-adds needs as many sums.
template <size_t W, class Tile>
HWY_INLINE void ForPixels(size_t pixels, size_t vector, const Tile& tile) {
  constexpr size_t kMost = W == 1 ? 12 : kTile;
  size_t p = 0;
  for (; p + kMost <= pixels; p += kMost) tile.template Run<kMost, W>(p, vector);
  if (kMost > 6 && p + 6 <= pixels) {
    tile.template Run<6, W>(p, vector);
    p += 6;
  }
  for (; p + 3 <= pixels; p += 3) tile.template Run<3, W>(p, vector);
  for (; p < pixels; ++p) tile.template Run<1, W>(p, vector);
}

// Blocks [block_begin, block_end) of two vectors each, the last of all may be one.
// tile.Run<P, W>(pixel, vector) computes P pixels from `pixel` on by W vectors from `vector` on.
template <class Tile>
void ForTiles(size_t pixels, size_t vectors, size_t block_begin, size_t block_end,
              const Tile& tile) {
  for (size_t block = block_begin; block < block_end; ++block) {
    if (2 * block + 2 <= vectors) {
      ForPixels<2>(pixels, 2 * block, tile);
    } else {
      ForPixels<1>(pixels, 2 * block, tile);
    }
  }
}

// kSplitRows: stores the outputs of one input pixel at their places in two rows and two columns.
HWY_INLINE void SplitPixel(const float* HWY_RESTRICT values, const TapRow& row, size_t out_channels,
                           size_t pixel) {
  const size_t colours = row.colours;
  for (size_t c = 0, phase = 0; c < out_channels; c += colours, ++phase) {
    float* to = static_cast<float*>(phase < 2 ? row.out : row.out_second);
    to += pixel * row.out_stride + phase % 2 * (row.out_stride / 2);
    for (size_t i = 0; i < colours; ++i) to[i] = values[c + i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_TILES_INL_H_
