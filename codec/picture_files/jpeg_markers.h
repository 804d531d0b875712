// Reads the markers of a JPEG in front of its pixels, beside libjpeg: how it is coded, and
// metadata. Called by codec/picture_files/jpeg_reader.cc.
// Thread rules: one caller at a time.
#ifndef GLINT_CODEC_PICTURE_FILES_JPEG_MARKERS_H_
#define GLINT_CODEC_PICTURE_FILES_JPEG_MARKERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/picture_files/warnings.h"
#include "glint/glint.hpp"

namespace glint {

// What the frame header says; process 0: none came.
struct JpegFrame {
  uint8_t process = 0;  // the marker's second byte, 0xC0: baseline
  uint32_t precision = 0;
  uint32_t components = 0;
};

// Watches the bytes of a JPEG on their way to libjpeg, up to the first scan. EXIF becomes
// Metadata::exif, the parts of an ICC profile Metadata::icc, XMP an iTXt chunk as in PNG. Other
// segments are left out.
class JpegMarkerTap {
 public:
  JpegMarkerTap(Metadata* metadata, uint64_t max_bytes)
      : metadata_(metadata), max_bytes_(max_bytes) {}

  // False when metadata is beyond the limit, or memory ran out.
  bool Watch(const uint8_t* data, size_t size) noexcept;
  bool out_of_memory() const { return out_of_memory_; }

  const JpegFrame& frame() const { return frame_; }
  uint64_t bytes() const { return bytes_; }  // that the metadata so far takes
  Warnings* warnings() { return &warnings_; }
  const Warnings& warnings() const { return warnings_; }

 private:
  enum class State { kMarkerStart, kMarkerCode, kLengthHigh, kLengthLow, kBody, kDone };

  void Take(uint8_t byte);
  void BeginSegment();
  void EndSegment();
  void ReadFrame();
  void TakeApp1();
  void TakeIccPart();
  void JoinProfile();
  bool HasPrefix(const char* prefix, size_t size) const;

  Metadata* metadata_;
  uint64_t max_bytes_;
  uint64_t bytes_ = 0;
  Warnings warnings_;
  JpegFrame frame_;
  State state_ = State::kMarkerStart;
  uint8_t marker_ = 0;
  size_t left_ = 0;  // of the segment's body
  bool wanted_ = false;
  std::vector<uint8_t> body_;
  std::array<std::vector<uint8_t>, 256> icc_parts_;
  size_t icc_count_ = 0;  // parts that there should be
  bool icc_broken_ = false;
  bool out_of_memory_ = false;
};

}  // namespace glint

#endif  // GLINT_CODEC_PICTURE_FILES_JPEG_MARKERS_H_
