// Kernels of the detail layer (docs/BITSTREAM.md, "Details"): the difference between two pictures
// of 8 bits to planes of opponent colours, their 8x8 transform, and both ways back. Integers only:
// the same numbers on every target. Called by codec/detail; SquaredError by codec/samples as well.
// Thread rules: pure functions.
//
// Units: planes and coefficients are in sixteenths of a level. A plane of a picture with one
// channel is the difference itself; those of three channels are an orthonormal transform of the
// differences r, g, b (a rotation, so squared errors keep their sum):
//   p0 = (r + g + b) / sqrt 3,  p1 = (r - b) / sqrt 2,  p2 = (r - 2 g + b) / sqrt 6
#ifndef GLINT_KERNELS_DETAIL_H_
#define GLINT_KERNELS_DETAIL_H_

#include <cstddef>
#include <cstdint>

namespace glint::kernels {

inline constexpr size_t kDetailTransform = 8;      // pixels of a transform's side
inline constexpr size_t kDetailCoefficients = 64;  // kDetailTransform squared
inline constexpr int32_t kDetailMostCoefficient = (1 << 17) - 1;

// One row of `pixels` pixels of `channels` (1 or 3) interleaved samples each. planes[p]: `pixels`
// values of plane p.
//   channels 1: plane = 16 d,                    d = source - base
//   channels 3: p0 = (37837 (r + g + b) + 2^11) >> 12,
//               p1 = (46341 (r - b) + 2^11) >> 12,
//               p2 = (26755 (r - 2 g + b) + 2^11) >> 12
// (arithmetic shifts; the factors are 16 * 4096 / sqrt 3, / sqrt 2 and / sqrt 6).
void DetailPlanes(const uint8_t* source, const uint8_t* base, size_t pixels, size_t channels,
                  int16_t* const planes[3]);

// The way back: out = base + difference, limited to 0..top (1 to 255). out may be base.
//   channels 1: difference = (p0 + 8) >> 4
//   channels 3: r = (2365 p0 + 2896 p1 + 1672 p2 + 2^15) >> 16,
//               g = (2365 p0 - 3344 p2 + 2^15) >> 16,
//               b = (2365 p0 - 2896 p1 + 1672 p2 + 2^15) >> 16
void DetailPixels(const uint8_t* base, const int16_t* const planes[3], size_t pixels,
                  size_t channels, int top, uint8_t* out);

// 8x8 transforms, orthonormal DCT-II in integers, with M[u][x] = round(4096 c(u) cos((2 x + 1) u pi
// / 16)), c(0) = sqrt(1/8), c(u) = 1/2 otherwise. Plane rows are `stride` values apart;
// coefficients stand as [v][u], v the vertical frequency.
//
// Forward: t[y][u] = (sum over x of M[u][x] plane[y][x] + 2^9) >> 10, then
//          out[v][u] = (sum over y of M[v][y] t[y][u] + 2^13) >> 14.
// |plane| is at most 2^13.
void DetailForward(const int16_t* plane, size_t stride, int32_t* coefficients);
// Inverse, of levels q and a step (1 to 2^13): w[v][u] = q[v][u] * step, limited to
// +-kDetailMostCoefficient; then
//          t[y][u] = limit((sum over v of M[v][y] w[v][u] + 2^11) >> 12, +-kDetailMostCoefficient),
//          plane[y][x] = limit((sum over u of M[u][x] t[y][u] + 2^11) >> 12, -32767..32767).
// No sum leaves int32.
void DetailInverse(const int16_t* levels, int32_t step, int16_t* plane, size_t stride);

// What the levels of a transform are expected to be, by magnitudes (at most 63) of those that are
// known, each 64 of them, [v][u], or null where there are none: in the transform to the left, in
// that above, and in the planes before at the same place. Fills of[v][u], in 1/24 of a level:
//   activity + 2 s[v][u] + s[v][u - 1] + s[v][u + 1] + s[v - 1][u] + s[v + 1][u]
//            + f (first_plane[v][u] + second_plane[v][u])
// where s = left + above, 0 outside, and f is 3 with a second plane, else 6. activity: at most
// 1023. Returns the sum of all.
struct DetailKnown {
  const uint8_t* left = nullptr;
  const uint8_t* above = nullptr;
  const uint8_t* first_plane = nullptr;
  const uint8_t* second_plane = nullptr;
  uint16_t activity = 0;
};
uint32_t DetailExpect(const DetailKnown& known, uint16_t* of);

// For each 8x8 block of a row of blocks: how lively the picture is there. rows: 8 rows of
// `pixels` pixels, `stride` bytes apart; activity[k]: the sum over the block's pixels of
// |s(x + 1, y) - s(x, y)| + |s(x, y + 1) - s(x, y)|, where only neighbours inside of the block and
// of the picture count, and s is the sample of one channel, or r + 2 g + b of three. The last block
// may be narrower than 8 pixels; `height` (1 to 8) rows are there.
void DetailActivity(const uint8_t* rows, size_t stride, size_t pixels, size_t height,
                    size_t channels, uint32_t* activity);

// Sum of squared differences of n samples.
uint64_t SquaredError(const uint8_t* a, const uint8_t* b, size_t n);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_DETAIL_H_
