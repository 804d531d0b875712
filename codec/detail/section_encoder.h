// Sections of the detail layer: rows of a picture and of its base to a chunk's payload. Each block
// gets what costs least: squared error + lambda * bits.
// docs/BITSTREAM.md, "Details". Called by codec/api/encoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_DETAIL_SECTION_ENCODER_H_
#define GLINT_CODEC_DETAIL_SECTION_ENCODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/detail/binary_coder.h"
#include "codec/detail/gray_rows.h"
#include "codec/detail/section.h"
#include "codec/detail/transform_search.h"

namespace glint::detail {

struct EncoderSettings {
  // What a bit is worth: squared error in levels of 8 bits, of one channel and summed over its
  // pixels. Pixels of three channels have three times that.
  double lambda = 1;
  // The same in blocks that are not drawn, where errors may weigh less; 0: no less.
  double photograph_lambda = 0;
  bool exact_base = false;
  bool every_block = false;  // none is off
  int max_error = -1;  // levels that a sample may be off at most, all blocks are pixels; -1: any
};

class SectionEncoder {
 public:
  // Of pictures `width` pixels wide, of `channels` (1 or 3) samples of 0..top.
  SectionEncoder(size_t width, size_t channels, int top, const EncoderSettings& settings);
  static uint64_t MemoryNeeded(size_t width, size_t channels);

  void Begin();
  // Rows of blocks from top to bottom. `row` (see BlockRow): the base, and afterwards what a
  // decoder has. `source`: the picture's rows, `stride` apart.
  void EncodeRow(const uint8_t* source, size_t stride, const BlockRow& row);
  // Appends the payload.
  void Finish(std::vector<uint8_t>* payload);

  // Since the object was made: bits that details are worth more than they take, where squared error
  // counts as bits by lambda. Without limit where every block has details.
  double worth() const { return worth_; }

  // What each block took that the last EncodeRow coded.
  const std::vector<float>& block_bits() const { return block_bits_; }

  // Since the object was made: blocks of each kind.
  const std::array<uint64_t, kBlockKinds>& blocks() const { return blocks_; }

 private:
  struct Candidate {
    BlockKind kind = BlockKind::kOff;
    PixelMode mode = PixelMode::kDrawn;  // of pixels
    double cost = 0;                     // squared error + lambda * bits
  };
  struct Source {
    const uint8_t* rows;
    size_t stride;
  };

  bool IsGray(const uint8_t* source, size_t stride, size_t height) const;
  void EncodeBlock(size_t block, const Source& source);
  double BitCost(double bits) const { return double{lambda_} * bits; }
  double BitsTaken() const { return bits_.bits() + static_cast<double>(raw_.bits()); }
  double BaseError(size_t block, const Source& source) const;
  void Transform(size_t block, const Source& source);
  Candidate WeighTransforms(size_t block, const Source& source, double most);
  Candidate WeighPixels(size_t block, const Source& source, BlockKind kind, PixelMode mode);
  Candidate WeighRaw(size_t block);
  Candidate WeighPhotograph(size_t block, const Source& source, BlockKind nearest);
  Candidate WeighDrawing(size_t block, const Source& source, BlockKind nearest);
  Candidate WithinLimit(size_t block, const Source& source);
  // Of one colour.
  bool IsPlain(size_t block, const Source& source) const;
  bool IsDrawing(size_t block, const Source& source) const;
  PixelCoder::Block PixelsOf(size_t block, const Source& source, const Candidate& candidate) const;
  void Write(size_t block, const Source& source, const Candidate& candidate);
  void WriteTransforms(size_t block, WritePort* port);

  const size_t width_, channels_;
  const EncoderSettings settings_;
  const double lambda_per_channel_;  // for levels of 0..top
  const double photograph_lambda_per_channel_;
  SectionState state_;
  GrayRows gray_, gray_source_;
  SectionHead head_;
  float drawn_lambda_ = 1, photograph_lambda_ = 1;  // of the row's pixels
  float lambda_ = 1;                                // of the block: one of the two
  double worth_ = 0;
  std::vector<float> block_bits_;
  std::array<uint64_t, kBlockKinds> blocks_{};
  BinaryEncoder bits_;
  RawWriter raw_;
  // Of a block.
  std::vector<int16_t> planes_;
  std::vector<int32_t> coefficients_;
  std::vector<Levels> levels_;
  PixelField field_;
  MagnitudeField::Saved saved_;
};

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_SECTION_ENCODER_H_
