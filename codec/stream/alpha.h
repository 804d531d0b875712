// Lossless alpha: rows filtered as in PNG, then deflate; rows in and out, memory independent of the
// height. Called by codec/api/encoder and codec/api/decoder; docs/BITSTREAM.md, "Alpha".
// Thread rules: one caller at a time.
#ifndef GLINT_CODEC_STREAM_ALPHA_H_
#define GLINT_CODEC_STREAM_ALPHA_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/status.h"

namespace glint {

// Working memory of a writer or reader beside its two rows: zlib's states and buffers.
inline constexpr uint64_t kAlphaStateBytes = 512 * 1024;

class AlphaWriter {
 public:
  // `sample_bytes`: 1 or 2 (native byte order). The packed bytes are appended to `out`.
  static Result<std::unique_ptr<AlphaWriter>> Make(size_t width, size_t sample_bytes,
                                                   std::vector<uint8_t>* out);
  virtual ~AlphaWriter() = default;
  virtual Status AddRow(const void* samples) = 0;
  virtual Status Finish() = 0;
};

class AlphaReader {
 public:
  // `packed` must live as long as the reader.
  static Result<std::unique_ptr<AlphaReader>> Make(size_t width, size_t sample_bytes,
                                                   std::span<const uint8_t> packed);
  virtual ~AlphaReader() = default;
  // The next row; kBadStream when there is none.
  virtual Status ReadRow(void* samples) = 0;
  // After the last row: kBadStream when more follows.
  virtual Status Finish() = 0;
};

}  // namespace glint

#endif  // GLINT_CODEC_STREAM_ALPHA_H_
