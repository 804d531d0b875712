// How a micro-kernel of tiles covers a row: kTile pixels by two vectors of outputs at a time, and
// what is left with smaller tiles; the epilogue follows a few tiles at once. Included by the GEMMs
// of kernels/ only, once per SIMD target. Thread rules: functions of their arguments.

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

// Pixels whose sums wait for the epilogue together: a few tiles, so that the epilogue's constants
// are loaded rarely; and few enough that the sums stay in L1 (6 KiB at most).
constexpr size_t kChunk = 4 * kTile;

// For RunBlocks: all goes through sums in memory.
struct NoTiles {
  size_t Run(size_t, size_t begin, size_t) const { return begin; }
};

// Blocks [block_begin, block_end) of two vectors each, the last of all may be one. A chunk of
// pixels goes through all of them, so that what it reads and writes is in L1 meanwhile.
// Tile{packed, row, x, sums}.Run<P, W>(pixel, vector) sums P pixels from x + `pixel` on by W
// vectors from `vector` on. What can be made from products to epilogue at once, whole.Run(vector,
// begin, end) makes: pixels from `begin` on, by two vectors of outputs. It returns the first pixel
// that is left.
template <class Tile, class Packed, class Whole>
void RunBlocks(const Packed& packed, const TapRow& row, const Epilogue& epilogue,
               const Finisher<typename Tile::Sum>& finisher, const Whole& whole, size_t block_begin,
               size_t block_end) {
  HWY_ALIGN typename Tile::Sum sums[kChunk * 2 * HWY_MAX_BYTES / sizeof(float)];
  for (size_t x = 0; x < row.pixels; x += kChunk) {
    const size_t end = HWY_MIN(x + kChunk, row.pixels);
    for (size_t block = block_begin; block < block_end; ++block) {
      const size_t vector = 2 * block;
      const bool two = vector + 2 <= packed.vectors();
      const size_t begin = whole.Run(vector, x, end);
      if (begin == end) continue;
      const Tile tile{packed, row, begin, sums};
      if (two) {
        ForPixels<2>(end - begin, vector, tile);
      } else {
        ForPixels<1>(end - begin, vector, tile);
      }
      const auto finish = two ? finisher.two : finisher.one;
      finish({sums, begin, end - begin, vector * packed.lanes}, row, packed.out_channels, epilogue);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_TILES_INL_H_
