// The container: every rule of its chunks kept by the writer and held by the reader, damage found.
#include "codec/stream/container.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "codec/stream/metadata_chunks.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

// CRC-32 bit by bit, as the specification of the polynomial has it.
uint32_t PlainCrc(const Bytes& bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

void Append(Bytes* out, const Bytes& bytes) { out->insert(out->end(), bytes.begin(), bytes.end()); }

Bytes Joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) Append(&out, part);
  return out;
}

Bytes LittleEndian(uint32_t value) {
  return {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8),
          static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 24)};
}

Bytes Leb128(uint32_t value) {
  Bytes out;
  AppendLeb128(value, &out);
  return out;
}

// A chunk with any bytes for its length, and the right CRC.
Bytes ChunkWithLength(char type, const Bytes& length, const Bytes& payload) {
  Bytes chunk = Joined({{static_cast<uint8_t>(type)}, length, payload});
  Append(&chunk, LittleEndian(PlainCrc(chunk)));
  return chunk;
}

Bytes Chunk(char type, const Bytes& payload) {
  return ChunkWithLength(type, Leb128(static_cast<uint32_t>(payload.size())), payload);
}

const Bytes kStart(std::begin(kSignature), std::end(kSignature));
const Bytes kModel = {1, 2, 3, 4, 5, 6, 7, 8};
// 5 x 7, RGB of 8 bits without alpha (depth code 3, colour bit 8), lrd 1.
const Bytes kPlainHeader = {1, 0x0B, 5, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x80, 0x3F};

Bytes Stream(std::initializer_list<Bytes> chunks) { return Joined({kStart, Joined(chunks)}); }

Bytes StreamWithHeader(const Bytes& header) {
  return Stream({Chunk('H', header), Chunk('S', {9}), Chunk('E', {})});
}

Bytes Header(uint8_t options, const Bytes& width, const Bytes& height, float lrd) {
  return Joined({{1, options}, width, height, kModel, LittleEndian(std::bit_cast<uint32_t>(lrd))});
}

StatusCode CodeOf(const Bytes& stream, const Limits& limits = {}) {
  const auto parsed = ParseStream(stream, limits);
  if (!parsed.ok()) CHECK(!parsed.status().message().empty());
  return parsed.ok() ? StatusCode::kOk : parsed.status().code();
}

// Refused as kBadStream for a reason that has `part` in it.
void CheckBad(const Bytes& stream, const std::string& part, const Limits& limits = {}) {
  const auto parsed = ParseStream(stream, limits);
  CAPTURE(part);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.status().code() == StatusCode::kBadStream);
  CHECK_MESSAGE(parsed.status().message().find(part) != std::string::npos,
                parsed.status().message());
}

Bytes RandomBytes(std::mt19937* random, size_t size) {
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((*random)());
  return bytes;
}

bool SameMetadata(const Metadata& a, const Metadata& b) {
  return a.icc == b.icc && a.exif == b.exif && a.chunks == b.chunks;
}

Bytes Written(const StreamHeader& header, const Metadata& metadata, const Bytes& alpha,
              const std::vector<Bytes>& segments) {
  Bytes out;
  ContainerWriter writer(&out);
  REQUIRE(writer.AddHeader(header).ok());
  REQUIRE(WriteMetadata(metadata, &writer).ok());
  if (header.source.has_alpha) REQUIRE(writer.Add(chunk::kAlpha, alpha).ok());
  for (const Bytes& segment : segments) REQUIRE(writer.Add(chunk::kSegment, segment).ok());
  REQUIRE(writer.Add(chunk::kEnd, {}).ok());
  return out;
}

StreamHeader SmallHeader(bool has_alpha) {
  StreamHeader header;
  header.source = MakeInfo(300, 2, 3, has_alpha, 8);
  std::copy(kModel.begin(), kModel.end(), header.model.begin());
  header.lrd = 0.0005f;
  return header;
}

TEST_CASE("container: LEB128 and little-endian words") {
  CHECK(Leb128(0) == Bytes{0});
  CHECK(Leb128(0x7F) == Bytes{0x7F});
  CHECK(Leb128(0x80) == Bytes{0x80, 0x01});
  CHECK(Leb128(300) == Bytes{0xAC, 0x02});
  CHECK(Leb128(0x3FFF) == Bytes{0xFF, 0x7F});
  CHECK(Leb128(0x4000) == Bytes{0x80, 0x80, 0x01});
  CHECK(Leb128(UINT32_MAX) == Bytes{0xFF, 0xFF, 0xFF, 0xFF, 0x0F});
  Bytes word;
  AppendU32(0x01020304, &word);
  CHECK(word == Bytes{4, 3, 2, 1});
  CHECK(LoadU32(word.data()) == 0x01020304);
  CHECK(Crc32(0, Bytes{'1', '2', '3', '4', '5', '6', '7', '8', '9'}) == 0xCBF43926);
  CHECK(Crc32(0x1234, {}) == 0x1234);
}

TEST_CASE("container: lengths beyond 32 bits, of six bytes, or with padding are refused") {
  const Bytes payload(5, 0);
  const auto with_length = [&](const Bytes& length) {
    return Stream(
        {Chunk('H', kPlainHeader), ChunkWithLength('x', length, payload), Chunk('E', {})});
  };
  CHECK(CodeOf(with_length({5})) == StatusCode::kOk);
  CHECK(CodeOf(with_length({0x85, 0x00})) == StatusCode::kBadStream);
  CHECK(CodeOf(with_length({0x85, 0x80, 0x80, 0x80, 0x00})) == StatusCode::kBadStream);
  CHECK(CodeOf(with_length({0x85, 0x80, 0x80, 0x80, 0x10})) == StatusCode::kBadStream);
  CHECK(CodeOf(with_length({0x85, 0x80, 0x80, 0x80, 0x80, 0x00})) == StatusCode::kBadStream);
  CHECK(CodeOf(with_length({0xFF, 0xFF, 0xFF, 0xFF, 0x0F})) == StatusCode::kBadStream);
}

TEST_CASE("container: a stream byte for byte") {
  StreamHeader header = SmallHeader(false);
  header.source = MakeInfo(5, 7, 3, false, 8);
  header.lrd = 1.0f;
  const Bytes got = Written(header, {}, {}, {{9}});
  CHECK(got == StreamWithHeader(kPlainHeader));
  const size_t framing = kStart.size() + 3 * (1 + 1 + 4);  // types, lengths, CRCs of H, S, E
  CHECK(got.size() == framing + kPlainHeader.size() + 1);

  Metadata metadata;
  metadata.exif = {'M', 'M'};
  metadata.chunks = {{"tEXt", {'a', 0, 'b'}}, {"tIME", {}}};
  Bytes other = {'t', 'E', 'X', 't', 3, 'a', 0, 'b', 't', 'I', 'M', 'E', 0};
  header.source.has_alpha = true;
  Bytes alpha_header = kPlainHeader;
  alpha_header[1] |= 0x10;
  CHECK(Written(header, metadata, {7, 7}, {{9}, {}}) ==
        Stream({Chunk('H', alpha_header), Chunk('e', {'M', 'M'}), Chunk('t', other),
                Chunk('A', {7, 7}), Chunk('S', {9}), Chunk('S', {}), Chunk('E', {})}));
}

TEST_CASE("container: every header comes back") {
  std::mt19937 random(TestSeed() + 900);
  for (const uint32_t channels : {1U, 3U}) {
    for (const bool has_alpha : {false, true}) {
      for (const uint32_t depth : {1U, 2U, 4U, 8U, 16U}) {
        if (channels == 3 && depth < 8) continue;
        for (const uint32_t side : {1U, 127U, 128U, 70000U, (uint32_t{1} << 31) - 1}) {
          StreamHeader header = SmallHeader(has_alpha);
          // At most 2^40 pixels, the limit of the format.
          header.source = MakeInfo(side, 1 + random() % 512, channels, has_alpha, depth);
          if (random() % 2 == 0) std::swap(header.source.width, header.source.height);
          header.gray = channels == 3 && random() % 2 == 0;
          for (uint8_t& byte : header.model) byte = static_cast<uint8_t>(random());
          header.lrd = std::ldexp(1.0f, static_cast<int>(random() % 200) - 100);
          const Bytes stream = Written(header, {}, {1}, {{2}, {3, 4}});
          Limits limits;
          limits.max_pixels = UINT64_MAX;
          const auto parsed = ParseStream(stream, limits);
          REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
          const PictureInfo& source = parsed->header.source;
          CHECK(source.width == header.source.width);
          CHECK(source.height == header.source.height);
          CHECK(source.channels == channels);
          CHECK(source.has_alpha == has_alpha);
          CHECK(source.bit_depth == depth);
          CHECK(parsed->header.model == header.model);
          CHECK(parsed->header.lrd == header.lrd);
          CHECK(parsed->header.gray == header.gray);
          REQUIRE(parsed->segments.size() == 2);
          CHECK(parsed->segments[1].size() == 2);
          CHECK(parsed->alpha.size() == (has_alpha ? 1 : 0));
        }
      }
    }
  }
}

TEST_CASE("container: chunks tell where they stand") {
  const Bytes stream = Stream(
      {Chunk('H', kPlainHeader), Chunk('q', Bytes(200, 1)), Chunk('S', {5}), Chunk('E', {})});
  const auto parsed = ParseStream(stream, {});
  REQUIRE(parsed.ok());
  uint64_t at = kStart.size();
  std::string types;
  for (const ChunkView& view : parsed->chunks) {
    CHECK(view.offset == at);
    CHECK(stream[view.offset] == static_cast<uint8_t>(view.type));
    at += view.bytes;
    types += view.type;
  }
  CHECK(at == stream.size());
  CHECK(types == "HqSE");
}

TEST_CASE("container: unknown ancillary chunks are skipped, unknown critical ones refused") {
  const Bytes header = Chunk('H', kPlainHeader), segment = Chunk('S', {9}), end = Chunk('E', {});
  for (int byte = 0; byte < 256; ++byte) {
    const char type = static_cast<char>(byte);
    CAPTURE(byte);
    if (std::string("HASDEietz").find(type) != std::string::npos) continue;
    const Bytes stream = Stream({header, Chunk(type, {1, 2, 3}), segment, end});
    if (byte >= 'a' && byte <= 'z') {
      const auto parsed = ParseStream(stream, {});
      REQUIRE(parsed.ok());
      CHECK(parsed->segments.size() == 1);
      CHECK(SameMetadata(parsed->metadata, {}));
    } else {
      const bool critical = byte >= 'A' && byte <= 'Z';
      CHECK(CodeOf(stream) == (critical ? StatusCode::kUnsupported : StatusCode::kBadStream));
    }
  }
}

TEST_CASE("container: chunks that are missing, doubled, or out of place") {
  const Bytes header = Chunk('H', kPlainHeader), segment = Chunk('S', {9}), end = Chunk('E', {});
  Bytes with_alpha = kPlainHeader;
  with_alpha[1] |= 0x10;
  const Bytes alpha_header = Chunk('H', with_alpha), alpha = Chunk('A', {1});
  Bytes icc_payload = Leb128(3);
  Bytes packed(64);
  uLongf packed_size = packed.size();
  REQUIRE(compress(packed.data(), &packed_size, Bytes{1, 2, 3}.data(), 3) == Z_OK);
  packed.resize(packed_size);
  Append(&icc_payload, packed);
  const Bytes icc = Chunk('i', icc_payload), exif = Chunk('e', {1});
  const Bytes other = Chunk('t', {'t', 'E', 'X', 't', 1, 'x'});

  CHECK(CodeOf(Stream({header, icc, exif, other, segment, end})) == StatusCode::kOk);
  CHECK(CodeOf(Stream({alpha_header, alpha, segment, end})) == StatusCode::kOk);
  CHECK(CodeOf(Stream({header, end})) == StatusCode::kOk);  // the decoder counts the segments

  CheckBad({}, "signature");
  CheckBad(kStart, "without an end chunk");
  CheckBad(Stream({segment, header, end}), "begin with a header");
  CheckBad(Stream({end}), "begin with a header");
  CheckBad(Stream({exif, header, end}), "begin with a header");
  CheckBad(Stream({header, segment}), "without an end chunk");
  CheckBad(Stream({header, header, segment, end}), "second header");
  CheckBad(Stream({header, segment, Chunk('E', {0})}), "end chunk is not empty");
  CheckBad(Stream({header, segment, end, {0}}), "1 bytes follow");
  CheckBad(Stream({header, segment, end, segment}), "bytes follow");
  CheckBad(Stream({header, segment, end, end}), "6 bytes follow");
  CheckBad(Stream({alpha_header, segment, end}), "alpha chunk is missing");
  CheckBad(Stream({header, alpha, segment, end}), "without alpha");
  CheckBad(Stream({alpha_header, alpha, alpha, segment, end}), "second alpha");
  CheckBad(Stream({alpha_header, Chunk('A', {}), alpha, segment, end}), "second alpha");
  CheckBad(Stream({header, icc, icc, segment, end}), "second ICC");
  CheckBad(Stream({header, exif, exif, segment, end}), "second EXIF");
  CheckBad(Stream({header, Chunk('e', {}), exif, segment, end}), "EXIF chunk is empty");
  CheckBad(Stream({header, other, other, segment, end}), "second metadata");
}

TEST_CASE("container: header fields out of range") {
  const float lrd = 0.001f;
  const Bytes one = {1};
  CHECK(CodeOf(StreamWithHeader(Header(0x0B, one, one, lrd))) == StatusCode::kOk);
  for (const int version : {0, 2, 255}) {
    Bytes header = Header(0x0B, one, one, lrd);
    header[0] = static_cast<uint8_t>(version);
    header.push_back(0);  // a later version may well have another length
    const auto parsed = ParseStream(StreamWithHeader(header), {});
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.status().code() == StatusCode::kUnsupported);
    CHECK(parsed.status().message().find("version " + std::to_string(version)) !=
          std::string::npos);
  }
  for (int options = 0; options < 256; ++options) {
    CAPTURE(options);
    Bytes header = Header(static_cast<uint8_t>(options), one, one, lrd);
    const int depth = options & 7;
    const bool colour = (options & 8) != 0, alpha = (options & 16) != 0;
    const bool gray = (options & 32) != 0;
    const StatusCode want = depth > 4 || options >= 64 || (gray && !colour)
                                ? StatusCode::kUnsupported
                            : colour && depth < 3 ? StatusCode::kBadStream
                                                  : StatusCode::kOk;
    CHECK(CodeOf(Stream({Chunk('H', header), alpha ? Chunk('A', {1}) : Bytes{}, Chunk('E', {})})) ==
          want);
  }
  Limits endless;
  endless.max_pixels = UINT64_MAX;
  CHECK(CodeOf(StreamWithHeader(Header(0x0B, {0}, one, lrd))) == StatusCode::kBadStream);
  CHECK(CodeOf(StreamWithHeader(Header(0x0B, one, {0}, lrd))) == StatusCode::kBadStream);
  const Bytes most = Leb128(kMaxSide), beyond = Leb128(kMaxSide + 1), padded = {0x81, 0x00};
  CHECK(CodeOf(StreamWithHeader(Header(0x0B, most, one, lrd)), endless) == StatusCode::kOk);
  CHECK(CodeOf(StreamWithHeader(Header(0x0B, beyond, one, lrd)), endless) ==
        StatusCode::kBadStream);
  CHECK(CodeOf(StreamWithHeader(Header(0x0B, one, beyond, lrd)), endless) ==
        StatusCode::kBadStream);
  CHECK(CodeOf(StreamWithHeader(Header(0x0B, padded, one, lrd))) == StatusCode::kBadStream);
  for (const float bad :
       {-0.0f, -1.0f, std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    CheckBad(StreamWithHeader(Header(0x0B, one, one, bad)), "lrd");
  }
  // Of a model of one fixed rate; which models those are, the container does not know.
  CHECK(CodeOf(StreamWithHeader(Header(0x0B, one, one, 0.0f))) == StatusCode::kOk);
  for (size_t size = 1; size < kPlainHeader.size(); ++size) {
    CheckBad(StreamWithHeader(Bytes(kPlainHeader.begin(), kPlainHeader.begin() + int64_t(size))),
             "wrong length");
  }
  CheckBad(StreamWithHeader({}), "wrong length");
  CheckBad(StreamWithHeader(Joined({kPlainHeader, {0}})), "wrong length");
}

TEST_CASE("container: limits on pixels") {
  const Bytes stream = StreamWithHeader(kPlainHeader);  // 35 pixels
  Limits limits;
  limits.max_pixels = 35;
  CHECK(CodeOf(stream, limits) == StatusCode::kOk);
  limits.max_pixels = 34;
  CHECK(CodeOf(stream, limits) == StatusCode::kLimit);
  // No limit of the caller lets sizes in whose products do not fit 64 bits.
  limits.max_pixels = UINT64_MAX;
  const Bytes most = Leb128(kMaxSide);
  CHECK(CodeOf(StreamWithHeader(Header(0x0C, most, most, 1.0f)), limits) == StatusCode::kLimit);
}

TEST_CASE("container: metadata comes back byte for byte") {
  std::mt19937 random(TestSeed() + 901);
  for (int trial = 0; trial < 50; ++trial) {
    Metadata metadata;
    const auto size = [&] { return trial < 4 ? size_t{random() % 3} : size_t{random() % 3000}; };
    metadata.icc = RandomBytes(&random, size());
    if (trial % 5 == 4) metadata.icc.assign(50000, 7);  // packs to next to nothing
    metadata.exif = RandomBytes(&random, size());
    for (size_t i = random() % 6; i > 0; --i) {
      std::string type = "tEXt";
      for (char& c : type) c = static_cast<char>((random() % 2 == 0 ? 'a' : 'A') + random() % 26);
      metadata.chunks.emplace_back(type, RandomBytes(&random, size()));
    }
    const auto parsed = ParseStream(Written(SmallHeader(false), metadata, {}, {{1}}), {});
    REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
    CHECK(SameMetadata(parsed->metadata, metadata));
  }
}

TEST_CASE("container: metadata that cannot be kept are refused by the writer") {
  const auto code = [](const Metadata& metadata) {
    Bytes out;
    ContainerWriter writer(&out);
    return WriteMetadata(metadata, &writer).code();
  };
  for (const char* type : {"", "tEX", "tEXts", "tEX1", "tE t"}) {
    Metadata metadata;
    metadata.chunks = {{"tEXt", {1}}, {type, {1}}};
    CAPTURE(type);
    CHECK(code(metadata) == StatusCode::kInvalidArgument);
  }
  Metadata many;
  many.chunks.assign(kMaxMetadataEntries, {"tEXt", {}});
  CHECK(code(many) == StatusCode::kOk);
  many.chunks.emplace_back("tEXt", Bytes{});
  CHECK(code(many) == StatusCode::kInvalidArgument);
  Metadata profile;
  profile.icc.resize(kMaxInflatedBytes + 1);
  CHECK(code(profile) == StatusCode::kInvalidArgument);
}

TEST_CASE("container: metadata that are no metadata") {
  const Bytes header = Chunk('H', kPlainHeader), end = Chunk('E', {});
  const auto with = [&](char type, const Bytes& payload) {
    return Stream({header, Chunk(type, payload), end});
  };
  const Bytes entry = {'t', 'E', 'X', 't', 2, 'x', 'y'};
  CHECK(CodeOf(with('t', entry)) == StatusCode::kOk);
  CheckBad(with('t', {}), "empty");
  for (size_t size = 1; size < entry.size(); ++size) {
    CheckBad(with('t', Bytes(entry.begin(), entry.begin() + static_cast<int64_t>(size))),
             "cut short");
  }
  CheckBad(with('t', Joined({entry, {'a'}})), "cut short");
  CheckBad(with('t', {'t', 'E', '1', 't', 0}), "four letters");
  Bytes many;
  for (size_t i = 0; i <= kMaxMetadataEntries; ++i) Append(&many, {'t', 'E', 'X', 't', 0});
  CheckBad(with('t', many), "too many");

  Bytes flood = Joined({kStart, header});
  for (size_t i = 0; i <= kMaxAncillaryChunks; ++i) Append(&flood, Chunk('x', {}));
  CheckBad(Joined({flood, end}), "too many");
}

TEST_CASE("container: ICC profiles whose length lies, and bombs") {
  const Bytes header = Chunk('H', kPlainHeader), end = Chunk('E', {});
  Bytes packed(1000);
  const auto code = [&](uint32_t claimed, const Bytes& content, const Limits& limits = {}) {
    const Bytes chunk = Chunk('i', Joined({Leb128(claimed), content}));
    return CodeOf(Stream({header, chunk, end}), limits);
  };
  const Bytes profile(100000, 3);
  uLongf size = packed.size();
  REQUIRE(compress(packed.data(), &size, profile.data(), profile.size()) == Z_OK);
  packed.resize(size);
  CHECK(code(100000, packed) == StatusCode::kOk);
  CHECK(code(99999, packed) == StatusCode::kBadStream);
  CHECK(code(100001, packed) == StatusCode::kBadStream);
  CHECK(code(0, packed) == StatusCode::kBadStream);
  CHECK(code(UINT32_MAX, packed) == StatusCode::kBadStream);
  CHECK(code(100000, Joined({packed, {0}})) == StatusCode::kBadStream);
  CHECK(code(100000, Bytes(packed.begin(), packed.end() - 1)) == StatusCode::kBadStream);
  CHECK(code(1, {}) == StatusCode::kBadStream);
  Limits small;
  small.max_memory = 50000;
  CHECK(code(100000, packed, small) == StatusCode::kLimit);
}

TEST_CASE("container: what is kept of a stream stays within the limit on memory") {
  Bytes many = Stream({Chunk('H', kPlainHeader)});
  for (int i = 0; i < 1000; ++i) Append(&many, Chunk('S', {}));
  Append(&many, Chunk('E', {}));
  Limits limits;
  limits.max_memory = 500000;
  CHECK(CodeOf(many, limits) == StatusCode::kOk);
  limits.max_memory = 100000;
  CHECK(CodeOf(many, limits) == StatusCode::kLimit);
  for (const char type : {'e', 't'}) {
    const Bytes content = Joined({{'t', 'E', 'X', 't'}, Leb128(100000), Bytes(100000, 'a')});
    const Bytes stream = Stream({Chunk('H', kPlainHeader), Chunk(type, content), Chunk('E', {})});
    limits.max_memory = 101000;
    CHECK(CodeOf(stream, limits) == StatusCode::kOk);
    limits.max_memory = 99000;
    CHECK(CodeOf(stream, limits) == StatusCode::kLimit);
  }
  limits.max_memory = 0;
  CHECK(CodeOf(many, limits) == StatusCode::kLimit);
}

TEST_CASE("container: every truncation and every flipped bit is found") {
  std::mt19937 random(TestSeed() + 902);
  Metadata metadata;
  metadata.icc = RandomBytes(&random, 100);
  metadata.exif = RandomBytes(&random, 20);
  metadata.chunks = {{"tEXt", RandomBytes(&random, 9)}, {"gAMA", RandomBytes(&random, 4)}};
  const Bytes stream = Written(SmallHeader(true), metadata, RandomBytes(&random, 50),
                               {RandomBytes(&random, 200), RandomBytes(&random, 30)});
  REQUIRE(CodeOf(stream) == StatusCode::kOk);
  for (size_t size = 0; size < stream.size(); ++size) {
    // A vector of its own, so that the sanitizer sees a read past it.
    const Bytes part(stream.begin(), stream.begin() + static_cast<int64_t>(size));
    REQUIRE_FALSE(ParseStream(part, {}).ok());
  }
  for (size_t bit = 0; bit < 8 * stream.size(); ++bit) {
    Bytes damaged = stream;
    damaged[bit / 8] = static_cast<uint8_t>(damaged[bit / 8] ^ (1 << bit % 8));
    CAPTURE(bit);
    REQUIRE_FALSE(ParseStream(damaged, {}).ok());
  }
}

TEST_CASE("container: what a decoder gives, and how a stream is told from other files") {
  CHECK(OutputInfo(MakeInfo(3, 4, 3, false, 16)).bit_depth == 8);
  CHECK(OutputInfo(MakeInfo(3, 4, 3, true, 16)).bit_depth == 16);
  CHECK(OutputInfo(MakeInfo(3, 4, 1, false, 16)).bit_depth == 8);
  CHECK(OutputInfo(MakeInfo(3, 4, 1, false, 2)).bit_depth == 2);
  CHECK(OutputInfo(MakeInfo(3, 4, 3, true, 8)).has_alpha);
  CHECK(IsStream(kStart.data(), kStart.size()));
  CHECK_FALSE(IsStream(kStart.data(), kStart.size() - 1));
  CHECK_FALSE(IsStream(nullptr, 0));
  const Bytes png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  CHECK_FALSE(IsStream(png.data(), png.size()));
}

}  // namespace
}  // namespace glint
