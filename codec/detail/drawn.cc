#include "codec/detail/drawn.h"

#include <cstring>

#include "kernels/detail.h"

namespace glint::detail {
namespace {

constexpr uint64_t kMostUnlikePercent = 35;
// Squared levels. Photographs of which so many pixels are alike are skies, far below.
constexpr uint64_t kLeastDifference = 60;

}  // namespace

bool LooksDrawn(const uint8_t* rows, size_t stride, size_t width, size_t height, size_t channels) {
  uint64_t unlike = 0, seen = 0;
  for (size_t y = 1; y < height; ++y) {
    const uint8_t* pixel = rows + y * stride + channels;
    const uint8_t* above = pixel - stride;
    for (size_t x = 1; x + 1 < width; ++x, pixel += channels, above += channels) {
      bool left = true, up = true, up_left = true, up_right = true;
      for (size_t c = 0; c < channels; ++c) {
        left = left && pixel[c] == pixel[c - channels];
        up = up && pixel[c] == above[c];
        up_left = up_left && pixel[c] == above[c - channels];
        up_right = up_right && pixel[c] == above[c + channels];
      }
      unlike += !(left || up || up_left || up_right);
      ++seen;
    }
  }
  return unlike * 100 <= kMostUnlikePercent * seen;
}

bool HasEdges(const uint8_t* rows, size_t stride, size_t width, size_t height, size_t channels) {
  uint64_t error = 0;
  const size_t samples = width * channels;
  for (size_t y = 0; y < height; ++y) {
    const uint8_t* const row = rows + y * stride;
    if (width > 1) error += kernels::SquaredError(row, row + channels, samples - channels);
    if (y > 0) error += kernels::SquaredError(row, row - stride, samples);
  }
  return error >= kLeastDifference * samples * height;
}

}  // namespace glint::detail
