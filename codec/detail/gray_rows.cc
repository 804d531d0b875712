#include "codec/detail/gray_rows.h"

#include <cstring>

namespace glint::detail {

BlockRow GrayRows::FromColour(const uint8_t* colour, size_t stride, size_t height) {
  samples_.resize(static_cast<size_t>(MemoryNeeded(width_)));
  if (height_ >= kPixelHaloRows) {
    std::memmove(samples_.data(), samples_.data() + height_ * width_, kPixelHaloRows * width_);
  }
  height_ = height;
  for (size_t y = 0; y < height; ++y) {
    const uint8_t* from = colour + y * stride;
    uint8_t* const to = rows() + y * width_;
    for (size_t x = 0; x < width_; ++x, from += 3) {
      to[x] = static_cast<uint8_t>((from[0] + from[1] + from[2] + 1) / 3);
    }
  }
  return {rows(), width_, height};
}

void GrayRows::ToColour(const BlockRow& row) const {
  for (size_t y = 0; y < row.height; ++y) {
    const uint8_t* const from = samples_.data() + (kPixelHaloRows + y) * width_;
    uint8_t* to = row.rows + y * row.stride;
    for (size_t x = 0; x < width_; ++x, to += 3) to[0] = to[1] = to[2] = from[x];
  }
}

}  // namespace glint::detail
