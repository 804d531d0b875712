#include "codec/stream/container.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "codec/detail/layout.h"
#include "codec/stream/metadata_chunks.h"
#include "codec/stream/payload_reader.h"
#include "kernels/bit_cast.h"

namespace glint {
namespace {

constexpr size_t kCrcBytes = 4;
constexpr uint8_t kDepthMask = 0x07, kColourBit = 0x08, kAlphaBit = 0x10, kGrayBit = 0x20;
constexpr uint32_t kDepths[] = {1, 2, 4, 8, 16};

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

std::string ChunkName(char type, uint64_t offset) {
  return std::string("chunk '") + type + "' at byte " + std::to_string(offset);
}

std::string SizeText(const PictureInfo& info) {
  return std::to_string(info.width) + " x " + std::to_string(info.height);
}

// Of a part that is a whole chunk; `offset`: of it in the stream.
Result<ChunkView> ReadChunk(ByteSpan part, uint64_t offset, bool damaged_details) {
  PayloadReader reader(part);
  ChunkView view;
  view.offset = offset;
  view.bytes = part.size();
  view.type = static_cast<char>(reader.Byte());
  const uint32_t size = reader.Leb128();
  view.payload = reader.Take(size);
  const ByteSpan covered = part.first(reader.position());
  view.is_damaged = LoadU32(reader.Take(kCrcBytes).data()) != Crc32(0, covered);
  if (view.is_damaged && !(damaged_details && view.type == chunk::kDetail)) {
    return BadStream(ChunkName(view.type, offset) + " is damaged: its CRC does not match");
  }
  return view;
}

Status NoSignature() { return BadStream("this is not a Glint stream: its signature is missing"); }

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
  const bool colour = (options & kColourBit) != 0, gray = (options & kGrayBit) != 0;
  if ((options & ~(kDepthMask | kColourBit | kAlphaBit | kGrayBit)) != 0 || (gray && !colour) ||
      (options & kDepthMask) >= std::size(kDepths)) {
    return Status::Error(StatusCode::kUnsupported,
                         "the header has unknown options " + std::to_string(options));
  }
  source.bit_depth = kDepths[options & kDepthMask];
  source.channels = colour ? 3 : 1;
  header->gray = gray;
  source.has_alpha = (options & kAlphaBit) != 0;
  std::copy(model.begin(), model.end(), header->model.begin());
  header->lrd = BitCast<float>(LoadU32(lrd.data()));
  if (!(header->lrd >= 0) || std::signbit(header->lrd) || !std::isfinite(header->lrd)) {
    return BadStream("the header's lrd is neither 0 nor a positive number");
  }
  return Status::Ok();
}

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
  out_->insert(out_->end(), std::begin(kSignature), std::end(kSignature));
  const PictureInfo& source = header.source;
  const auto depth = std::find(std::begin(kDepths), std::end(kDepths), source.bit_depth);
  Bytes payload = {
      kFormatVersion,
      static_cast<uint8_t>((depth - std::begin(kDepths)) | (source.channels == 3 ? kColourBit : 0) |
                           (source.has_alpha ? kAlphaBit : 0) | (header.gray ? kGrayBit : 0))};
  AppendLeb128(source.width, &payload);
  AppendLeb128(source.height, &payload);
  payload.insert(payload.end(), header.model.begin(), header.model.end());
  AppendU32(BitCast<uint32_t>(header.lrd), &payload);
  return Add(chunk::kHeader, payload);
}

// ---- reading -----------------------------------------------------------------------------------

bool HasSignature(ByteSpan stream) {
  return stream.size() >= std::size(kSignature) &&
         std::equal(std::begin(kSignature), std::end(kSignature), stream.begin());
}

// Takes chunks behind the header into the stream.
class StreamParser::Collector {
 public:
  Collector(const Limits& limits, ParsedStream* stream)
      : memory_(limits.max_memory), metadata_(&memory_, &stream->metadata), stream_(*stream) {}

  Status Add(const ChunkView& view) {
    // Both lists may hold three times their content while they grow.
    GLINT_TRY(memory_.Hold(3 * (sizeof(ChunkView) + sizeof(ByteSpan)), "its list of chunks"));
    switch (view.type) {
      case chunk::kHeader:
        return BadStream("a second header");
      case chunk::kSegment:
        stream_.segments.push_back(view.payload);
        return Status::Ok();
      case chunk::kDetail:
        stream_.details.push_back({view.payload, view.is_damaged});
        return Status::Ok();
      case chunk::kAlpha:
        if (has_alpha_) return BadStream("a second alpha chunk");
        has_alpha_ = true;
        stream_.alpha = view.payload;
        return Status::Ok();
      case chunk::kEnd:
        return view.payload.empty() ? Status::Ok() : BadStream("the end chunk is not empty");
      default:
        return AddAncillary(view);
    }
  }

  Status Finish() const {
    const size_t sections = detail::Sections(stream_.header.source.height);
    if (!stream_.details.empty() && stream_.details.size() != sections) {
      return BadStream("it has details of " + std::to_string(stream_.details.size()) +
                       " sections, its height wants " + std::to_string(sections));
    }
    if (has_alpha_ == stream_.header.source.has_alpha) return Status::Ok();
    return BadStream(has_alpha_ ? "an alpha chunk in a picture without alpha"
                                : "the alpha chunk is missing");
  }

 private:
  Status AddAncillary(const ChunkView& view) {
    if (IsUpper(view.type)) {
      return Status::Error(StatusCode::kUnsupported, ChunkName(view.type, view.offset) +
                                                         " is needed to decode, and unknown here");
    }
    if (++ancillary_ > kMaxAncillaryChunks) return BadStream("too many ancillary chunks");
    // Who decodes a stream as it comes has to know before the first rows.
    const bool comes_first = stream_.segments.empty() && stream_.details.empty();
    if (view.type == chunk::kWholeBase && comes_first) stream_.has_whole_base = true;
    return metadata_.Add(view);
  }

  HeldMemory memory_;
  MetadataCollector metadata_;
  ParsedStream& stream_;
  bool has_alpha_ = false;
  size_t ancillary_ = 0;
};

StreamParser::StreamParser(const Limits& limits, bool damaged_details)
    : limits_(limits),
      damaged_details_(damaged_details),
      collector_(std::make_unique<Collector>(limits_, &stream_)) {}

StreamParser::~StreamParser() = default;

Result<size_t> StreamParser::NextSize(ByteSpan bytes) const {
  if (position_ == 0) {
    const size_t count = std::min(bytes.size(), std::size(kSignature));
    if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count),
                    std::begin(kSignature))) {
      return NoSignature();
    }
    return count == std::size(kSignature) ? count : 0;
  }
  if (bytes.empty()) return size_t{0};
  const char type = static_cast<char>(bytes[0]);
  if (!IsUpper(type) && !IsLower(type)) {
    return BadStream("no chunk begins at byte " + std::to_string(position_));
  }
  constexpr size_t kMostLength = 5;
  const ByteSpan length = bytes.subspan(1, std::min(kMostLength, bytes.size() - 1));
  const auto is_last = [](uint8_t byte) { return byte < 0x80; };
  const bool has_length = std::any_of(length.begin(), length.end(), is_last);
  if (!has_length && length.size() < kMostLength) return size_t{0};
  PayloadReader reader(bytes);
  reader.Byte();
  const uint32_t size = reader.Leb128();
  if (!reader.ok()) return CutShort(bytes);
  reader.Take(size);
  reader.Take(kCrcBytes);
  return reader.ok() ? reader.position() : 0;
}

Status StreamParser::CutShort(ByteSpan rest) const {
  if (position_ == 0) return NoSignature();
  if (rest.empty()) {
    return BadStream("the stream ends at byte " + std::to_string(position_) +
                     " without an end chunk");
  }
  return BadStream(ChunkName(static_cast<char>(rest[0]), position_) + " is cut short");
}

Status StreamParser::Surplus(size_t bytes) {
  return BadStream(std::to_string(bytes) + " bytes follow the end chunk");
}

Status StreamParser::Take(ByteSpan part) {
  const uint64_t offset = position_;
  position_ += part.size();
  if (offset == 0) return Status::Ok();
  GLINT_ASSIGN(const ChunkView view, ReadChunk(part, offset, damaged_details_));
  if (stream_.chunks.empty()) {
    if (view.type != chunk::kHeader) return BadStream("the stream does not begin with a header");
    GLINT_TRY(ParseHeader(view.payload, &stream_.header));
    const Status status = CheckPictureInfo(stream_.header.source, limits_);
    if (status.code() == StatusCode::kInvalidArgument) return BadStream(status.message());
    GLINT_TRY(status);
  } else {
    GLINT_TRY(collector_->Add(view));
  }
  stream_.chunks.push_back(view);
  at_end_ = view.type == chunk::kEnd;
  return at_end_ ? collector_->Finish() : Status::Ok();
}

Result<ParsedStream> ParseStream(ByteSpan stream, const Limits& limits, bool damaged_details) {
  StreamParser parser(limits, damaged_details);
  while (!parser.at_end()) {
    GLINT_ASSIGN(const size_t size, parser.NextSize(stream));
    if (size == 0) return parser.CutShort(stream);
    GLINT_TRY(parser.Take(stream.first(size)));
    stream = stream.subspan(size);
  }
  if (!stream.empty()) return parser.Surplus(stream.size());
  return parser.TakeStream();
}

PictureInfo OutputInfo(const PictureInfo& source, bool deep) {
  PictureInfo output = source;
  if (source.bit_depth == 16 && !source.has_alpha && !deep) output.bit_depth = 8;
  return output;
}

RowRange RowsOfDetails(size_t section, uint32_t height) {
  constexpr auto kRows = static_cast<uint64_t>(detail::kSectionRows);
  const uint64_t begin = section * kRows;
  return {static_cast<uint32_t>(begin),
          static_cast<uint32_t>(std::min<uint64_t>(begin + kRows, height))};
}

bool HasForm(const PictureInfo& info) {
  const bool known =
      std::find(std::begin(kDepths), std::end(kDepths), info.bit_depth) != std::end(kDepths);
  return known && (info.channels == 1 || (info.channels == 3 && info.bit_depth >= 8));
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
  if (!HasForm(info)) {
    return invalid("a picture of bit depth " + std::to_string(info.bit_depth) + " and " +
                   std::to_string(info.channels) + " colour channels");
  }
  const uint64_t pixels = uint64_t{info.width} * info.height;
  const uint64_t most = std::min(limits.max_pixels, kMaxPixels);
  if (pixels > most) {
    return Status::Error(StatusCode::kLimit,
                         "the picture of " + SizeText(info) + " pixels, " + std::to_string(pixels) +
                             " in all, exceeds the limit of " + std::to_string(most));
  }
  return Status::Ok();
}

}  // namespace glint
