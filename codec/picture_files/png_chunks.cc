#include "codec/picture_files/png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "codec/memory_limit.h"

namespace glint {
namespace {

constexpr size_t kMostAnimation = 8;  // bytes of acTL

uint32_t LoadBig(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 |
         uint32_t{bytes[3]};
}

bool IsMetadata(const std::string& type, size_t size) {
  return type == "iCCP" || type == "eXIf" || IsKeptChunk(type, size);
}

// Letters of a chunk's type for a message.
std::string Shown(const std::string& type) {
  std::string shown = type;
  for (char& c : shown) {
    if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) c = '?';
  }
  return shown;
}

}  // namespace

std::optional<PngScan> ScanPng(const ByteSource& source) {
  constexpr uint64_t kSignature = 8, kHeader = 8, kCrc = 4;
  if (!source.size()) return std::nullopt;
  PngScan scan;
  bool in_pixels = false;
  // Chunks may be tiny and many: their headers come in blocks.
  std::array<uint8_t, 4096> block;
  uint64_t begin = 0;  // of the block
  size_t count = 0;
  for (uint64_t at = kSignature; at + kHeader <= *source.size();) {
    if (at + kHeader > begin + count) {
      begin = at;
      count = source.ReadAt(begin, block.data(), block.size());
      if (count < kHeader) break;
    }
    const uint8_t* header = block.data() + (at - begin);
    const uint64_t size = LoadBig(header);
    const std::string type(reinterpret_cast<const char*>(header) + 4, 4);
    at += kHeader;
    if (type == "IDAT") {
      in_pixels = true;
      scan.image_bytes += std::min(size, *source.size() - at);
    } else if (in_pixels && IsMetadata(type, static_cast<size_t>(size))) {
      scan.late_metadata += std::min(size, *source.size() - at) + kChunkOverhead;
    } else if (type == "IEND") {
      break;
    }
    at += size + kCrc;
  }
  return scan;
}

bool PngChunkTap::Watch(const uint8_t* data, size_t size) noexcept {
  try {
    while (size != 0) {
      const size_t taken = Take(data, size);
      data += taken;
      size -= taken;
    }
  } catch (const std::exception&) {
    out_of_memory_ = true;
    return false;
  }
  return bytes_ <= limit_;
}

// Takes at least one byte.
size_t PngChunkTap::Take(const uint8_t* data, size_t size) {
  if (signature_left_ != 0) {
    const size_t part = std::min(signature_left_, size);
    signature_left_ -= part;
    return part;
  }
  if (header_fill_ < kHeader) {
    header_[header_fill_++] = *data;
    if (header_fill_ == kHeader) Begin();
    return 1;
  }
  if (body_left_ != 0) {
    const size_t part = std::min(body_left_, size);
    body_left_ -= part;
    TakeBody(data, part);
    return part;
  }
  stored_crc_[crc_fill_++] = *data;
  if (crc_fill_ == kCrc) End();
  return 1;
}

void PngChunkTap::Begin() {
  body_size_ = body_left_ = LoadBig(header_.data());
  type_.assign(header_.begin() + 4, header_.end());
  crc_fill_ = 0;
  ancillary_ = (header_[4] & 0x20) != 0;
  is_apple_ = is_apple_ || type_ == "CgBI";
  wanted_ = IsMetadata(type_, body_left_) || (type_ == "acTL" && body_left_ == kMostAnimation);
  crc_ = crc32(0, header_.data() + 4, 4);
  body_.clear();
  if (wanted_) bytes_ += body_left_ + kChunkOverhead;
  // Not before it has room: a chunk may claim any size.
  if (wanted_ && has_room()) body_.reserve(body_left_);
}

void PngChunkTap::TakeBody(const uint8_t* data, size_t size) {
  if (ancillary_) crc_ = crc32_z(crc_, data, size);
  if (wanted_ && has_room()) body_.insert(body_.end(), data, data + size);
}

void PngChunkTap::End() {
  header_fill_ = 0;
  const bool sound = !ancillary_ || crc_ == LoadBig(stored_crc_.data());
  if (!sound) warnings_.Add("the CRC of its " + Shown(type_) + " chunk is wrong: left out");
  if (!wanted_) {
    if (type_ == "caBX") warnings_.Add(kCredentialsLeftOut);
    return;
  }
  if (!has_room()) {
    // What a profile would inflate to cannot be seen without it.
    if (type_ == "iCCP") bytes_ = std::min(bytes_ + body_size_ * kMostInflation, limit_);
    return;
  }
  const uint64_t taken = body_.size() + kChunkOverhead;
  if (sound && Keep()) return;
  if (!has_room()) return;  // a profile
  bytes_ -= taken;
  std::vector<uint8_t>().swap(body_);
}

// True when the body is metadata now, as it is.
bool PngChunkTap::Keep() {
  if (type_ == "acTL") {
    const uint32_t pictures = LoadBig(body_.data());
    if (pictures > 1) {
      warnings_.Add("an animation of " + std::to_string(pictures) +
                    " pictures: only the first is taken");
    }
    return false;
  }
  if (!MayRepeat(type_) && !IsFirst()) {
    warnings_.Add("a second " + type_ + ": left out");
    return false;
  }
  if (type_ == "iCCP") {
    KeepProfile();
    return false;
  }
  if (type_ == "eXIf") {
    metadata_->exif.swap(body_);
  } else {
    metadata_->chunks.emplace_back(type_, std::move(body_));
    body_ = {};
  }
  return true;
}

bool PngChunkTap::IsFirst() {
  if (std::find(seen_.begin(), seen_.end(), type_) != seen_.end()) return false;
  seen_.push_back(type_);
  return true;
}

// Name, NUL, method 0, zlib data.
void PngChunkTap::KeepProfile() {
  constexpr size_t kMaxName = 79;
  const size_t scan = std::min(body_.size(), kMaxName + 1);
  const void* nul = scan == 0 ? nullptr : std::memchr(body_.data(), 0, scan);
  size_t start = 0;
  if (nul != nullptr) start = static_cast<size_t>(static_cast<const uint8_t*>(nul) - body_.data());
  const bool whole = nul != nullptr && start + 2 < body_.size() && body_[start + 1] == 0;
  if (whole && InflateProfile(start + 2)) return;
  warnings_.Add("its ICC profile is broken: left out");
}

// False when the data are damaged. A profile that has no room leaves bytes_ beyond it.
bool PngChunkTap::InflateProfile(size_t start) {
  uint64_t size = 0;
  if (!InflateInto(start, limit_ - bytes_, nullptr, &size)) return false;
  bytes_ += size;
  if (!has_room()) return true;
  metadata_->icc.resize(static_cast<size_t>(size));
  return InflateInto(start, size, metadata_->icc.data(), &size);
}

// Only counts where `out` is null. Ends with success beyond `most` bytes.
bool PngChunkTap::InflateInto(size_t start, uint64_t most, uint8_t* out, uint64_t* size) {
  z_stream stream{};
  stream.next_in = body_.data() + start;
  stream.avail_in = static_cast<uInt>(body_.size() - start);
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();  // it asks for nothing else
  int status = Z_OK;
  uint64_t done = 0;
  std::array<uint8_t, 16384> part;
  while (status == Z_OK && done <= most) {
    stream.next_out = part.data();
    stream.avail_out = static_cast<uInt>(part.size());
    status = inflate(&stream, Z_NO_FLUSH);
    const size_t count = part.size() - stream.avail_out;
    if (out != nullptr) std::memcpy(out + done, part.data(), count);
    done += count;
  }
  inflateEnd(&stream);
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  *size = done;
  return done > 0 && (status == Z_STREAM_END || done > most);
}

}  // namespace glint
