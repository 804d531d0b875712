// Sections of the detail layer: a chunk's payload, and rows of the base, to rows of the picture.
// docs/BITSTREAM.md, "Details". Called by codec/api/decoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_DETAIL_SECTION_DECODER_H_
#define GLINT_CODEC_DETAIL_SECTION_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/detail/binary_coder.h"
#include "codec/detail/gray_rows.h"
#include "codec/detail/section.h"
#include "engine/status.h"

namespace glint::detail {

class SectionDecoder {
 public:
  // Of pictures `width` pixels wide, of `channels` (1 or 3) samples of 0..top.
  SectionDecoder(size_t width, size_t channels, int top);
  static uint64_t MemoryNeeded(size_t width, size_t channels);

  // The payload must stay until Finish. Errors: kBadStream, kUnsupported.
  Status Begin(std::span<const uint8_t> payload);
  // Rows of blocks from top to bottom, in place: see BlockRow. kBadStream.
  Status DecodeRow(const BlockRow& row);
  // After the section's last row: whether all of the payload was used.
  Status Finish() const;

 private:
  bool DecodeBlock(size_t block, ReadPort* port);
  bool DecodeTransforms(size_t block, ReadPort* port);
  bool DecodePixels(size_t block, BlockKind kind, ReadPort* port);

  SectionState state_;
  GrayRows gray_;
  BinaryDecoder bits_;
  RawReader raw_;
  std::vector<int16_t> planes_;  // of a block
  PixelField field_;
};

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_SECTION_DECODER_H_
