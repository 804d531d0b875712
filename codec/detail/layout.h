// What the parts of the detail layer agree on: sizes, kinds of blocks, limits. docs/BITSTREAM.md,
// "Details". Called by codec/detail, and by codec/api for sizes.
// Thread rules: values.
#ifndef GLINT_CODEC_DETAIL_LAYOUT_H_
#define GLINT_CODEC_DETAIL_LAYOUT_H_

#include <cstddef>
#include <cstdint>

namespace glint::detail {

inline constexpr size_t kBlock = 64;            // pixels of a block's side
inline constexpr int64_t kSectionRows = 1024;   // rows of the picture whose details are one chunk
inline constexpr size_t kTransformsAcross = 8;  // 8x8 transforms along a block's side
inline constexpr int kMostStep = 1 << 13;       // of quantisation, in sixteenths of a level
inline constexpr int kMostNear = 127;           // levels

// What a block's details are.
enum class BlockKind : uint8_t {
  kOff,        // none
  kTransform,  // quantised 8x8 transforms of the difference
  kPixels,     // the pixels themselves
  kNear,       // the pixels, each sample at most `near` levels off
};
inline constexpr size_t kBlockKinds = 4;
inline bool HasPixels(BlockKind kind) { return kind >= BlockKind::kPixels; }

// What a section says before its blocks.
struct SectionHead {
  // The decoder's picture before details is known to the last bit, so contexts may look at it, and
  // pixels may be predicted from it.
  bool exact_base = false;
  int step = kMostStep;  // 1 to kMostStep
  int near = 0;          // 0 to kMostNear
};

// The step of a row of blocks in gray of a picture of three channels: step / sqrt 3, as the first
// of the planes of colour is sqrt 3 times as large as a plane of gray.
inline int GrayStep(int step) { return step * 37 >= 64 ? step * 37 / 64 : 1; }

// Squared errors in levels of 8 bits for each of levels of 0..top: as lambda is of the former,
// lambda / ErrorScale(top) is that of the latter.
inline double ErrorScale(int top) { return (255.0 / top) * (255.0 / top); }

// Sections of a picture.
inline size_t Sections(uint32_t height) {
  return (size_t{height} + size_t{kSectionRows} - 1) / size_t{kSectionRows};
}

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_LAYOUT_H_
