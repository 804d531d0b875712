// PNG in and out: all of PngSuite, every form that Picture has, metadata, limits, damage.

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using Bytes = std::vector<uint8_t>;

void PutBig32(uint32_t value, Bytes* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<uint8_t>(value >> shift));
}

Bytes Chunk(const std::string& type, const Bytes& body) {
  Bytes chunk;
  PutBig32(static_cast<uint32_t>(body.size()), &chunk);
  chunk.insert(chunk.end(), type.begin(), type.end());
  chunk.insert(chunk.end(), body.begin(), body.end());
  const uLong crc = crc32(0, chunk.data() + 4, static_cast<uInt>(chunk.size() - 4));
  PutBig32(static_cast<uint32_t>(crc), &chunk);
  return chunk;
}

Bytes Text(const std::string& text) { return Bytes(text.begin(), text.end()); }

Bytes Deflated(const Bytes& data) {
  uLongf size = compressBound(static_cast<uLong>(data.size()));
  Bytes out(size);
  REQUIRE(compress(out.data(), &size, data.data(), static_cast<uLong>(data.size())) == Z_OK);
  out.resize(size);
  return out;
}

// Signature, IHDR, then whatever follows.
Bytes PngStart(uint32_t width, uint32_t height, uint8_t depth, uint8_t color, uint8_t interlace) {
  Bytes png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  Bytes header;
  PutBig32(width, &header);
  PutBig32(height, &header);
  header.insert(header.end(), {depth, color, 0, 0, interlace});
  const Bytes chunk = Chunk("IHDR", header);
  png.insert(png.end(), chunk.begin(), chunk.end());
  return png;
}

void Append(Bytes* png, const Bytes& chunk) { png->insert(png->end(), chunk.begin(), chunk.end()); }

// One gray pixel of 8 bits, with chunks in front of the pixel and behind it.
Bytes OnePixel(const std::vector<Bytes>& before, const std::vector<Bytes>& after = {}) {
  Bytes png = PngStart(1, 1, 8, 0, 0);
  for (const Bytes& chunk : before) Append(&png, chunk);
  Append(&png, Chunk("IDAT", Deflated({0, 77})));
  for (const Bytes& chunk : after) Append(&png, chunk);
  Append(&png, Chunk("IEND", {}));
  return png;
}

uint32_t CrcOfSamples(const Picture& picture) {
  Bytes samples = picture.samples;
  if (picture.info.bit_depth == 16 && std::endian::native == std::endian::little) {
    for (size_t i = 0; i + 1 < samples.size(); i += 2) std::swap(samples[i], samples[i + 1]);
  }
  return static_cast<uint32_t>(crc32(0, samples.data(), static_cast<uInt>(samples.size())));
}

// ReadFromMemory, with what the reader has to say.
Expected<Picture> ReadWarned(const Bytes& png, std::vector<std::string>* warnings,
                             const Limits& limits = {}) {
  const auto reader = PictureReader::FromMemory(png.data(), png.size(), "memory", limits);
  if (!reader) return reader.error();
  Picture picture;
  picture.info = (*reader)->info();
  picture.samples.resize(picture.info.RowBytes() * picture.info.height);
  Error error;
  for (uint32_t y = 0; y < picture.info.height && error.ok(); ++y) {
    error = (*reader)->ReadRow(picture.samples.data() + y * picture.info.RowBytes());
  }
  if (error.ok()) error = (*reader)->Finish();
  if (!error.ok()) return error;
  picture.metadata = (*reader)->metadata();
  *warnings = (*reader)->warnings();
  return picture;
}

std::string DataFile(const std::string& name) { return std::string(GLINT_TEST_DATA "/") + name; }

TEST_CASE("PNG: all of PngSuite decodes right or is refused with a reason") {
  std::ifstream table(DataFile("pngsuite.txt"));
  int decoded = 0, refused = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string name, width;
    fields >> name >> width;
    CAPTURE(name);
    const Expected<Picture> picture = ReadPicture(DataFile("pngsuite/" + name));
    if (width == "refused") {
      ++refused;
      REQUIRE(!picture);
      CHECK(picture.error().code == ErrorCode::kBadImage);
      CHECK(picture.error().message.size() > DataFile("pngsuite/" + name).size() + 10);
      continue;
    }
    ++decoded;
    REQUIRE_MESSAGE(picture.ok(), picture.error().message);
    uint32_t height = 0, channels = 0, depth = 0, crc = 0;
    int alpha = 0;
    fields >> height >> channels >> alpha >> depth >> std::hex >> crc;
    CHECK(std::to_string(picture->info.width) == width);
    CHECK(picture->info.height == height);
    CHECK(picture->info.channels == channels);
    CHECK(picture->info.has_alpha == (alpha == 1));
    CHECK(picture->info.bit_depth == depth);
    CHECK(CrcOfSamples(*picture) == crc);
  }
  CHECK(decoded == 162);
  CHECK(refused == 14);
}

TEST_CASE("PNG: every form comes back as it was written") {
  std::mt19937 random(TestSeed());
  for (const uint32_t channels : {1u, 3u}) {
    for (const bool alpha : {false, true}) {
      for (const uint32_t depth : {1u, 2u, 4u, 8u, 16u}) {
        if (depth < 8 && (channels == 3 || alpha)) continue;
        for (const uint32_t width : {1u, 7u, 64u}) {
          const Picture picture = RandomPicture(
              MakeInfo(width, SmallSide(9, &random), channels, alpha, depth), &random);
          const Expected<Picture> back = ReadFromMemory(FileBytes(picture, ".png"));
          REQUIRE_MESSAGE(back.ok(), back.error().message);
          CHECK(SamePixels(*back, picture));
        }
      }
    }
  }
}

TEST_CASE("PNG: metadata comes back byte for byte") {
  std::mt19937 random(TestSeed() + 1);
  Picture picture = RandomPicture(MakeInfo(5, 4, 3, true, 8), &random);
  picture.metadata.icc.resize(70000);
  for (uint8_t& byte : picture.metadata.icc) byte = static_cast<uint8_t>(random() % 7);
  picture.metadata.exif = Text(std::string("MM\0*something", 13));
  picture.metadata.chunks = {{"gAMA", {0, 0, 0xb1, 0x8f}},
                             {"tEXt", Text(std::string("Title\0A title", 13))},
                             {"tEXt", Text(std::string("Title\0Another", 13))},
                             {"iTXt", Text(std::string("K\0\0\0de\0Wort\0\xc3\xa4", 14))},
                             {"pHYs", {0, 0, 1, 2, 0, 0, 3, 4, 1}}};
  const Expected<Picture> back = ReadFromMemory(FileBytes(picture, ".png"));
  REQUIRE_MESSAGE(back.ok(), back.error().message);
  CHECK(back->metadata.icc == picture.metadata.icc);
  CHECK(back->metadata.exif == picture.metadata.exif);
  CHECK(back->metadata.chunks == picture.metadata.chunks);
}

TEST_CASE("PNG: metadata cannot smuggle chunks into a file") {
  std::mt19937 random(TestSeed() + 2);
  Picture picture = RandomPicture(MakeInfo(3, 2, 1, false, 8), &random);
  const Bytes plain = FileBytes(picture, ".png");
  picture.metadata.chunks = {{"IDAT", {1, 2, 3}}, {"tRNS", {0, 5}},  {"IEND", {}},
                             {"gAMA", {1}},       {"", {1, 2, 3}},   {"tEXt\n", {1, 2, 3}},
                             {"bKGD", {0, 1}},    {"acTL", Bytes(8)}};
  CHECK(FileBytes(picture, ".png") == plain);
}

TEST_CASE("PNG: texts behind the pixels are read by Finish") {
  const Bytes text = Text(std::string("Comment\0late", 12));
  const Bytes png =
      OnePixel({Chunk("gAMA", {0, 0, 1, 0}), Chunk("gAMA", {0, 0, 2, 0})}, {Chunk("tEXt", text)});
  const auto reader = PictureReader::FromMemory(png.data(), png.size(), "memory");
  REQUIRE(reader.ok());
  const Metadata& metadata = (*reader)->metadata();
  REQUIRE(metadata.chunks.size() == 1);  // the second gAMA is one too many
  CHECK(metadata.chunks[0].second == Bytes{0, 0, 1, 0});
  uint8_t row = 0;
  REQUIRE((*reader)->ReadRow(&row).ok());
  CHECK(row == 77);
  CHECK((*reader)->ReadRow(&row).code == ErrorCode::kInvalidArgument);
  REQUIRE((*reader)->Finish().ok());
  REQUIRE(metadata.chunks.size() == 2);
  CHECK(metadata.chunks[1].first == "tEXt");
  CHECK(metadata.chunks[1].second == text);
}

TEST_CASE("PNG: EXIF of PngSuite, ICC profiles good and bad") {
  const Expected<Picture> exif = ReadPicture(DataFile("pngsuite/exif2c08.png"));
  REQUIRE(exif.ok());
  CHECK(exif->metadata.exif.size() == 978);

  const Bytes profile = Text("not really a profile, but kept");
  std::vector<std::string> warnings;
  const auto read_icc = [&warnings](const Bytes& body) {
    const Expected<Picture> picture = ReadWarned(OnePixel({Chunk("iCCP", body)}), &warnings);
    REQUIRE_MESSAGE(picture.ok(), picture.error().message);
    return picture->metadata.icc;
  };
  Bytes body = Text(std::string("name\0\0", 6));
  const Bytes packed = Deflated(profile);
  body.insert(body.end(), packed.begin(), packed.end());
  CHECK(read_icc(body) == profile);
  CHECK(warnings.empty());
  for (size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    CHECK(read_icc(Bytes(body.begin(), body.begin() + static_cast<ptrdiff_t>(size))).empty());
    CHECK(warnings == std::vector<std::string>{"its ICC profile is broken: left out"});
  }
}

TEST_CASE("PNG: limits on pixels, memory and metadata") {
  Limits small;
  small.max_pixels = 100;
  small.max_memory = 250000;
  const auto code = [&small](const Bytes& png) {
    const auto reader = PictureReader::FromMemory(png.data(), png.size(), "memory", small);
    if (!reader) return reader.error().code;
    Bytes row((*reader)->info().RowBytes());
    return (*reader)->ReadRow(row.data()).code;
  };
  const Bytes pixels = Chunk("IDAT", Deflated(Bytes(100000)));
  const auto with_pixels = [&pixels](Bytes png) {
    Append(&png, pixels);
    return png;
  };
  CHECK(code(with_pixels(PngStart(10, 10, 8, 2, 0))) == ErrorCode::kOk);
  CHECK(code(with_pixels(PngStart(101, 1, 8, 2, 0))) == ErrorCode::kLimit);
  CHECK(code(with_pixels(PngStart(0x7fffffff, 0x7fffffff, 16, 6, 0))) == ErrorCode::kLimit);
  small.max_pixels = UINT64_MAX;
  CHECK(code(with_pixels(PngStart(0x7fffffff, 0x7fffffff, 16, 6, 0))) == ErrorCode::kBadImage);
  CHECK(code(with_pixels(PngStart(0x7fffffff, 0x7fffffff, 16, 6, 1))) == ErrorCode::kBadImage);
  CHECK(code(with_pixels(PngStart(10, 10000, 8, 0, 0))) == ErrorCode::kOk);
  CHECK(code(with_pixels(PngStart(10, 10000, 8, 0, 1))) == ErrorCode::kLimit);  // held whole
  CHECK(code(with_pixels(PngStart(0, 1, 8, 0, 0))) == ErrorCode::kBadImage);
  CHECK(code(with_pixels(PngStart(0x80000000u, 1, 8, 0, 0))) == ErrorCode::kBadImage);

  // A profile of a few bytes that wants 4 MB, and a text as it stands.
  Bytes body = Text(std::string("bomb\0\0", 6));
  const Bytes packed = Deflated(Bytes(4000000));
  body.insert(body.end(), packed.begin(), packed.end());
  CHECK(code(OnePixel({Chunk("iCCP", body)})) == ErrorCode::kLimit);
  CHECK(code(OnePixel({Chunk("tEXt", Bytes(400000, 'x'))})) == ErrorCode::kLimit);
  CHECK(code(OnePixel({Chunk("teST", Bytes(400000, 'x'))})) == ErrorCode::kOk);  // not kept
}

// Chunks that a picture can do without: their types, contents and CRCs.
std::vector<bool> AncillaryBytes(const Bytes& png) {
  std::vector<bool> ancillary(png.size());
  for (size_t at = 8; at + 12 <= png.size();) {
    const size_t size = size_t{png[at]} << 24 | size_t{png[at + 1]} << 16 |
                        size_t{png[at + 2]} << 8 | size_t{png[at + 3]};
    const bool is_ancillary = (png[at + 4] & 0x20) != 0;
    for (size_t i = at + 4; i < at + size + 12; ++i) ancillary[i] = is_ancillary;
    at += size + 12;
  }
  return ancillary;
}

TEST_CASE("PNG: every truncation is an error, and every bit flip, or a warning") {
  for (const char* name : {"basi3p04.png", "basn2c16.png", "tbbn0g04.png", "ctzn0g04.png"}) {
    CAPTURE(name);
    const auto file = ReadFile(DataFile(std::string("pngsuite/") + name), 1 << 20);
    REQUIRE(file.ok());
    REQUIRE(ReadFromMemory(*file).ok());
    Limits limits;
    limits.max_pixels = 1 << 20;
    limits.max_memory = 1 << 24;
    for (size_t size = 0; size < file->size(); ++size) {
      CAPTURE(size);
      CHECK(!ReadFromMemory(file->data(), size, limits));
    }
    const std::vector<bool> ancillary = AncillaryBytes(*file);
    size_t warned = 0;
    for (size_t bit = 0; bit < 8 * file->size(); ++bit) {
      CAPTURE(bit);
      Bytes damaged = *file;
      damaged[bit / 8] = static_cast<uint8_t>(damaged[bit / 8] ^ (1 << (bit % 8)));
      std::vector<std::string> warnings;
      const Expected<Picture> picture = ReadWarned(damaged, &warnings, limits);
      if (!picture) continue;
      CHECK(ancillary[bit / 8]);
      CHECK(warnings.size() == 1);
      ++warned;
    }
    CHECK((warned > 0) == (std::count(ancillary.begin(), ancillary.end(), true) > 0));
  }
}

// Finds the chunks and makes their CRCs right again, so that damage gets past that door.
void RepairCrcs(Bytes* png) {
  for (size_t at = 8; at + 12 <= png->size();) {
    const size_t size = size_t{(*png)[at]} << 24 | size_t{(*png)[at + 1]} << 16 |
                        size_t{(*png)[at + 2]} << 8 | size_t{(*png)[at + 3]};
    if (size > png->size() - at - 12) return;
    const uLong crc = crc32(0, png->data() + at + 4, static_cast<uInt>(size + 4));
    Bytes big;
    PutBig32(static_cast<uint32_t>(crc), &big);
    std::copy(big.begin(), big.end(), png->begin() + static_cast<ptrdiff_t>(at + 8 + size));
    at += size + 12;
  }
}

TEST_CASE("PNG: random damage behind right CRCs neither crashes nor exceeds the limits") {
  std::mt19937 random(TestSeed() + 3);
  Limits limits;
  limits.max_pixels = 1 << 20;
  limits.max_memory = 1 << 24;
  int read = 0, refused = 0;
  for (const char* name : {"basi6a16.png", "basn3p02.png", "tm3n3p02.png", "exif2c08.png",
                           "oi9n0g16.png", "basi0g01.png", "ccwn2c08.png"}) {
    const auto file = ReadFile(DataFile(std::string("pngsuite/") + name), 1 << 20);
    REQUIRE(file.ok());
    for (int round = 0; round < 400; ++round) {
      Bytes damaged = *file;
      const size_t count = 1 + random() % 4;
      for (size_t i = 0; i < count; ++i) {
        damaged[8 + random() % (damaged.size() - 8)] = static_cast<uint8_t>(random());
      }
      RepairCrcs(&damaged);
      const Expected<Picture> picture = ReadFromMemory(damaged, limits);
      picture.ok() ? ++read : ++refused;
      if (picture) {
        CHECK(picture->samples.size() == picture->info.RowBytes() * picture->info.height);
      } else {
        CHECK(!picture.error().message.empty());
      }
    }
  }
  CHECK(read > 0);
  CHECK(refused > 0);
}

TEST_CASE("PNG: a damaged picture stays damaged") {
  Bytes png = PngStart(4, 3, 8, 0, 0);
  Append(&png, Chunk("IDAT", Deflated({0, 1, 2, 3, 4})));  // one row of three
  Append(&png, Chunk("IEND", {}));
  const auto reader = PictureReader::FromMemory(png.data(), png.size(), "memory");
  REQUIRE(reader.ok());
  uint8_t row[4];
  CHECK((*reader)->ReadRow(row).ok());
  const Error error = (*reader)->ReadRow(row);
  CHECK(error.code == ErrorCode::kBadImage);
  CHECK(error.message.rfind("memory: damaged PNG: ", 0) == 0);
  CHECK((*reader)->ReadRow(row).message == error.message);
  CHECK((*reader)->Finish().message == error.message);
}

}  // namespace
}  // namespace glint
