// What looks drawn, not photographed: text, screens, line art, whose pixels mostly are like one of
// their neighbours. Called by codec/detail/section_encoder and codec/samples/plain_rows.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_DETAIL_DRAWN_H_
#define GLINT_CODEC_DETAIL_DRAWN_H_

#include <cstddef>
#include <cstdint>

namespace glint::detail {

// Of a block of `channels` interleaved samples, rows `stride` bytes apart: whether at most 35 % of
// its pixels are unlike their neighbours to the left, above, and above to both sides.
bool LooksDrawn(const uint8_t* rows, size_t stride, size_t width, size_t height, size_t channels);

// Whether it has edges such as a model blurs: the mean squared difference of neighbours.
bool HasEdges(const uint8_t* rows, size_t stride, size_t width, size_t height, size_t channels);

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_DRAWN_H_
