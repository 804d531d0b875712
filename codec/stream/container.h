// The .glint container: signature, chunks with CRCs, header, metadata. docs/BITSTREAM.md.
// Called by codec/api/encoder, codec/api/decoder, the inspection of streams, and tests.
// Thread rules: values; parsed streams point into the caller's bytes.
#ifndef GLINT_CODEC_STREAM_CONTAINER_H_
#define GLINT_CODEC_STREAM_CONTAINER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/model_file.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

inline constexpr uint8_t kSignature[7] = {0xD3, 'G', 'L', 0x0D, 0x0A, 0x1A, 0x0A};
inline constexpr uint8_t kFormatVersion = 1;
// Limits of the format, beside those of the caller.
inline constexpr uint32_t kMaxSide = (uint32_t{1} << 31) - 1;
inline constexpr uint64_t kMaxPixels = uint64_t{1} << 40;         // whatever the caller's limit is
inline constexpr uint64_t kMaxInflatedBytes = uint64_t{1} << 26;  // ICC profile, packed metadata
inline constexpr size_t kMaxAncillaryChunks = 65536;
inline constexpr size_t kMaxMetadataEntries = 65536;

namespace chunk {
inline constexpr char kHeader = 'H', kAlpha = 'A', kSegment = 'S', kDetail = 'D', kEnd = 'E';
inline constexpr char kIcc = 'i', kExif = 'e', kOther = 't', kPacked = 'z';
inline constexpr char kWholeBase = 'b';
}  // namespace chunk

struct StreamHeader {
  PictureInfo source;
  ModelId model{};
  float lrd = 0;
  bool gray = false;  // three colour channels that are the same everywhere
};

using Bytes = std::vector<uint8_t>;
using ByteSpan = std::span<const uint8_t>;

// 7 bits a byte, low ones first, the high bit set on all but the last; at most 5 bytes, no padding.
void AppendLeb128(uint32_t value, Bytes* out);
void AppendU32(uint32_t value, Bytes* out);  // little-endian
uint32_t LoadU32(const uint8_t* p);
uint32_t Crc32(uint32_t crc, ByteSpan bytes);

// Appends chunks to a vector.
class ContainerWriter {
 public:
  explicit ContainerWriter(Bytes* out) : out_(out) {}
  // kInvalidArgument when the payload is too long for a chunk.
  Status Add(char type, ByteSpan payload);
  // What a stream begins with: the signature and the header's chunk.
  Status AddHeader(const StreamHeader& header);

 private:
  Bytes* out_;
};

struct ChunkView {
  char type = 0;
  uint64_t offset = 0;  // of the chunk in the stream
  uint64_t bytes = 0;   // of the whole chunk
  ByteSpan payload;
  bool is_damaged = false;  // details alone: a wrong CRC of others is an error
};

struct DetailSection {
  ByteSpan payload;
  bool is_damaged = false;  // its CRC is wrong
};

// A stream whose chunks are sound: all CRCs are right, but perhaps those of details; the order is
// right, nothing follows the end.
struct ParsedStream {
  StreamHeader header;
  Metadata metadata;
  std::vector<ChunkView> chunks;
  std::vector<ByteSpan> segments;
  std::vector<DetailSection> details;  // none, or as many as the height wants
  bool has_whole_base = false;         // the model saw all of the picture, not details alone
  ByteSpan alpha;
};

bool HasSignature(ByteSpan stream);

// Takes a stream part by part: its signature, then its chunks. Errors: kBadStream, kUnsupported (a
// newer version or an unknown critical chunk), kLimit.
class StreamParser {
 public:
  // `damaged_details`: details with a wrong CRC are marked, not an error.
  StreamParser(const Limits& limits, bool damaged_details);
  ~StreamParser();
  StreamParser(const StreamParser&) = delete;
  StreamParser& operator=(const StreamParser&) = delete;

  // The size of the part that the stream goes on with; 0 where `bytes` end before it does.
  Result<size_t> NextSize(ByteSpan bytes) const;
  // Takes this part, to which stream() points from then on.
  Status Take(ByteSpan part);
  // What is wrong with a stream that goes on with these bytes, which are no whole part; and with
  // one that has so many bytes behind its end.
  Status CutShort(ByteSpan rest) const;
  static Status Surplus(size_t bytes);
  // The end chunk was taken; nothing may follow it. The stream is whole and sound.
  bool at_end() const { return at_end_; }
  // What was taken so far.
  const ParsedStream& stream() const { return stream_; }
  ParsedStream TakeStream() { return std::move(stream_); }

 private:
  class Collector;

  const Limits limits_;
  const bool damaged_details_;
  ParsedStream stream_;
  std::unique_ptr<Collector> collector_;
  uint64_t position_ = 0;  // of the next part
  bool at_end_ = false;
};

// The whole of a stream.
Result<ParsedStream> ParseStream(ByteSpan stream, const Limits& limits,
                                 bool damaged_details = false);

// What a decoder gives for a source: 8-bit colour, but 16-bit samples where a 16-bit alpha needs
// them, or where the source had them and `deep` asks for them.
PictureInfo OutputInfo(const PictureInfo& source, bool deep = false);

// The rows whose details are in section number `section` of a picture.
RowRange RowsOfDetails(size_t section, uint32_t height);

// The greatest level of its colour: 2^depth - 1, of 8 bits at most.
inline int TopLevel(const PictureInfo& info) {
  return (1 << (info.bit_depth < 8 ? info.bit_depth : 8)) - 1;
}
// Whether a picture has such channels and such a depth, whatever its size.
bool HasForm(const PictureInfo& info);
// kInvalidArgument with the offending value, or kLimit.
Status CheckPictureInfo(const PictureInfo& info, const Limits& limits);

}  // namespace glint

#endif  // GLINT_CODEC_STREAM_CONTAINER_H_
