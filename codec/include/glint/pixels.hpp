// Pictures in buffers of yours: RGB in any order, gray, and planar YUV, with strides.
// Part of the public interface (C++17). Ownership, errors and thread rules are those of glint.hpp.
#ifndef GLINT_PIXELS_HPP_
#define GLINT_PIXELS_HPP_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "glint/glint.hpp"

namespace glint {

enum class PixelFormat : uint32_t {
  // Interleaved, in this order; 8 or 16 bits a sample.
  kGray = 0,
  kRgb = 1,
  kBgr = 2,
  kRgba = 3,
  kBgra = 4,
  kRgbx = 5,  // x: not read, and written as the greatest value
  kBgrx = 6,
  // Planes of Y, U (Cb) and V (Cr); 8, 10, 12 or 16 bits a sample.
  kYuv444 = 7,
  kYuv420 = 8,  // planes of U and V have half the columns and rows, rounded up
};

// Y = Kr R + (1 - Kr - Kb) G + Kb B, U = (B - Y) / (2 - 2 Kb), V = (R - Y) / (2 - 2 Kr).
enum class YuvMatrix : uint32_t {
  kBt601 = 0,  // Kr 0.299, Kb 0.114: JPEG, and video of standard definition
  kBt709 = 1,  // Kr 0.2126, Kb 0.0722: video of high definition
};

// Which numbers of n bits Y takes from black to white, and U and V around 2^(n-1).
enum class YuvRange : uint32_t {
  kFull = 0,     // 0 to 2^n - 1, and as many for U and V
  kLimited = 1,  // 16 to 235 times 2^(n-8), and 16 to 240 times that for U and V
};

// Samples of more than 8 bits are uint16_t in native byte order, in their low bits, at any address.
// Matrix and range count for YUV; the matrix also where colour becomes gray.
struct PixelLayout {
  PixelFormat format = PixelFormat::kRgb;
  uint32_t bit_depth = 8;
  YuvMatrix matrix = YuvMatrix::kBt601;
  YuvRange range = YuvRange::kFull;
};

// The top row of a plane, and the bytes from each row to the one below it: negative where rows lie
// the other way round, 0: as many as a row has.
struct PixelPlane {
  void* data = nullptr;
  ptrdiff_t stride = 0;
};
struct ConstPixelPlane {
  const void* data = nullptr;
  ptrdiff_t stride = 0;
};

// Interleaved formats use the first plane. What lies between rows is neither read nor written.
struct PixelBuffer {
  PixelLayout layout;
  uint32_t width = 0, height = 0;
  PixelPlane planes[3];
};
struct ConstPixelBuffer {
  PixelLayout layout;
  uint32_t width = 0, height = 0;
  ConstPixelPlane planes[3];
};

// As Encode. YUV becomes RGB row by row, of 16 bits where it has more than 8, rounded to the
// nearest level and limited to what there is; the same on every machine. U and V of kYuv420 lie in
// the middle of four pixels, as in JPEG and MPEG-1, and are interpolated linearly. So what decodes
// is RGB, and YUV that comes back was rounded twice.
GLINT_API Expected<std::vector<uint8_t>> EncodePixels(const Model& model,
                                                      const ConstPixelBuffer& pixels,
                                                      const Metadata& metadata = {},
                                                      const EncodeOptions& options = {},
                                                      Report* report = nullptr);

// As DecodeRows, into `pixels`, whose size must be that of the stream (Inspect tells it), of its
// crop or of what it is shrunk to; else kInvalidArgument, and nothing is written. After other
// errors the content is undefined.
// - A layout without alpha has the picture blended over options.background, unless options.alpha is
//   kDrop. A layout with alpha has an opaque one where the stream has none.
// - Gray is repeated in R, G and B; colour becomes gray as its Y in full range.
// - Depths are scaled to the nearest level. U and V of kYuv420 are those of the mean of four
// pixels;
//   beyond an odd edge the last column or row counts twice.
GLINT_API Error DecodePixels(const Model& model, const void* stream, size_t size,
                             const PixelBuffer& pixels, const DecodeOptions& options = {},
                             Report* report = nullptr);

}  // namespace glint

#endif  // GLINT_PIXELS_HPP_
