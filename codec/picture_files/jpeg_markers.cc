#include "codec/picture_files/jpeg_markers.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

namespace glint {
namespace {

constexpr uint8_t kEndOfImage = 0xD9, kStartOfScan = 0xDA;
constexpr uint8_t kApp1 = 0xE1, kApp2 = 0xE2, kApp11 = 0xEB;
constexpr uint8_t kProgressive = 0xC2, kJpegLs = 0xF7;

constexpr char kExif[] = "Exif\0";  // and any byte, 0 in a sound file
constexpr size_t kExifPrefix = 6;
constexpr char kXmp[] = "http://ns.adobe.com/xap/1.0/";
constexpr size_t kXmpPrefix = sizeof(kXmp);
constexpr char kIcc[] = "ICC_PROFILE";
constexpr char kOthers[] = "MPF";  // previews, gain maps, the picture of the other eye
constexpr size_t kIccPrefix = sizeof(kIcc) + 2;  // number of the part, and of all

// Keyword, uncompressed, no language, no translation: as Adobe's specification puts XMP into PNG.
constexpr char kXmpKeyword[] = "XML:com.adobe.xmp\0\0\0\0";

// Start of frame, of any process: not DHT, JPG and DAC, which lie between.
bool IsFrame(uint8_t marker) {
  return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) ||
         marker == kJpegLs;
}

size_t SizeOf(const uint8_t* begin, const void* end) {
  return static_cast<size_t>(static_cast<const uint8_t*>(end) - begin);
}

// Markers that stand alone, without a length.
bool StandsAlone(uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= kEndOfImage);
}

}  // namespace

bool JpegMarkerTap::Watch(const uint8_t* data, size_t size) noexcept {
  try {
    while (size != 0 && state_ != State::kDone && bytes_ <= kMostMetadata) {
      size_t taken = 1;
      if (state_ == State::kMarkerStart) {  // coded pixels, or bytes that mean nothing
        const void* const start = std::memchr(data, 0xFF, size);
        taken = start == nullptr ? size : SizeOf(data, start) + 1;
        if (start != nullptr) state_ = State::kMarkerCode;
      } else if (state_ == State::kBody) {
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
  return bytes_ <= kMostMetadata;
}

void JpegMarkerTap::Take(uint8_t byte) {
  switch (state_) {
    case State::kMarkerCode:
      if (byte == 0xFF) return;  // fill
      marker_ = byte;
      state_ = byte == 0 || StandsAlone(byte) ? State::kMarkerStart : State::kLengthHigh;
      if (byte == kStartOfScan && scans_++ == 0) JoinProfile();
      if (byte == kEndOfImage) state_ = State::kDone;
      return;
    case State::kLengthHigh:
      left_ = size_t{byte} << 8;
      state_ = State::kLengthLow;
      return;
    case State::kLengthLow:
      left_ |= byte;
      BeginSegment();
      return;
    case State::kMarkerStart:
    case State::kBody:
    case State::kDone:
      return;
  }
}

void JpegMarkerTap::BeginSegment() {
  constexpr size_t kLength = 2;
  left_ -= std::min(left_, kLength);
  wanted_ = IsFrame(marker_) || marker_ == kStartOfScan || marker_ == kApp1 || marker_ == kApp2 ||
            marker_ == kApp11;
  body_.clear();
  state_ = left_ == 0 ? State::kMarkerStart : State::kBody;
}

void JpegMarkerTap::EndSegment() {
  state_ = State::kMarkerStart;
  if (IsFrame(marker_) && frame_.process == 0) ReadFrame();
  if (marker_ == kStartOfScan) ReadScan();
  if (marker_ == kApp11) WarnOfCredentials();
  if (marker_ == kApp2 && HasPrefix(kOthers, sizeof(kOthers))) {
    warnings_.Add("other pictures in the same file: only the first is taken");
  }
  if (scans_ != 0) {
    WarnOfLate();
    return;
  }
  if (marker_ == kApp1) TakeApp1();
  if (marker_ == kApp2) TakeIccPart();
}

// Precision, height, width, number of components; of each, its number, sampling and table.
void JpegMarkerTap::ReadFrame() {
  constexpr size_t kFixed = 6, kEach = 3;
  if (body_.size() < kFixed) return;
  frame_ = {marker_, body_[0], body_[kFixed - 1]};
  for (std::array<uint8_t, kCoefficients>& bits : lacking_) bits.fill(kNoBits);
  for (size_t i = 0; i < kComponents && kFixed + kEach * i < body_.size(); ++i) {
    numbers_[i] = body_[kFixed + kEach * i];
  }
}

// Number of components; of each, its number and tables; the first and the last coefficient; from
// which bit on they were there, and are now.
void JpegMarkerTap::ReadScan() {
  constexpr size_t kEach = 2, kRest = 3;
  const size_t count = body_.empty() ? 0 : body_[0];
  if (body_.size() < 1 + kEach * count + kRest) return;
  const uint8_t* const rest = body_.data() + 1 + kEach * count;
  const bool progressive = frame_.process == kProgressive;
  const size_t first = progressive ? rest[0] : 0;
  const size_t last =
      progressive ? std::min<size_t>(rest[1], kCoefficients - 1) : kCoefficients - 1;
  // Two components may have one number, which then means one after the other, as in libjpeg.
  std::array<bool, kComponents> taken{};
  for (size_t c = 0; c < count; ++c) {
    size_t i = 0;
    while (i < kComponents && (taken[i] || numbers_[i] != body_[1 + kEach * c])) ++i;
    if (i == kComponents) continue;
    taken[i] = true;
    if (first != 0 && lacking_[i][0] == kNoBits) scans_broken_ = true;
    for (size_t k = first; k <= last; ++k) {
      const int before = lacking_[i][k] == kNoBits ? 0 : lacking_[i][k];
      if (progressive && before != rest[2] >> 4) scans_broken_ = true;
      lacking_[i][k] = static_cast<uint8_t>(progressive ? rest[2] & 0xF : 0);
    }
  }
}

bool JpegMarkerTap::has_all_components() const {
  const size_t count = std::min<size_t>(frame_.components, kComponents);
  return std::none_of(lacking_.begin(), lacking_.begin() + count,
                      [](const auto& bits) { return bits[0] == kNoBits; });
}

bool JpegMarkerTap::has_all_coefficients() const {
  if (frame_.process != kProgressive) return true;
  const auto is_whole = [](const std::array<uint8_t, kCoefficients>& lacking) {
    return std::all_of(lacking.begin(), lacking.end(), [](uint8_t bits) { return bits == 0; });
  };
  const size_t count = std::min<size_t>(frame_.components, kComponents);
  return std::all_of(lacking_.begin(), lacking_.begin() + count, is_whole);
}

// libjpeg takes them for granted in front of the pixels, and so do most programs.
void JpegMarkerTap::WarnOfLate() {
  const char* const kEnd = " stands behind pixels: left out";
  if (marker_ == kApp1 && HasPrefix(kExif, kExifPrefix - 1)) {
    warnings_.Add(std::string("EXIF that") + kEnd);
  } else if (marker_ == kApp1 && HasPrefix(kXmp, kXmpPrefix)) {
    warnings_.Add(std::string("XMP that") + kEnd);
  } else if (marker_ == kApp2 && HasPrefix(kIcc, sizeof(kIcc)) && !icc_broken_) {
    warnings_.Add(std::string("an ICC profile that") + kEnd);
  }
}

// C2PA: a superbox of JUMBF whose description has that type.
void JpegMarkerTap::WarnOfCredentials() {
  constexpr char kBox[] = "jumb", kType[] = "c2pa";
  constexpr size_t kBoxAt = 12, kTypeAt = 24, kName = 4;
  if (HasPrefix("JP", 2) && body_.size() >= kTypeAt + kName &&
      std::memcmp(body_.data() + kBoxAt, kBox, kName) == 0 &&
      std::memcmp(body_.data() + kTypeAt, kType, kName) == 0) {
    warnings_.Add(kCredentialsLeftOut);
  }
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
    if (has_room()) metadata_->exif.assign(tiff, tiff + size);
  } else if (HasPrefix(kXmp, kXmpPrefix)) {
    if (!metadata_->chunks.empty()) {
      warnings_.Add("a second XMP: left out");
      return;
    }
    bytes_ += sizeof(kXmpKeyword) + body_.size() - kXmpPrefix;
    if (!has_room()) return;
    std::vector<uint8_t> text;
    text.reserve(sizeof(kXmpKeyword) + body_.size() - kXmpPrefix);
    text.assign(kXmpKeyword, kXmpKeyword + sizeof(kXmpKeyword));
    text.insert(text.end(), body_.begin() + kXmpPrefix, body_.end());
    metadata_->chunks.emplace_back("iTXt", std::move(text));
  }
}

void JpegMarkerTap::TakeIccPart() {
  if (!HasPrefix(kIcc, sizeof(kIcc))) return;
  if (body_.size() < kIccPrefix) {
    icc_broken_ = true;
    return;
  }
  const size_t number = body_[kIccPrefix - 2], count = body_[kIccPrefix - 1];
  if (icc_count_ == 0) icc_count_ = count;
  if (count != icc_count_ || number == 0 || number > count || !icc_parts_[number].empty() ||
      body_.size() == kIccPrefix) {
    icc_broken_ = true;
    return;
  }
  const size_t size = body_.size() - kIccPrefix;
  bytes_ += 2 * size;  // once more when they are joined
  if (!has_room()) return;
  icc_parts_[number].assign(body_.begin() + kIccPrefix, body_.end());
}

void JpegMarkerTap::JoinProfile() {
  if (!has_room()) return;
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
