// Reads the markers of a JPEG beside libjpeg: how it is coded, which scans it has, and metadata.
// Called by codec/picture_files/jpeg_reader.cc.
// Thread rules: one caller at a time.
#ifndef GLINT_CODEC_PICTURE_FILES_JPEG_MARKERS_H_
#define GLINT_CODEC_PICTURE_FILES_JPEG_MARKERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/picture_files/picture_files.h"
#include "codec/picture_files/warnings.h"
#include "glint/glint.hpp"

namespace glint {

// What the frame header says; process 0: none came.
struct JpegFrame {
  uint8_t process = 0;  // the marker's second byte, 0xC0: baseline
  uint32_t precision = 0;
  uint32_t components = 0;
};

// Watches the bytes of a JPEG on their way to libjpeg, up to the end of the picture. EXIF becomes
// Metadata::exif, the parts of an ICC profile Metadata::icc, XMP an iTXt chunk as in PNG, where
// they stand in front of the first scan. Other segments are left out.
class JpegMarkerTap {
 public:
  // Metadata of up to `room` bytes are kept, beyond it they are only counted.
  JpegMarkerTap(Metadata* metadata, uint64_t room) : metadata_(metadata), room_(room) {}

  // False when metadata are beyond kMostMetadata, or memory ran out.
  bool Watch(const uint8_t* data, size_t size) noexcept;
  bool out_of_memory() const { return out_of_memory_; }

  const JpegFrame& frame() const { return frame_; }
  uint64_t bytes() const { return bytes_; }  // that the metadata so far takes, or would take
  bool has_room() const { return bytes_ <= room_; }
  bool at_end() const { return state_ == State::kDone; }  // of the picture
  int scans() const { return scans_; }                    // that have begun
  // Of the scans so far: whether each begins where those before it ended, as libjpeg checks too;
  // whether one has each component; whether they have all that a progressive file has of a picture.
  bool has_scans_in_order() const { return !scans_broken_; }
  bool has_all_components() const;
  bool has_all_coefficients() const;
  Warnings* warnings() { return &warnings_; }
  const Warnings& warnings() const { return warnings_; }

 private:
  static constexpr size_t kComponents = 4, kCoefficients = 64;
  static constexpr uint8_t kNoBits = 0xFF;
  enum class State { kMarkerStart, kMarkerCode, kLengthHigh, kLengthLow, kBody, kDone };

  void Take(uint8_t byte);
  void BeginSegment();
  void EndSegment();
  void ReadFrame();
  void ReadScan();
  void WarnOfLate();
  void WarnOfCredentials();
  void TakeApp1();
  void TakeIccPart();
  void JoinProfile();
  bool HasPrefix(const char* prefix, size_t size) const;

  Metadata* metadata_;
  uint64_t room_;
  uint64_t bytes_ = 0;
  Warnings warnings_;
  JpegFrame frame_;
  // By component, and in the order of the frame: its number; the bits that each coefficient still
  // lacks, kNoBits where it has none.
  std::array<uint8_t, kComponents> numbers_{};
  std::array<std::array<uint8_t, kCoefficients>, kComponents> lacking_{};
  int scans_ = 0;
  bool scans_broken_ = false;
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
