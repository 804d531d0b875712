// What looks drawn, not photographed: text, screens, line art, whose pixels mostly are like one of
// their neighbours. Called by codec/detail/section_encoder and codec/samples/plain_rows.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_DETAIL_DRAWN_H_
#define GLINT_CODEC_DETAIL_DRAWN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/detail/pixels.h"

namespace glint::detail {

// Of a block of `channels` interleaved samples, rows `stride` bytes apart: whether at most 35 % of
// its pixels are unlike their neighbours to the left, above, and above to both sides.
bool LooksDrawn(const uint8_t* rows, size_t stride, size_t width, size_t height, size_t channels);

// Whether it has edges such as a model blurs: the mean squared difference of neighbours. Samples
// are 0..top.
bool HasEdges(const uint8_t* rows, size_t stride, size_t width, size_t height, size_t channels,
              int top);

// Which blocks the model need not see, as they will be coded by their pixels: those that look
// drawn, have edges, and cost clearly less as pixels than by transforms. Both are estimates: what
// pixels take by coding them, each block without its neighbours; what transforms take by how far
// their coefficients reach beyond a step.
class DrawnBlocks {
 public:
  // `lambda` as EncoderSettings has it. Samples are 0..top.
  DrawnBlocks(size_t channels, int top, double lambda);
  static uint64_t MemoryNeeded();

  // Blocks in order, from left to right and down; it learns from each that looks drawn.
  bool IsDrawn(const uint8_t* rows, size_t stride, size_t width, size_t height);

 private:
  double PixelCost(const uint8_t* rows, size_t stride, size_t width, size_t height);
  bool TransformsCostMore(double bits, const uint8_t* rows, size_t stride, size_t width,
                          size_t height);

  const size_t channels_;
  const int top_;
  const double lambda_;  // of pixels of all channels, for levels of 0..top
  PixelCoder pixels_;
  PixelField field_;
  std::vector<uint8_t> mean_;  // a row of the block's mean
  std::vector<int16_t> planes_;
};

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_DRAWN_H_
