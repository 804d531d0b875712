// Packs a picture's alpha for the stream, where it says something. Internal to
// codec/api/encoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_STREAM_ALPHA_PACKER_H_
#define GLINT_CODEC_STREAM_ALPHA_PACKER_H_

#include <cstdint>
#include <memory>

#include "codec/stream/alpha.h"
#include "codec/stream/container.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

// The most that the alpha of a picture takes packed; 0 without.
uint64_t MostPackedAlpha(const PictureInfo& info);

// Rows of alpha into a chunk's payload. Unless `exact`, packing begins with the first row that is
// not opaque: a picture without one needs no alpha.
class AlphaPacker {
 public:
  AlphaPacker(const PictureInfo& info, bool exact, Bytes* packed)
      : info_(info), begin_at_once_(exact), packed_(packed) {}

  Status AddRow(const uint8_t* samples);
  Status Finish() { return writer_ ? writer_->Finish() : Status::Ok(); }
  bool says_something() const { return writer_ != nullptr; }

 private:
  bool IsOpaque(const uint8_t* samples) const;
  Status Begin();

  const PictureInfo info_;
  const bool begin_at_once_;
  Bytes* const packed_;
  uint32_t opaque_rows_ = 0;  // that came before the first other
  std::unique_ptr<AlphaWriter> writer_;
};

}  // namespace glint

#endif  // GLINT_CODEC_STREAM_ALPHA_PACKER_H_
