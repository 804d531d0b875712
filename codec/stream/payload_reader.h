// Reads payloads of chunks, and counts what is kept of them. Internal to codec/stream/container and
// codec/stream/metadata_chunks.
// Thread rules: values of one caller.
#ifndef GLINT_CODEC_STREAM_PAYLOAD_READER_H_
#define GLINT_CODEC_STREAM_PAYLOAD_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/stream/container.h"
#include "engine/status.h"

namespace glint {

inline Status BadStream(const std::string& what) {
  return Status::Error(StatusCode::kBadStream, what);
}

// Reads a payload front to back; once something is missing, everything is zero and ok() is false.
class PayloadReader {
 public:
  explicit PayloadReader(ByteSpan bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return at_ == bytes_.size(); }
  size_t position() const { return at_; }
  ByteSpan Rest() const { return bytes_.subspan(at_); }

  ByteSpan Take(size_t count) {
    if (count > bytes_.size() - at_) {
      ok_ = false;
      at_ = bytes_.size();
      return {};
    }
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  uint8_t Byte() {
    const ByteSpan byte = Take(1);
    return byte.empty() ? uint8_t{0} : byte[0];
  }
  uint32_t Leb128() {
    uint64_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const uint8_t byte = Byte();
      value |= uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80) != 0) continue;
      if ((byte == 0 && shift > 0) || value > UINT32_MAX) ok_ = false;
      return ok_ ? static_cast<uint32_t>(value) : 0;
    }
    ok_ = false;
    return 0;
  }

 private:
  ByteSpan bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

// Counts what is kept beside the caller's bytes.
class HeldMemory {
 public:
  explicit HeldMemory(uint64_t limit) : limit_(limit) {}

  // kLimit when `bytes` more for `what` are too many; call it before they are allocated.
  Status Hold(uint64_t bytes, const char* what) {
    if (bytes <= limit_ - held_) {
      held_ += bytes;
      return Status::Ok();
    }
    return Status::Error(StatusCode::kLimit, "the stream needs " + std::to_string(held_ + bytes) +
                                                 " bytes of memory or more with " + what +
                                                 ", the limit leaves " + std::to_string(limit_));
  }

 private:
  const uint64_t limit_;
  uint64_t held_ = 0;
};

}  // namespace glint

#endif  // GLINT_CODEC_STREAM_PAYLOAD_READER_H_
