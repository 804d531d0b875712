// Rows of blocks of a gray section of a picture of three channels: the mean of the three, which is
// what is coded, and back. Called by codec/detail/section_decoder and section_encoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_DETAIL_GRAY_ROWS_H_
#define GLINT_CODEC_DETAIL_GRAY_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/detail/layout.h"
#include "codec/detail/section.h"

namespace glint::detail {

class GrayRows {
 public:
  explicit GrayRows(size_t width) : width_(width) {}
  static uint64_t MemoryNeeded(size_t width) { return width * (kBlock + kPixelHaloRows); }

  // The means, floor((r + g + b + 1) / 3), of a row of blocks; the rows above it are those of the
  // row before.
  BlockRow FromColour(const uint8_t* colour, size_t stride, size_t height);
  // What became of them, to all three channels.
  void ToColour(const BlockRow& row) const;

 private:
  uint8_t* rows() { return samples_.data() + kPixelHaloRows * width_; }

  const size_t width_;
  size_t height_ = 0;  // of the row before
  std::vector<uint8_t> samples_;
};

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_GRAY_ROWS_H_
