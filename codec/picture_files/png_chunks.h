// Reads the chunks of a PNG beside libpng: metadata as it stands in the file, CRCs of chunks that a
// picture can do without, and what the headers of all chunks tell before anything is decoded.
// Called by codec/picture_files/png_reader.cc.
// Thread rules: one caller at a time.
#ifndef GLINT_CODEC_PICTURE_FILES_PNG_CHUNKS_H_
#define GLINT_CODEC_PICTURE_FILES_PNG_CHUNKS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/picture_files/byte_io.h"
#include "codec/picture_files/picture_files.h"
#include "codec/picture_files/warnings.h"
#include "glint/glint.hpp"

namespace glint {

// What a chunk of metadata takes besides its bytes.
inline constexpr uint64_t kChunkOverhead = 256;

// From the headers of all chunks, without their contents.
struct PngScan {
  uint64_t image_bytes = 0;    // of compressed pixels, as many as the file really has
  uint64_t late_metadata = 0;  // the most memory that metadata behind the first pixels takes
};
// Nothing for a source that is no file or memory.
std::optional<PngScan> ScanPng(const ByteSource& source);

// Watches the bytes of a PNG on their way to libpng and keeps the chunks that are metadata, as they
// are. libpng would interpret, correct or drop what they say. A chunk that is not critical is
// dropped when its CRC is wrong, as libpng does.
class PngChunkTap {
 public:
  // Metadata of up to `room` bytes are kept, beyond it they are only counted.
  PngChunkTap(Metadata* metadata, uint64_t room) : metadata_(metadata), room_(room) {}

  // False when metadata are beyond the limit, at first kMostMetadata, or memory ran out.
  bool Watch(const uint8_t* data, size_t size) noexcept;
  void SetLimit(uint64_t limit) { limit_ = room_ = limit; }
  uint64_t limit() const { return limit_; }
  bool out_of_memory() const { return out_of_memory_; }

  // What the metadata so far takes, or the most that it would take.
  uint64_t bytes() const { return bytes_; }
  bool has_room() const { return bytes_ <= room_; }
  const Warnings& warnings() const { return warnings_; }
  bool is_apple() const { return is_apple_; }  // of the variant that is no PNG

 private:
  static constexpr size_t kSignature = 8, kHeader = 8, kCrc = 4;

  size_t Take(const uint8_t* data, size_t size);
  void Begin();
  void TakeBody(const uint8_t* data, size_t size);
  void End();
  bool Keep();
  bool IsFirst();
  void KeepProfile();
  bool InflateProfile(size_t start);
  bool InflateInto(size_t start, uint64_t most, uint8_t* out, uint64_t* size);

  Metadata* metadata_;
  uint64_t room_;
  uint64_t limit_ = kMostMetadata;
  uint64_t bytes_ = 0;
  Warnings warnings_;
  std::vector<std::string> seen_;  // types that may come once, and have come
  size_t signature_left_ = kSignature;
  size_t header_fill_ = 0;
  size_t body_size_ = 0;
  size_t body_left_ = 0;
  size_t crc_fill_ = 0;
  bool wanted_ = false;
  bool ancillary_ = false;
  bool is_apple_ = false;
  bool out_of_memory_ = false;
  unsigned long crc_ = 0;
  std::array<uint8_t, kHeader> header_{};
  std::array<uint8_t, kCrc> stored_crc_{};
  std::string type_;
  std::vector<uint8_t> body_;
};

}  // namespace glint

#endif  // GLINT_CODEC_PICTURE_FILES_PNG_CHUNKS_H_
