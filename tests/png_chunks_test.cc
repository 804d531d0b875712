// PNG: what is wrong in chunks that a picture can do without, animations, Apple's variant, claims
// that compressed data cannot keep, and the memory that readers say they take.

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <string>
#include <thread>

#include "tests/codec_helpers.h"
#include "tests/mutate.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using testing::AppendBig;
using testing::Bytes;
using testing::DeflateAll;
using testing::PeakMemory;
using testing::PngChunk;
using testing::SmoothPicture;

using Texts = std::vector<std::string>;

const Bytes kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

PngChunk Header(uint32_t width, uint32_t height, uint8_t depth, uint8_t color, uint8_t interlace) {
  Bytes header;
  AppendBig(width, &header);
  AppendBig(height, &header);
  header.insert(header.end(), {depth, color, 0, 0, interlace});
  return {"IHDR", header};
}

Bytes Text(const std::string& text) { return Bytes(text.begin(), text.end()); }

const PngChunk kText = {"tEXt", Text(std::string("Title\0A title", 13))};
const PngChunk kEnd = {"IEND", {}};

// One gray pixel, with chunks in front of it and behind it.
Bytes OnePixel(std::vector<PngChunk> before, const std::vector<PngChunk>& after = {}) {
  before.insert(before.begin(), Header(1, 1, 8, 0, 0));
  before.push_back({"IDAT", DeflateAll({0, 77})});
  before.insert(before.end(), after.begin(), after.end());
  before.push_back(kEnd);
  return testing::JoinPng(kSignature, before);
}

// Breaks the CRC of the first chunk of that type.
Bytes WithWrongCrc(Bytes png, const std::string& type) {
  for (size_t at = 8; at + 12 <= png.size();) {
    const size_t size = testing::LoadBig(png.data() + at);
    if (std::equal(type.begin(), type.end(), png.begin() + static_cast<int64_t>(at) + 4)) {
      png[at + 8 + size] ^= 1;
      return png;
    }
    at += size + 12;
  }
  FAIL("there is no such chunk");
  return png;
}

// Filtered rows of a picture of zeros, by passes where it is interlaced.
Bytes RawPixels(uint32_t width, uint32_t height, size_t pixel_bytes, bool interlaced) {
  constexpr uint32_t kLeft[] = {0, 4, 0, 2, 0, 1, 0}, kAcross[] = {8, 8, 4, 4, 2, 2, 1};
  constexpr uint32_t kTop[] = {0, 0, 4, 0, 2, 0, 1}, kDown[] = {8, 8, 8, 4, 4, 2, 2};
  if (!interlaced) return Bytes((width * pixel_bytes + 1) * height);
  size_t size = 0;
  for (size_t pass = 0; pass < 7; ++pass) {
    const size_t columns = (width + kAcross[pass] - 1 - kLeft[pass]) / kAcross[pass];
    const size_t rows = (height + kDown[pass] - 1 - kTop[pass]) / kDown[pass];
    if (columns > 0) size += (columns * pixel_bytes + 1) * rows;
  }
  return Bytes(size);
}

struct Reading {
  Error error;
  Picture picture;
  Texts warnings;
  uint64_t memory = 0;
};

Reading ReadWith(const Expected<std::unique_ptr<PictureReader>>& reader) {
  Reading reading;
  reading.error = reader.error();
  if (!reader) return reading;
  Picture& picture = reading.picture;
  picture.info = (*reader)->info();
  reading.memory = (*reader)->memory();
  Bytes row(picture.info.RowBytes());
  for (uint32_t y = 0; y < picture.info.height && reading.error.ok(); ++y) {
    reading.error = (*reader)->ReadRow(row.data());
    if (picture.info.height < 1000) {
      picture.samples.insert(picture.samples.end(), row.begin(), row.end());
    }
  }
  if (reading.error.ok()) reading.error = (*reader)->Finish();
  picture.metadata = (*reader)->metadata();
  reading.warnings = (*reader)->warnings();
  return reading;
}

Reading Read(const Bytes& png, const Limits& limits = {}) {
  return ReadWith(PictureReader::FromMemory(png.data(), png.size(), "memory", limits));
}

TEST_CASE("PNG: a wrong CRC costs the chunk where a picture can do without it") {
  const Texts warning = {"the CRC of its tEXt chunk is wrong: left out"};
  for (const bool behind : {false, true}) {
    const Bytes png = behind ? OnePixel({}, {kText}) : OnePixel({kText});
    CHECK(Read(png).picture.metadata.chunks.size() == 1);
    const Reading reading = Read(WithWrongCrc(png, "tEXt"));
    REQUIRE_MESSAGE(reading.error.ok(), reading.error.message);
    CHECK(reading.picture.metadata.chunks.empty());
    CHECK(reading.picture.samples == Bytes{77});
    CHECK(reading.warnings == warning);
  }
  // Of several damaged texts each is left out; one warning is enough.
  const Bytes two = OnePixel({kText, {"gAMA", {0, 0, 1, 0}}, kText});
  Reading reading = Read(WithWrongCrc(two, "tEXt"));
  CHECK(reading.picture.metadata.chunks.size() == 2);
  CHECK(reading.warnings == warning);
  // Also one that would not be kept, and one that libpng needs.
  reading = Read(WithWrongCrc(OnePixel({{"teST", {1, 2}}}), "teST"));
  CHECK(reading.error.ok());
  CHECK(reading.warnings.size() == 1);
  const Bytes keyed = OnePixel({{"tRNS", {0, 77}}});
  CHECK(Read(keyed).picture.info.has_alpha);
  reading = Read(WithWrongCrc(keyed, "tRNS"));
  CHECK(reading.error.ok());
  CHECK_FALSE(reading.picture.info.has_alpha);
  CHECK(reading.warnings == Texts{"the CRC of its tRNS chunk is wrong: left out"});

  for (const char* critical : {"IHDR", "IDAT", "IEND"}) {
    CAPTURE(critical);
    CHECK(Read(WithWrongCrc(OnePixel({kText}), critical)).error.code == ErrorCode::kBadImage);
  }
}

TEST_CASE("PNG: an animation gives its first picture and a warning") {
  const Bytes plays = {0, 0, 0, 0};
  const auto control = [&](uint8_t pictures) {
    Bytes body = {0, 0, 0, pictures};
    body.insert(body.end(), plays.begin(), plays.end());
    return PngChunk{"acTL", body};
  };
  CHECK(Read(OnePixel({control(20)})).warnings ==
        Texts{"an animation of 20 pictures: only the first is taken"});
  CHECK(Read(OnePixel({control(1)})).warnings.empty());
  CHECK(Read(OnePixel({control(20)})).picture.metadata.chunks.empty());
}

TEST_CASE("PNG: of what is left out, people are told what they may miss") {
  CHECK(Read(OnePixel({{"caBX", Bytes(100, 7)}})).warnings ==
        Texts{"its content credentials (C2PA): left out"});
  // These say how pixels may be shown or packed, and change none.
  const Reading reading = Read(OnePixel({{"sBIT", {8}},
                                         {"bKGD", {0, 9}},
                                         {"sPLT", Text(std::string("name\0\10", 6))},
                                         {"prVt", {1}}}));
  CHECK(reading.error.ok());
  CHECK(reading.warnings.empty());
}

TEST_CASE("PNG: the limit that metadata need is said") {
  Bytes profile = Text(std::string("name\0\0", 6));
  const Bytes icc = DeflateAll(Bytes(3000000, 9));
  profile.insert(profile.end(), icc.begin(), icc.end());
  for (const Bytes& png : {OnePixel({{"tEXt", Bytes(3000000, 'x')}, {"tEXt", Bytes(50, 'x')}}),
                           OnePixel({{"iCCP", profile}}),
                           OnePixel({{"tEXt", Bytes(3000000, 'x')}, {"iCCP", profile}})}) {
    Limits limits;
    limits.max_memory = 1000000;
    limits.held_memory = 1000;
    const Error refused = Read(png, limits).error;
    CHECK(refused.code == ErrorCode::kLimit);
    REQUIRE(refused.memory_needed > 3000000);
    limits.max_memory = refused.memory_needed;
    const Reading reading = Read(png, limits);
    CHECK_MESSAGE(reading.error.ok(), reading.error.message);
  }
}

TEST_CASE("PNG: Apple's variant is named") {
  const Bytes png = testing::JoinPng(
      kSignature, {{"CgBI", {0x50, 0, 0x20, 6}}, Header(1, 1, 8, 6, 0), {"IDAT", {1, 2, 3}}, kEnd});
  const Reading reading = Read(png);
  CHECK(reading.error.code == ErrorCode::kUnsupported);
  CHECK(reading.error.message.find("CgBI") != std::string::npos);
  CHECK(reading.error.message.find("pngcrush") != std::string::npos);
}

// ---- claims and memory --------------------------------------------------------------------------

TEST_CASE("PNG: more pixels than its compressed data can be are refused at once") {
  Limits limits;
  limits.max_pixels = UINT64_MAX;
  for (const uint8_t interlace : {uint8_t{0}, uint8_t{1}}) {
    const Bytes packed = DeflateAll(RawPixels(577, 577, 3, interlace != 0));
    const auto png = [&](uint32_t side) {
      return testing::JoinPng(kSignature,
                              {Header(side, side, 8, 2, interlace), {"IDAT", packed}, kEnd});
    };
    CHECK(Read(png(577), limits).error.ok());  // inflates to just enough
    const Reading lie = Read(png(16000), limits);
    CHECK(lie.error.code == ErrorCode::kBadImage);
    CHECK(lie.error.message.find(std::to_string(packed.size()) + " bytes") != std::string::npos);
    CHECK(lie.memory == 0);  // not even opened
    // Nor does a chunk count that claims to be longer than the file.
    Bytes claim = png(16000);
    claim.resize(8 + 25 + 20);
    claim[8 + 25] = 0x7F;
    CHECK(Read(claim, limits).error.code == ErrorCode::kBadImage);
  }
}

TEST_CASE("PNG: an interlaced picture from a pipe takes memory only as its data come") {
  const Bytes png = testing::JoinPng(
      kSignature, {Header(16000, 16000, 8, 2, 1), {"IDAT", DeflateAll(Bytes(1000))}, kEnd});
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  REQUIRE(write(ends[1], png.data(), png.size()) == static_cast<ssize_t>(png.size()));
  close(ends[1]);
  const int saved = dup(STDIN_FILENO);
  dup2(ends[0], STDIN_FILENO);
  close(ends[0]);
  const PeakMemory peak;
  const Reading reading = ReadWith(PictureReader::Open("-"));
  const uint64_t growth = peak.Growth();
  dup2(saved, STDIN_FILENO);
  close(saved);
  CHECK(reading.memory > uint64_t{3} * 16000 * 16000);
  CHECK(reading.error.code == ErrorCode::kBadImage);
  CHECK(growth < (uint64_t{64} << 20) + testing::kSanitizerMemory);
}

TEST_CASE("PNG: memory is what the reader said, and limits hold before it is taken") {
  constexpr uint64_t kSlack = (uint64_t{1} << 20) + testing::kSanitizerMemory;
  const uint32_t width = 2000, height = 1500;
  for (const uint8_t interlace : {uint8_t{0}, uint8_t{1}}) {
    for (const uint8_t depth : {uint8_t{8}, uint8_t{16}}) {
      CAPTURE(interlace);
      CAPTURE(depth);
      const size_t row = size_t{width} * 4 * depth / 8;
      Bytes profile = Text(std::string("name\0\0", 6));
      const Bytes icc = DeflateAll(Bytes(3000000, 9));
      profile.insert(profile.end(), icc.begin(), icc.end());
      const Bytes png = testing::JoinPng(
          kSignature, {Header(width, height, depth, 6, interlace),
                       {"iCCP", profile},
                       {"IDAT", DeflateAll(RawPixels(width, height, row / width, interlace != 0))},
                       {"tEXt", Bytes(2000000, 'x')},
                       kEnd});
      const PeakMemory peak;
      const Reading reading = Read(png);
      const uint64_t growth = peak.Growth();
      REQUIRE_MESSAGE(reading.error.ok(), reading.error.message);
      CHECK(reading.memory > 5000000);
      if (interlace != 0) CHECK(reading.memory > row * height);
      // The test's own: a row, and a copy of the metadata.
      CHECK(growth < reading.memory + row + 5000000 + kSlack);

      Limits limits;
      limits.max_memory = reading.memory + 1000;
      limits.held_memory = 1000;
      CHECK(Read(png, limits).error.ok());
      limits.max_memory -= 1;
      const Error refused = Read(png, limits).error;
      CHECK(refused.code == ErrorCode::kLimit);
      CHECK(refused.memory_needed == reading.memory + 1000);
    }
  }
}

TEST_CASE("PNG: many small chunks count with what they cost") {
  std::vector<PngChunk> chunks(100000, {"tEXt", {'K', 0}});
  for (size_t i = 0; i < chunks.size(); i += 2) chunks[i] = {"gAMA", {0, 0, 1, 0}};
  const Bytes png = OnePixel(chunks);
  Limits limits;
  limits.max_memory = uint64_t{10} << 20;
  CHECK(Read(png, limits).error.code == ErrorCode::kLimit);
  limits.max_memory = uint64_t{20} << 20;
  const PeakMemory peak;
  const Reading reading = Read(png, limits);
  REQUIRE_MESSAGE(reading.error.ok(), reading.error.message);
  CHECK(reading.picture.metadata.chunks.size() == 50001);
  // Once more for the test's copy.
  CHECK(peak.Growth() < 2 * limits.max_memory + (uint64_t{1} << 20) + testing::kSanitizerMemory);
}

TEST_CASE("PNG: a profile that swells two hundred times is refused within the limit") {
  constexpr uint64_t kSlack = (uint64_t{8} << 20) + testing::kSanitizerMemory;
  constexpr uint64_t kMostMetadata = uint64_t{64} << 20;  // whatever the limit
  Bytes png;
  {
    Bytes profile = Text(std::string("name\0\0", 6));
    const Bytes icc = DeflateAll(Bytes(size_t{100} << 20));
    profile.insert(profile.end(), icc.begin(), icc.end());
    png = OnePixel({{"iCCP", profile}});
  }
  REQUIRE(png.size() < 600000);
  for (const uint64_t mib : {1U, 8U, 20U, 40U, 4000U}) {
    CAPTURE(mib);
    Limits limits;
    limits.max_memory = mib << 20;
    const PeakMemory peak;
    const Error refused = Read(png, limits).error;
    CHECK(refused.code == ErrorCode::kLimit);
    CHECK(peak.Growth() < std::min(limits.max_memory, kMostMetadata) + kSlack);
  }
}

TEST_CASE("PNG: metadata are there once, whether a picture is read whole or written") {
  constexpr uint64_t kBytes = uint64_t{24} << 20, kSlack = uint64_t{4} << 20;
  const TemporaryFolder folder;
  Metadata metadata;
  metadata.icc.resize(kBytes);
  std::mt19937 random(7);  // what cannot be packed
  for (uint8_t& byte : metadata.icc) byte = static_cast<uint8_t>(random());
  const uint8_t pixel = 9;
  PictureInfo info;
  info.width = info.height = info.channels = 1;
  {
    const PeakMemory peak;
    const auto writer = PictureWriter::Create(folder.File("a.png"), info, metadata);
    REQUIRE_MESSAGE(writer.ok(), writer.error().message);
    REQUIRE((*writer)->WriteRow(&pixel).ok());
    REQUIRE((*writer)->Finish().ok());
    CHECK(peak.Growth() < kSlack + testing::kSanitizerMemory);
  }
  metadata.icc.resize(64);
  metadata.chunks.emplace_back("tEXt", Bytes(kBytes, 'x'));
  {
    const auto writer = PictureWriter::Create(folder.File("b.png"), info, metadata);
    REQUIRE_MESSAGE(writer.ok(), writer.error().message);
    REQUIRE((*writer)->WriteRow(&pixel).ok());
    REQUIRE((*writer)->Finish().ok());
  }
  Limits limits;
  limits.max_memory = kBytes + kSlack;
  const PeakMemory peak;
  const auto read = ReadPicture(folder.File("b.png"), limits);
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  CHECK(peak.Growth() < limits.max_memory + testing::kSanitizerMemory);
  CHECK(read->metadata.icc.size() == 64);
  CHECK(read->metadata.chunks == metadata.chunks);
  const auto back = ReadPicture(folder.File("a.png"));
  REQUIRE_MESSAGE(back.ok(), back.error().message);
  CHECK(back->metadata.icc.size() == kBytes);
  std::mt19937 again(7);
  size_t wrong = 0;
  for (const uint8_t byte : back->metadata.icc) wrong += byte != static_cast<uint8_t>(again());
  CHECK(wrong == 0);
}

TEST_CASE("PNG: a file has as much metadata behind its pixels as the limit lets, a pipe a little") {
  const Bytes png = OnePixel({}, {{"tEXt", Bytes(1500000, 'x')}});
  CHECK(Read(png).error.ok());
  const TemporaryFolder folder;
  REQUIRE(WriteFile(folder.File("a.png"), png.data(), png.size()).ok());
  CHECK(ReadWith(PictureReader::Open(folder.File("a.png"))).error.ok());
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::thread writer([&png, fd = ends[1]] {
    for (size_t done = 0; done < png.size();) {
      const ssize_t count = write(fd, png.data() + done, png.size() - done);
      if (count <= 0) break;
      done += static_cast<size_t>(count);
    }
    close(fd);
  });
  const int saved = dup(STDIN_FILENO);
  dup2(ends[0], STDIN_FILENO);
  const Reading reading = ReadWith(PictureReader::Open("-"));
  dup2(saved, STDIN_FILENO);
  close(saved);
  Bytes rest(png.size());
  while (read(ends[0], rest.data(), rest.size()) > 0) {
  }
  close(ends[0]);
  writer.join();
  CHECK(reading.error.code == ErrorCode::kLimit);
  CHECK(reading.error.message.find("from a file") != std::string::npos);
}

}  // namespace
}  // namespace glint
