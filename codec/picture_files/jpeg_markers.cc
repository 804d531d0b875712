#include "codec/picture_files/jpeg_markers.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

namespace glint {
namespace {

constexpr uint8_t kEndOfImage = 0xD9, kStartOfScan = 0xDA;
constexpr uint8_t kApp1 = 0xE1, kApp2 = 0xE2;
constexpr uint8_t kJpegLs = 0xF7;

constexpr char kExif[] = "Exif\0";  // and any byte, 0 in a sound file
constexpr size_t kExifPrefix = 6;
constexpr char kXmp[] = "http://ns.adobe.com/xap/1.0/";
constexpr size_t kXmpPrefix = sizeof(kXmp);
constexpr char kIcc[] = "ICC_PROFILE";
constexpr size_t kIccPrefix = sizeof(kIcc) + 2;  // number of the part, and of all

// Keyword, uncompressed, no language, no translation: as Adobe's specification puts XMP into PNG.
constexpr char kXmpKeyword[] = "XML:com.adobe.xmp\0\0\0\0";

// Start of frame, of any process: not DHT, JPG and DAC, which lie between.
bool IsFrame(uint8_t marker) {
  return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) ||
         marker == kJpegLs;
}

// Markers that stand alone, without a length.
bool StandsAlone(uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= kEndOfImage);
}

}  // namespace

bool JpegMarkerTap::Watch(const uint8_t* data, size_t size) noexcept {
  try {
    while (size != 0 && state_ != State::kDone && bytes_ <= max_bytes_) {
      size_t taken = 1;
      if (state_ == State::kBody) {
        taken = std::min(left_, size);
        if (wanted_) body_.insert(body_.end(), data, data + taken);
        left_ -= taken;
        if (left_ == 0) EndSegment();
      } else {
        Take(*data);
      }
      data += taken;
      size -= taken;
    }
  } catch (const std::exception&) {
    out_of_memory_ = true;
    return false;
  }
  return bytes_ <= max_bytes_;
}

void JpegMarkerTap::Take(uint8_t byte) {
  switch (state_) {
    case State::kMarkerStart:  // bytes between segments mean nothing
      if (byte == 0xFF) state_ = State::kMarkerCode;
      return;
    case State::kMarkerCode:
      if (byte == 0xFF) return;  // fill
      marker_ = byte;
      state_ = byte == 0 || StandsAlone(byte) ? State::kMarkerStart : State::kLengthHigh;
      if (byte == kStartOfScan) {
        JoinProfile();
        state_ = State::kDone;
      }
      return;
    case State::kLengthHigh:
      left_ = size_t{byte} << 8;
      state_ = State::kLengthLow;
      return;
    case State::kLengthLow:
      left_ |= byte;
      BeginSegment();
      return;
    case State::kBody:
    case State::kDone:
      return;
  }
}

void JpegMarkerTap::BeginSegment() {
  constexpr size_t kLength = 2;
  left_ -= std::min(left_, kLength);
  wanted_ = IsFrame(marker_) || marker_ == kApp1 || marker_ == kApp2;
  body_.clear();
  state_ = left_ == 0 ? State::kMarkerStart : State::kBody;
}

void JpegMarkerTap::EndSegment() {
  state_ = State::kMarkerStart;
  if (IsFrame(marker_) && frame_.process == 0) ReadFrame();
  if (marker_ == kApp1) TakeApp1();
  if (marker_ == kApp2) TakeIccPart();
}

// Precision, height, width, number of components.
void JpegMarkerTap::ReadFrame() {
  constexpr size_t kFixed = 6;
  if (body_.size() >= kFixed) frame_ = {marker_, body_[0], body_[kFixed - 1]};
}

bool JpegMarkerTap::HasPrefix(const char* prefix, size_t size) const {
  return body_.size() >= size && std::memcmp(body_.data(), prefix, size) == 0;
}

// Only the first of each kind counts.
void JpegMarkerTap::TakeApp1() {
  if (HasPrefix(kExif, kExifPrefix - 1) && body_.size() > kExifPrefix) {
    if (!metadata_->exif.empty()) {
      warnings_.Add("a second EXIF: left out");
      return;
    }
    const uint8_t* tiff = body_.data() + kExifPrefix;
    const size_t size = body_.size() - kExifPrefix;
    if (size < 8 || (std::memcmp(tiff, "II*\0", 4) != 0 && std::memcmp(tiff, "MM\0*", 4) != 0)) {
      warnings_.Add("its EXIF is broken: left out");
      return;
    }
    bytes_ += size;
    metadata_->exif.assign(tiff, tiff + size);
  } else if (HasPrefix(kXmp, kXmpPrefix)) {
    if (!metadata_->chunks.empty()) {
      warnings_.Add("a second XMP: left out");
      return;
    }
    std::vector<uint8_t> text(kXmpKeyword, kXmpKeyword + sizeof(kXmpKeyword));
    text.insert(text.end(), body_.begin() + kXmpPrefix, body_.end());
    bytes_ += text.capacity();
    metadata_->chunks.emplace_back("iTXt", std::move(text));
  }
}

void JpegMarkerTap::TakeIccPart() {
  if (!HasPrefix(kIcc, sizeof(kIcc)) || body_.size() < kIccPrefix) return;
  const size_t number = body_[kIccPrefix - 2], count = body_[kIccPrefix - 1];
  if (icc_count_ == 0) icc_count_ = count;
  if (count != icc_count_ || number == 0 || number > count || !icc_parts_[number].empty() ||
      body_.size() == kIccPrefix) {
    icc_broken_ = true;
    return;
  }
  const size_t size = body_.size() - kIccPrefix;
  bytes_ += 2 * size;  // once more when they are joined
  icc_parts_[number].assign(body_.begin() + kIccPrefix, body_.end());
}

void JpegMarkerTap::JoinProfile() {
  size_t size = 0;
  for (size_t i = 1; i <= icc_count_; ++i) {
    icc_broken_ = icc_broken_ || icc_parts_[i].empty();
    size += icc_parts_[i].size();
  }
  if (icc_broken_) {
    warnings_.Add("its ICC profile is broken: left out");
  } else {
    metadata_->icc.reserve(size);
    for (size_t i = 1; i <= icc_count_; ++i) {
      metadata_->icc.insert(metadata_->icc.end(), icc_parts_[i].begin(), icc_parts_[i].end());
    }
  }
  for (std::vector<uint8_t>& part : icc_parts_) std::vector<uint8_t>().swap(part);
}

}  // namespace glint
