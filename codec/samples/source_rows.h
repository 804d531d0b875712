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

class SourceRows {
 public:
  // `read` must outlive the object. `exact`: colours under an alpha of 0 stay as they are.
  SourceRows(const PictureInfo& info, const RowReader& read, bool exact);
  uint64_t MemoryNeeded() const;
  void Allocate();
  void Free();

  // The next row; kCancelled when the caller does not give it or one that is looked ahead at.
  Status Next(uint8_t* row);
  // After the last row: an RGB picture whose three channels are the same.
  bool gray() const { return gray_; }

 private:
  Status Read(uint8_t* row);
  Status NextStrip();

  const PictureInfo info_;
  const RowReader& read_;
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
