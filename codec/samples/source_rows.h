// The caller's rows on their way to the encoder: colour that nobody sees is replaced, and what all
// rows have in common is found. Internal to codec/api/encoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_SAMPLES_SOURCE_ROWS_H_
#define GLINT_CODEC_SAMPLES_SOURCE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "codec/samples/hidden_fill.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

// What becomes of colours under an alpha of 0.
enum class HiddenColours {
  kKept,
  kContinued,  // what is visible around them goes on smoothly, which costs transforms least
  kBlack,      // which costs least pixel by pixel
};

class SourceRows {
 public:
  // `read` must outlive the object.
  SourceRows(const PictureInfo& info, const RowReader& read, HiddenColours hidden);
  uint64_t MemoryNeeded() const;
  void Allocate();
  void Free();

  // The next row; kCancelled when the caller does not give it or one that is looked ahead at,
  // kInvalidArgument when a sample is beyond the picture's depth.
  Status Next(uint8_t* row);
  // After the last row: an RGB picture whose three channels are the same.
  bool gray() const { return gray_; }

 private:
  Status Read(uint8_t* row);
  Status CheckDepth(const uint8_t* row) const;
  template <typename Sample>
  void Blacken(Sample* row) const;
  Status NextStrip();

  const PictureInfo info_;
  const RowReader& read_;
  const HiddenColours hidden_;
  std::optional<HiddenFill> fill_;
  bool gray_;
  uint32_t rows_read_ = 0;
  uint32_t rows_given_ = 0;
  // With fill_: the strip that rows are given from, and the rows read ahead.
  std::vector<uint8_t> window_;
  uint32_t window_begin_ = 0;
  uint32_t strip_end_ = 0;
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_SOURCE_ROWS_H_
