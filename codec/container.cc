#include "codec/container.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace glint {
namespace {

constexpr size_t kCrcBytes = 4;
constexpr uint8_t kDepthMask = 0x07, kColourBit = 0x08, kAlphaBit = 0x10;
constexpr uint32_t kDepths[] = {1, 2, 4, 8, 16};
// Deflate makes nothing more than this many times smaller.
constexpr uint64_t kMostInflation = 1032;

Status BadStream(const std::string& what) { return Status::Error(StatusCode::kBadStream, what); }

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

std::string ChunkName(char type, uint64_t offset) {
  return std::string("chunk '") + type + "' at byte " + std::to_string(offset);
}

std::string SizeText(const PictureInfo& info) {
  return std::to_string(info.width) + " x " + std::to_string(info.height);
}

// Reads a payload front to back; once something is missing, everything is zero and ok() is false.
class PayloadReader {
 public:
  explicit PayloadReader(ByteSpan bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return at_ == bytes_.size(); }
  uint64_t position() const { return at_; }
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

Result<ChunkView> ReadChunk(ByteSpan stream, PayloadReader* reader) {
  ChunkView view;
  view.offset = reader->position();
  const std::string at = "at byte " + std::to_string(view.offset);
  view.type = static_cast<char>(reader->Byte());
  if (!reader->ok()) return BadStream("the stream ends " + at + " without an end chunk");
  if (!IsUpper(view.type) && !IsLower(view.type)) return BadStream("no chunk begins " + at);
  const uint32_t size = reader->Leb128();
  const uint64_t payload_at = reader->position();
  view.payload = reader->Take(size);
  const ByteSpan crc = reader->Take(kCrcBytes);
  if (!reader->ok()) return BadStream(ChunkName(view.type, view.offset) + " is cut short");
  const uint64_t covered = payload_at + size - view.offset;
  if (LoadU32(crc.data()) != Crc32(0, stream.subspan(view.offset, covered))) {
    return BadStream(ChunkName(view.type, view.offset) + " is damaged: its CRC does not match");
  }
  view.bytes = covered + kCrcBytes;
  return view;
}

Status ParseHeader(ByteSpan payload, StreamHeader* header) {
  PayloadReader reader(payload);
  const uint8_t version = reader.Byte();
  if (reader.ok() && version != kFormatVersion) {
    return Status::Error(StatusCode::kUnsupported,
                         "the stream has format version " + std::to_string(version) +
                             ", this program reads version " + std::to_string(kFormatVersion));
  }
  const uint8_t options = reader.Byte();
  PictureInfo& source = header->source;
  source.width = reader.Leb128();
  source.height = reader.Leb128();
  const ByteSpan model = reader.Take(header->model.size());
  const ByteSpan lrd = reader.Take(4);
  if (!reader.ok() || !reader.AtEnd()) return BadStream("the header has a wrong length");
  if ((options & ~(kDepthMask | kColourBit | kAlphaBit)) != 0 ||
      (options & kDepthMask) >= std::size(kDepths)) {
    return Status::Error(StatusCode::kUnsupported,
                         "the header has unknown options " + std::to_string(options));
  }
  source.bit_depth = kDepths[options & kDepthMask];
  source.channels = (options & kColourBit) != 0 ? 3 : 1;
  source.has_alpha = (options & kAlphaBit) != 0;
  std::copy(model.begin(), model.end(), header->model.begin());
  header->lrd = std::bit_cast<float>(LoadU32(lrd.data()));
  if (!(header->lrd > 0) || !std::isfinite(header->lrd)) {
    return BadStream("the header's lrd is not a positive number");
  }
  return Status::Ok();
}

// Size of the ICC profile, without inflating it; `packed` is what holds it.
Result<uint32_t> IccSize(ByteSpan payload, ByteSpan* packed) {
  PayloadReader reader(payload);
  const uint32_t size = reader.Leb128();
  *packed = reader.Rest();
  const uint64_t most = std::min(kMaxIccBytes, packed->size() * kMostInflation);
  if (reader.ok() && size > 0 && size <= most) return size;
  return BadStream("the ICC profile claims " + std::to_string(size) + " bytes, at most " +
                   std::to_string(most) + " are possible");
}

Result<Bytes> InflateIcc(ByteSpan packed, uint32_t size) {
  Bytes profile(size);
  uLongf done = size;
  uLong used = static_cast<uLong>(packed.size());
  const int code = uncompress2(profile.data(), &done, packed.data(), &used);
  if (code != Z_OK || done != size || used != packed.size()) {
    return BadStream("the ICC profile does not inflate to its length");
  }
  return profile;
}

bool IsLetter(int c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// Entries of four letters, LEB128 length, content.
Status ReadOther(ByteSpan payload, Metadata* metadata) {
  PayloadReader reader(payload);
  while (!reader.AtEnd()) {
    const ByteSpan type = reader.Take(4);
    const uint32_t size = reader.Leb128();
    const ByteSpan content = reader.Take(size);
    if (!reader.ok()) return BadStream("the metadata chunk has an entry that is cut short");
    if (!std::all_of(type.begin(), type.end(), IsLetter)) {
      return BadStream("the metadata chunk has an entry without a type of four letters");
    }
    if (metadata->chunks.size() == kMaxMetadataEntries)
      return BadStream("too many metadata entries");
    metadata->chunks.emplace_back(std::string(type.begin(), type.end()),
                                  Bytes(content.begin(), content.end()));
  }
  return metadata->chunks.empty() ? BadStream("the metadata chunk is empty") : Status::Ok();
}

// Takes one chunk behind the header into the stream.
class StreamCollector {
 public:
  StreamCollector(const Limits& limits, ParsedStream* stream) : limits_(limits), stream_(*stream) {}

  Status Add(const ChunkView& view) {
    // Both lists may hold three times their content while they grow.
    GLINT_TRY(Hold(3 * (sizeof(ChunkView) + sizeof(ByteSpan)), "its list of chunks"));
    switch (view.type) {
      case chunk::kHeader:
        return BadStream("a second header");
      case chunk::kSegment:
        stream_.segments.push_back(view.payload);
        return Status::Ok();
      case chunk::kAlpha:
        if (has_alpha_) return BadStream("a second alpha chunk");
        has_alpha_ = true;
        stream_.alpha = view.payload;
        return Status::Ok();
      case chunk::kEnd:
        return view.payload.empty() ? Status::Ok() : BadStream("the end chunk is not empty");
      default:
        return AddMetadata(view);
    }
  }

  Status Finish() const {
    if (has_alpha_ == stream_.header.source.has_alpha) return Status::Ok();
    return BadStream(has_alpha_ ? "an alpha chunk in a picture without alpha"
                                : "the alpha chunk is missing");
  }

 private:
  Status AddMetadata(const ChunkView& view) {
    if (IsUpper(view.type)) {
      return Status::Error(StatusCode::kUnsupported, ChunkName(view.type, view.offset) +
                                                         " is needed to decode, and unknown here");
    }
    if (++ancillary_ > kMaxAncillaryChunks) return BadStream("too many ancillary chunks");
    Metadata& metadata = stream_.metadata;
    if (view.type == chunk::kIcc) {
      if (!metadata.icc.empty()) return BadStream("a second ICC profile");
      ByteSpan packed;
      GLINT_ASSIGN(const uint32_t size, IccSize(view.payload, &packed));
      GLINT_TRY(Hold(size, "the ICC profile"));
      GLINT_ASSIGN(metadata.icc, InflateIcc(packed, size));
    } else if (view.type == chunk::kExif) {
      if (!metadata.exif.empty()) return BadStream("a second EXIF chunk");
      if (view.payload.empty()) return BadStream("the EXIF chunk is empty");
      GLINT_TRY(Hold(view.payload.size(), "EXIF"));
      metadata.exif.assign(view.payload.begin(), view.payload.end());
    } else if (view.type == chunk::kOther) {
      if (!metadata.chunks.empty()) return BadStream("a second metadata chunk");
      GLINT_TRY(Hold(view.payload.size(), "its metadata"));
      return ReadOther(view.payload, &metadata);
    }
    return Status::Ok();
  }

  // Counts what is kept beside the caller's bytes.
  Status Hold(uint64_t bytes, const char* what) {
    if (bytes <= limits_.max_memory - held_) {
      held_ += bytes;
      return Status::Ok();
    }
    return Status::Error(StatusCode::kLimit, std::string("the stream needs more memory for ") +
                                                 what + " than the limit of " +
                                                 std::to_string(limits_.max_memory) + " bytes");
  }

  const Limits& limits_;
  ParsedStream& stream_;
  uint64_t held_ = 0;
  bool has_alpha_ = false;
  size_t ancillary_ = 0;
};

}  // namespace

void AppendLeb128(uint32_t value, Bytes* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<uint8_t>(value | 0x80));
  out->push_back(static_cast<uint8_t>(value));
}

void AppendU32(uint32_t value, Bytes* out) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<uint8_t>(value >> shift));
}

uint32_t LoadU32(const uint8_t* p) {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

uint32_t Crc32(uint32_t crc, ByteSpan bytes) {
  if (bytes.empty()) return crc;  // zlib takes a null pointer for a wish to start anew
  return static_cast<uint32_t>(crc32_z(crc, bytes.data(), bytes.size()));
}

// ---- writing -----------------------------------------------------------------------------------

ContainerWriter::ContainerWriter(Bytes* out) : out_(out) {
  out_->insert(out_->end(), std::begin(kSignature), std::end(kSignature));
}

Status ContainerWriter::Add(char type, ByteSpan payload) {
  if (payload.size() > UINT32_MAX) {
    return Status::Error(StatusCode::kInvalidArgument, std::string("a chunk '") + type + "' of " +
                                                           std::to_string(payload.size()) +
                                                           " bytes is too long");
  }
  const size_t begin = out_->size();
  out_->push_back(static_cast<uint8_t>(type));
  AppendLeb128(static_cast<uint32_t>(payload.size()), out_);
  out_->insert(out_->end(), payload.begin(), payload.end());
  AppendU32(Crc32(0, ByteSpan(*out_).subspan(begin)), out_);
  return Status::Ok();
}

Status ContainerWriter::AddHeader(const StreamHeader& header) {
  const PictureInfo& source = header.source;
  const auto depth = std::find(std::begin(kDepths), std::end(kDepths), source.bit_depth);
  Bytes payload = {kFormatVersion, static_cast<uint8_t>((depth - std::begin(kDepths)) |
                                                        (source.channels == 3 ? kColourBit : 0) |
                                                        (source.has_alpha ? kAlphaBit : 0))};
  AppendLeb128(source.width, &payload);
  AppendLeb128(source.height, &payload);
  payload.insert(payload.end(), header.model.begin(), header.model.end());
  AppendU32(std::bit_cast<uint32_t>(header.lrd), &payload);
  return Add(chunk::kHeader, payload);
}

Status ContainerWriter::AddMetadata(const Metadata& metadata) {
  if (metadata.icc.size() > kMaxIccBytes) {
    return Status::Error(StatusCode::kInvalidArgument,
                         "an ICC profile of " + std::to_string(metadata.icc.size()) +
                             " bytes, at most " + std::to_string(kMaxIccBytes) + " are kept");
  }
  if (metadata.chunks.size() > kMaxMetadataEntries) {
    return Status::Error(StatusCode::kInvalidArgument,
                         std::to_string(metadata.chunks.size()) + " metadata chunks are too many");
  }
  if (!metadata.icc.empty()) {
    Bytes payload;
    AppendLeb128(static_cast<uint32_t>(metadata.icc.size()), &payload);
    const size_t head = payload.size();
    uLongf size = compressBound(static_cast<uLong>(metadata.icc.size()));
    payload.resize(head + size);
    const int code = compress2(payload.data() + head, &size, metadata.icc.data(),
                               static_cast<uLong>(metadata.icc.size()), Z_BEST_COMPRESSION);
    if (code != Z_OK) return Status::Error(StatusCode::kLimit, "out of memory for the ICC profile");
    payload.resize(head + size);
    GLINT_TRY(Add(chunk::kIcc, payload));
  }
  if (!metadata.exif.empty()) GLINT_TRY(Add(chunk::kExif, metadata.exif));
  Bytes payload;
  for (const auto& [type, content] : metadata.chunks) {
    if (type.size() != 4 || !std::all_of(type.begin(), type.end(), IsLetter)) {
      return Status::Error(StatusCode::kInvalidArgument,
                           "a metadata chunk of type \"" + type + "\", four letters are wanted");
    }
    if (content.size() > UINT32_MAX) {
      return Status::Error(
          StatusCode::kInvalidArgument,
          "a metadata chunk of " + std::to_string(content.size()) + " bytes is too long");
    }
    payload.insert(payload.end(), type.begin(), type.end());
    AppendLeb128(static_cast<uint32_t>(content.size()), &payload);
    payload.insert(payload.end(), content.begin(), content.end());
  }
  return payload.empty() ? Status::Ok() : Add(chunk::kOther, payload);
}

// ---- reading -----------------------------------------------------------------------------------

bool HasSignature(ByteSpan stream) {
  return stream.size() >= std::size(kSignature) &&
         std::equal(std::begin(kSignature), std::end(kSignature), stream.begin());
}

Result<ParsedStream> ParseStream(ByteSpan stream, const Limits& limits) {
  if (!HasSignature(stream))
    return BadStream("this is not a Glint stream: its signature is missing");
  PayloadReader reader(stream);
  reader.Take(std::size(kSignature));
  ParsedStream parsed;
  StreamCollector collector(limits, &parsed);
  for (bool at_end = false; !at_end;) {
    GLINT_ASSIGN(const ChunkView view, ReadChunk(stream, &reader));
    if (parsed.chunks.empty()) {
      if (view.type != chunk::kHeader) return BadStream("the stream does not begin with a header");
      GLINT_TRY(ParseHeader(view.payload, &parsed.header));
      const Status status = CheckPictureInfo(parsed.header.source, limits);
      if (status.code() == StatusCode::kInvalidArgument) return BadStream(status.message());
      GLINT_TRY(status);
    } else {
      GLINT_TRY(collector.Add(view));
    }
    parsed.chunks.push_back(view);
    at_end = view.type == chunk::kEnd;
  }
  if (!reader.AtEnd()) {
    return BadStream(std::to_string(stream.size() - reader.position()) +
                     " bytes follow the end chunk");
  }
  GLINT_TRY(collector.Finish());
  return parsed;
}

PictureInfo OutputInfo(const PictureInfo& source) {
  PictureInfo output = source;
  if (source.bit_depth == 16 && !source.has_alpha) output.bit_depth = 8;
  return output;
}

Status CheckPictureInfo(const PictureInfo& info, const Limits& limits) {
  const auto invalid = [](const std::string& what) {
    return Status::Error(StatusCode::kInvalidArgument, what);
  };
  if (info.width == 0 || info.height == 0 || info.width > kMaxSide || info.height > kMaxSide) {
    return invalid("a picture of " + SizeText(info) + " pixels");
  }
  if (info.channels != 1 && info.channels != 3) {
    return invalid("a picture of " + std::to_string(info.channels) +
                   " colour channels, 1 or 3 are wanted");
  }
  if (std::find(std::begin(kDepths), std::end(kDepths), info.bit_depth) == std::end(kDepths) ||
      (info.channels == 3 && info.bit_depth < 8)) {
    return invalid("a picture of bit depth " + std::to_string(info.bit_depth) + " and " +
                   std::to_string(info.channels) + " colour channels");
  }
  const uint64_t pixels = uint64_t{info.width} * info.height;
  const uint64_t most = std::min(limits.max_pixels, kMaxPixels);
  if (pixels > most) {
    return Status::Error(StatusCode::kLimit, "the picture of " + SizeText(info) +
                                                 " pixels exceeds the limit of " +
                                                 std::to_string(most) + " pixels");
  }
  return Status::Ok();
}

}  // namespace glint
