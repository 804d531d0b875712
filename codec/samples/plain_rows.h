// What the model sees of a picture whose details are coded too: blocks that look drawn, which are
// coded pixel by pixel, are one plain colour to it, so it spends next to nothing on them.
// Called by codec/api/analysis.
// Thread rules: one caller.
#ifndef GLINT_CODEC_SAMPLES_PLAIN_ROWS_H_
#define GLINT_CODEC_SAMPLES_PLAIN_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "codec/detail/drawn.h"
#include "codec/samples/source_rows.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

// Which blocks of 64 x 64 pixels are made plain.
enum class PlainBlocks { kNone, kDrawn, kAll };

class PlainRows {
 public:
  // Both must outlive the object.
  // `lambda` as detail::EncoderSettings has it.
  PlainRows(const PictureInfo& info, PlainBlocks blocks, double lambda, SourceRows* source);
  // With what `source` needs, which is allocated and freed with it.
  uint64_t MemoryNeeded() const;
  void Allocate();
  void Free();

  // The picture's next row, as `source` gives it; 63 rows more are read ahead.
  Status Next(uint8_t* row);
  // The colour of that row (samples without alpha) as the model is to see it: `colour`, or a row
  // that lives until the next call.
  const uint8_t* ForModel(const uint8_t* colour);

  uint64_t plain_blocks() const { return plain_blocks_; }

 private:
  using Colour = std::array<uint16_t, 3>;  // samples of the picture's size

  Status ReadStrip();
  void Classify();
  std::optional<Colour> Weigh(size_t block);
  Colour MeanOf(size_t block) const;
  template <typename Sample>
  void Fill(Sample* colour) const;

  const PictureInfo info_;
  const PlainBlocks blocks_;
  const double lambda_;
  SourceRows* const source_;
  uint32_t rows_read_ = 0, rows_given_ = 0;
  std::vector<uint8_t> strip_;                // rows of a row of blocks
  std::vector<uint8_t> levels_;               // their colour, in 8 bits
  std::vector<std::optional<Colour>> plain_;  // of the row's blocks
  std::vector<uint8_t> colour_;
  std::unique_ptr<detail::DrawnBlocks> drawn_;  // too large for the stack
  uint64_t plain_blocks_ = 0;
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_PLAIN_ROWS_H_
