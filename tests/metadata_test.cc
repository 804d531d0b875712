// Metadata in streams: packed where that is smaller, exact on the way back, whatever form a stream
// has them in; hostile ones refused; kinds that are kept and left out.
#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "codec/stream/container.h"
#include "codec/stream/metadata_chunks.h"
#include "glint/glint.hpp"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::SameMetadata;

StreamHeader SmallHeader() {
  StreamHeader header;
  header.source = MakeInfo(5, 7, 3, false, 8);
  header.lrd = 1;
  return header;
}

// A sound stream with these chunks of metadata in it.
Bytes StreamOf(const std::vector<std::pair<char, Bytes>>& chunks) {
  Bytes stream;
  ContainerWriter writer(&stream);
  REQUIRE(writer.AddHeader(SmallHeader()).ok());
  for (const auto& [type, payload] : chunks) REQUIRE(writer.Add(type, payload).ok());
  REQUIRE(writer.Add(chunk::kEnd, {}).ok());
  return stream;
}

Bytes StreamWith(const Metadata& metadata) {
  Bytes stream;
  ContainerWriter writer(&stream);
  REQUIRE(writer.AddHeader(SmallHeader()).ok());
  REQUIRE(WriteMetadata(metadata, &writer).ok());
  REQUIRE(writer.Add(chunk::kEnd, {}).ok());
  return stream;
}

std::string ChunkTypes(const Bytes& stream) {
  const auto parsed = ParseStream(stream, {});
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  std::string types;
  for (const ChunkView& view : parsed->chunks) types += view.type;
  return types;
}

Bytes Text(const std::string& text) { return Bytes(text.begin(), text.end()); }

// XMP as photo editors write it: much of it says the same again, and at its end are blanks.
Bytes Xmp(size_t size) {
  std::string text("XML:com.adobe.xmp\0\0\0\0\0", 22);
  for (size_t i = 0; text.size() < size; ++i) {
    text +=
        "<rdf:li stEvt:action=\"saved\" stEvt:instanceID=\"xmp.iid:" + std::to_string(i * 7919) +
        "\"/>\n";
  }
  text.resize(size, ' ');
  return Text(text);
}

Bytes RandomBytes(std::mt19937* random, size_t size) {
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((*random)());
  return bytes;
}

// Type, length, zlib stream, as chunk 'z' has it.
Bytes Packed(char type, uint32_t claimed, const Bytes& content) {
  Bytes packed = {static_cast<uint8_t>(type)};
  AppendLeb128(claimed, &packed);
  uLongf size = compressBound(content.size());
  const size_t head = packed.size();
  packed.resize(head + size);
  REQUIRE(compress(packed.data() + head, &size, content.data(), content.size()) == Z_OK);
  packed.resize(head + size);
  return packed;
}

void CheckBad(const Bytes& stream, const std::string& part, const Limits& limits = {},
              StatusCode code = StatusCode::kBadStream) {
  const auto parsed = ParseStream(stream, limits);
  CAPTURE(part);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.status().code() == code);
  CHECK_MESSAGE(parsed.status().message().find(part) != std::string::npos,
                parsed.status().message());
}

TEST_CASE("metadata: what deflates is packed, what does not stays as it is") {
  std::mt19937 random(TestSeed() + 940);
  Metadata metadata;
  metadata.chunks = {{"iTXt", Xmp(50000)}};
  Bytes stream = StreamWith(metadata);
  CHECK(ChunkTypes(stream) == "HzE");
  CHECK(stream.size() < 50000 / 8);

  metadata.chunks.insert(metadata.chunks.begin(), {"pHYs", {0, 0, 1, 0, 0, 0, 1, 0, 1}});
  metadata.chunks.emplace_back("zTXt", RandomBytes(&random, 3000));
  metadata.exif = Text("MM" + std::string(400, '\0') + "Maker" + std::string(400, '\0'));
  stream = StreamWith(metadata);
  CHECK(ChunkTypes(stream) == "HzzE");
  CHECK(stream.size() < 50000 / 8 + 3100);
  CHECK(SameMetadata(ParseStream(stream, {})->metadata, metadata));

  metadata = {};
  metadata.exif = {'I', 'I', 42, 0};
  metadata.chunks = {{"zTXt", RandomBytes(&random, 3000)}};
  stream = StreamWith(metadata);
  CHECK(ChunkTypes(stream) == "HetE");
  CHECK(SameMetadata(ParseStream(stream, {})->metadata, metadata));
}

TEST_CASE("metadata: packed or not, they come back byte for byte") {
  std::mt19937 random(TestSeed() + 941);
  size_t packed = 0;
  for (int trial = 0; trial < 100; ++trial) {
    Metadata metadata;
    // Of few letters, or random: some of it is worth packing.
    const auto bytes = [&] {
      Bytes content = RandomBytes(&random, random() % 2000);
      const auto letters = static_cast<uint8_t>(1 + random() % 255);
      for (uint8_t& byte : content) byte = static_cast<uint8_t>(byte % letters);
      return content;
    };
    if (random() % 2 == 0) metadata.exif = bytes();
    for (size_t i = random() % 4; i > 0; --i) metadata.chunks.emplace_back("tEXt", bytes());
    const Bytes stream = StreamWith(metadata);
    const auto parsed = ParseStream(stream, {});
    REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
    CHECK(SameMetadata(parsed->metadata, metadata));
    const std::string types = ChunkTypes(stream);
    packed += static_cast<size_t>(std::count(types.begin(), types.end(), 'z'));
  }
  CHECK(packed > 20);
}

TEST_CASE("metadata: chunks that are not packed are read as before") {
  const Bytes exif = Text("MM" + std::string(500, 'x'));
  Bytes entry = Text("tEXt");
  AppendLeb128(500, &entry);
  entry.resize(entry.size() + 500, 'y');
  const auto parsed = ParseStream(StreamOf({{'e', exif}, {'t', entry}}), {});
  REQUIRE(parsed.ok());
  CHECK(parsed->metadata.exif == exif);
  REQUIRE(parsed->metadata.chunks.size() == 1);
  CHECK(parsed->metadata.chunks[0].second == Bytes(500, 'y'));
}

TEST_CASE("metadata: packed chunks that lie, come twice, or blow up") {
  const Bytes exif(1000, 7);
  const Bytes good = Packed('e', 1000, exif);
  CHECK(ParseStream(StreamOf({{'z', good}}), {}).ok());
  CheckBad(StreamOf({{'z', {}}}), "empty");
  CheckBad(StreamOf({{'z', {'e'}}}), "claims 0");
  CheckBad(StreamOf({{'z', Packed('e', 999, exif)}}), "does not inflate");
  CheckBad(StreamOf({{'z', Packed('e', 1001, exif)}}), "does not inflate");
  CheckBad(StreamOf({{'z', Packed('e', 0, {})}}), "claims 0");
  CheckBad(StreamOf({{'z', Packed('e', 1 << 27, exif)}}), "claims 134217728");
  Bytes longer = good;
  longer.push_back(0);
  CheckBad(StreamOf({{'z', longer}}), "does not inflate");
  for (size_t size = 1; size < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<int64_t>(size));
    REQUIRE_FALSE(ParseStream(StreamOf({{'z', cut}}), {}).ok());
  }
  CheckBad(StreamOf({{'z', good}, {'z', good}}), "second EXIF");
  CheckBad(StreamOf({{'e', exif}, {'z', good}}), "second EXIF");
  CheckBad(StreamOf({{'z', good}, {'e', exif}}), "second EXIF");
  const Bytes entry = {'t', 'E', 'X', 't', 1, 'x'};
  CheckBad(StreamOf({{'t', entry}, {'z', Packed('t', 6, entry)}}), "second metadata");
  CheckBad(StreamOf({{'z', Packed('t', 5, {'t', 'E', 'X', 't', 1})}}), "cut short");
  // A type that does not exist yet is passed over, and not inflated.
  CHECK(ParseStream(StreamOf({{'z', {'q', 1, 2, 3}}, {'z', good}}), {}).ok());
}

TEST_CASE("metadata: what inflates is held against the limits before there is memory for it") {
  constexpr uint32_t kLarge = 60 << 20;
  const Bytes bomb = Packed('e', kLarge, Bytes(kLarge, 0));
  CHECK(bomb.size() < 100000);
  Limits limits;
  limits.max_memory = kLarge - 1;
  CheckBad(StreamOf({{'z', bomb}}), "EXIF", limits, StatusCode::kLimit);
  CheckBad(StreamOf({{'z', Packed('e', (1 << 26) + 1, Bytes((1 << 26) + 1, 0))}}), "at most");
  // 60000 entries of 5 bytes pack to next to nothing, and take 56 bytes each and more.
  Bytes entries;
  for (int i = 0; i < 60000; ++i) entries.insert(entries.end(), {'t', 'E', 'X', 't', 0});
  limits.max_memory = 2 << 20;
  CheckBad(StreamOf({{'z', Packed('t', 300000, entries)}}), "memory", limits, StatusCode::kLimit);
  CHECK(ParseStream(StreamOf({{'z', Packed('t', 300000, entries)}}), {}).ok());
}

TEST_CASE("metadata: encoding counts what packing takes") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  Picture picture = testing::SmoothPicture(MakeInfo(20, 20, 3, false, 8), 1);
  Report report;
  testing::MustEncode(model, picture, {}, &report);
  EncodeOptions options;
  options.limits.max_memory = report.planned_bytes + (1 << 20);
  picture.metadata.exif.assign(4 << 20, 'x');
  const auto stream = Encode(model, picture, options);
  REQUIRE_FALSE(stream.ok());
  CHECK(stream.error().code == ErrorCode::kLimit);
}

TEST_CASE("metadata: kinds are kept and left out") {
  Metadata all;
  all.icc = Bytes(10);
  all.exif = Bytes(20);
  all.chunks = {{"gAMA", Bytes(4)},
                {"iTXt", Text(std::string("XML:com.adobe.xmp\0\0\0\0\0<x/>", 26))},
                {"tEXt", Text(std::string("Author\0me", 9))},
                {"iTXt", Text(std::string("XML:com.adobe.xmp2\0\0\0\0\0", 23))},
                {"zTXt", Text(std::string("Raw profile type exif\0\0x", 24))},
                {"tEXt", Text("no zero")},
                {"pHYs", Bytes(9)},
                {"tIME", Bytes(7)}};
  struct Kept {
    uint32_t kinds;
    size_t icc, exif;
    std::vector<size_t> chunks;
    uint64_t bytes;
  };
  for (const Kept& kept :
       {Kept{kMetadataAll, 10, 20, {0, 1, 2, 3, 4, 5, 6, 7}, 139}, Kept{0, 0, 0, {}, 0},
        Kept{kMetadataIcc, 10, 0, {0}, 14}, Kept{kMetadataExif, 0, 20, {4}, 44},
        Kept{kMetadataXmp, 0, 0, {1}, 26}, Kept{kMetadataText, 0, 0, {2, 3, 5}, 39},
        Kept{kMetadataOther, 0, 0, {6, 7}, 16},
        Kept{kMetadataIcc | kMetadataXmp, 10, 0, {0, 1}, 40}}) {
    CAPTURE(kept.kinds);
    CHECK(MetadataSize(all, kept.kinds) == kept.bytes);
    const Metadata metadata = MetadataOfKinds(all, kept.kinds);
    CHECK(metadata.icc.size() == kept.icc);
    CHECK(metadata.exif.size() == kept.exif);
    REQUIRE(metadata.chunks.size() == kept.chunks.size());
    for (size_t i = 0; i < kept.chunks.size(); ++i) {
      CHECK(metadata.chunks[i] == all.chunks[kept.chunks[i]]);
    }
    CHECK(MetadataSize(metadata) == kept.bytes);
  }
}

}  // namespace
}  // namespace glint
