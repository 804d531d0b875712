// Alpha in streams: what comes back, the most that it takes, and damaged bytes.
#include "codec/stream/alpha.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "codec/stream/alpha_packer.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

struct Rows {
  size_t width = 1, height = 1, sample_bytes = 1;
  std::vector<uint8_t> samples;
  size_t row_bytes() const { return width * sample_bytes; }
  const uint8_t* row(size_t y) const { return samples.data() + y * row_bytes(); }
};

enum class Kind { kNoise, kFlat, kSlope, kStripes, kSparse };
constexpr Kind kKinds[] = {Kind::kNoise, Kind::kFlat, Kind::kSlope, Kind::kStripes, Kind::kSparse};

Rows DrawRows(Kind kind, size_t sample_bytes, std::mt19937* random) {
  const auto draw = [random](unsigned low, unsigned high) {
    return std::uniform_int_distribution<unsigned>(low, high)(*random);
  };
  Rows rows{draw(0, 3) == 0 ? 1 : draw(1, 300), draw(1, 30), sample_bytes, {}};
  // Steps of a slope: a difference of half the range is larger than the samples themselves, so the
  // rule that picks a filter (the least sum of magnitudes) would rightly leave them as they are.
  const unsigned most = sample_bytes == 1 ? 255 : 65535, a = draw(0, most);
  const unsigned b = draw(0, sample_bytes == 1 ? 31 : 700);
  for (size_t y = 0; y < rows.height; ++y) {
    for (size_t x = 0; x < rows.width; ++x) {
      const unsigned at = static_cast<unsigned>(x + 3 * y);
      const unsigned value = kind == Kind::kNoise    ? draw(0, most)
                             : kind == Kind::kFlat   ? a
                             : kind == Kind::kSlope  ? (a + at * b) % (most + 1)
                             : kind == Kind::kSparse ? (draw(0, 50) == 0 ? a : most)
                                                     : (at % 7 < 3 ? a : most - a);
      const uint16_t sample = static_cast<uint16_t>(value);
      const uint8_t byte = static_cast<uint8_t>(value);
      const uint8_t* from = sample_bytes == 1
                                ? &byte
                                : static_cast<const uint8_t*>(static_cast<const void*>(&sample));
      rows.samples.insert(rows.samples.end(), from, from + sample_bytes);
    }
  }
  return rows;
}

std::vector<uint8_t> Pack(const Rows& rows) {
  std::vector<uint8_t> packed;
  auto writer = AlphaWriter::Make(rows.width, rows.sample_bytes, &packed);
  REQUIRE(writer.ok());
  for (size_t y = 0; y < rows.height; ++y) REQUIRE((*writer)->AddRow(rows.row(y)).ok());
  REQUIRE((*writer)->Finish().ok());
  return packed;
}

// Reads `height` rows of the same form; what came before an error is in `samples`.
Status Unpack(std::span<const uint8_t> packed, const Rows& form, size_t height,
              std::vector<uint8_t>* samples) {
  auto reader = AlphaReader::Make(form.width, form.sample_bytes, packed);
  REQUIRE(reader.ok());
  samples->assign(height * form.row_bytes(), 0);
  for (size_t y = 0; y < height; ++y) {
    GLINT_TRY((*reader)->ReadRow(samples->data() + y * form.row_bytes()));
  }
  return (*reader)->Finish();
}

// What zlib makes of these bytes, rows with their filters.
std::vector<uint8_t> Deflated(const std::vector<uint8_t>& filtered) {
  std::vector<uint8_t> packed(compressBound(static_cast<uLong>(filtered.size())));
  uLongf size = static_cast<uLongf>(packed.size());
  REQUIRE(compress(packed.data(), &size, filtered.data(), static_cast<uLong>(filtered.size())) ==
          Z_OK);
  packed.resize(size);
  return packed;
}

PictureInfo InfoOf(const Rows& rows) {
  return MakeInfo(static_cast<uint32_t>(rows.width), static_cast<uint32_t>(rows.height), 3, true,
                  rows.sample_bytes == 1 ? 8 : 16);
}

TEST_CASE("alpha: all comes back, and takes no more than was said") {
  std::mt19937 random(TestSeed() + 220);
  for (int i = 0; i < 40; ++i) {
    for (const Kind kind : kKinds) {
      const Rows rows = DrawRows(kind, i % 2 == 0 ? 1 : 2, &random);
      CAPTURE(rows.width);
      CAPTURE(rows.height);
      const std::vector<uint8_t> packed = Pack(rows);
      CHECK(packed.size() <= MostPackedAlpha(InfoOf(rows)));
      std::vector<uint8_t> again;
      CHECK(Unpack(packed, rows, rows.height, &again).ok());
      CHECK(again == rows.samples);
    }
  }
}

TEST_CASE("alpha: noise, which no filter makes smaller, in rows that are wide") {
  std::mt19937 random(TestSeed() + 221);
  for (const size_t sample_bytes : {1U, 2U}) {
    Rows rows{100000, 3, sample_bytes, {}};
    rows.samples.resize(rows.height * rows.row_bytes());
    for (uint8_t& b : rows.samples) b = static_cast<uint8_t>(random());
    const std::vector<uint8_t> packed = Pack(rows);
    CHECK(packed.size() > rows.samples.size() * 99 / 100);
    CHECK(packed.size() <= MostPackedAlpha(InfoOf(rows)));
    std::vector<uint8_t> again;
    CHECK(Unpack(packed, rows, rows.height, &again).ok());
    CHECK(again == rows.samples);
  }
}

TEST_CASE("alpha: filters make slopes and edges small") {
  std::mt19937 random(TestSeed() + 222);
  for (const Kind kind : {Kind::kFlat, Kind::kSlope}) {
    Rows rows = DrawRows(kind, 1, &random);
    const std::vector<uint8_t> packed = Pack(rows);
    CHECK(packed.size() <= 64 + 4 * rows.height + rows.samples.size() / 4);
  }
}

TEST_CASE("alpha: cut anywhere it is refused, and so is a byte too many") {
  std::mt19937 random(TestSeed() + 223);
  for (const Kind kind : kKinds) {
    const Rows rows = DrawRows(kind, 2, &random);
    std::vector<uint8_t> packed = Pack(rows), again;
    const size_t every = 1 + packed.size() / 500;
    for (size_t size = 0; size < packed.size(); size += every) {
      const Status cut = Unpack(std::span(packed.data(), size), rows, rows.height, &again);
      CHECK(cut.code() == StatusCode::kBadStream);
    }
    packed.push_back(0);
    const Status longer = Unpack(packed, rows, rows.height, &again);
    CHECK(longer.code() == StatusCode::kBadStream);
    CHECK(longer.message() == "the alpha chunk does not end with the last row");
    packed.pop_back();
    CHECK(Unpack(packed, rows, rows.height + 1, &again).message() ==
          "the alpha chunk does not inflate");
    CHECK(Unpack(packed, rows, rows.height - 1, &again).message() ==
          "the alpha chunk does not end with the last row");
  }
}

TEST_CASE("alpha: a bit flipped anywhere is noticed, or changes no pixel") {
  std::mt19937 random(TestSeed() + 224);
  for (const Kind kind : kKinds) {
    Rows rows = DrawRows(kind, 1, &random);
    rows.height = std::min<size_t>(rows.height, 4);
    rows.samples.resize(rows.height * rows.row_bytes());
    std::vector<uint8_t> packed = Pack(rows), again;
    size_t wrong = 0;
    for (size_t bit = 0; bit < 8 * packed.size(); ++bit) {
      packed[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
      const Status status = Unpack(packed, rows, rows.height, &again);
      wrong += status.ok() ? again != rows.samples : status.code() != StatusCode::kBadStream;
      packed[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("alpha: every filter of the document is read, others are refused") {
  // Two rows of three samples: above 10 20 30, the row itself 5 5 5 of what each filter expects.
  const Rows form{3, 2, 1, {}};
  const std::vector<std::vector<uint8_t>> wanted = {
      {5, 5, 5}, {5, 10, 15}, {15, 25, 35}, {10, 20, 30}, {15, 25, 35}};
  for (uint8_t filter = 0; filter < 6; ++filter) {
    const std::vector<uint8_t> packed = Deflated({0, 10, 20, 30, filter, 5, 5, 5});
    std::vector<uint8_t> samples;
    const Status status = Unpack(packed, form, 2, &samples);
    if (filter == 5) {
      CHECK(status.code() == StatusCode::kBadStream);
      CHECK(status.message() == "the alpha chunk has an unknown filter 5");
      continue;
    }
    REQUIRE(status.ok());
    CHECK(std::vector<uint8_t>(samples.begin() + 3, samples.end()) == wanted[filter]);
  }
}

TEST_CASE("alpha packer: opaque rows cost nothing until one says something") {
  std::mt19937 random(TestSeed() + 225);
  for (const uint32_t depth : {1U, 2U, 4U, 8U, 16U}) {
    const uint32_t opaque = (1U << depth) - 1;
    for (const bool exact : {false, true}) {
      for (const uint32_t first : {0U, 1U, 7U, 12U}) {  // row that is not opaque; 12: none
        PictureInfo info = MakeInfo(SmallSide(40, &random), 12, 3, true, depth);
        Rows rows{info.width, info.height, info.SampleBytes(), {}};
        rows.samples.resize(rows.height * rows.row_bytes());
        std::vector<uint8_t> packed;
        AlphaPacker packer(info, exact, &packed);
        for (uint32_t y = 0; y < info.height; ++y) {
          uint8_t* row = rows.samples.data() + y * rows.row_bytes();
          for (uint32_t x = 0; x < info.width; ++x) {
            uint32_t value = opaque;
            if (y == first && x == info.width - 1) value = opaque - 1;
            if (y > first) value = static_cast<uint32_t>(random()) & opaque;
            const uint16_t wide = static_cast<uint16_t>(value);
            if (rows.sample_bytes == 1) row[x] = static_cast<uint8_t>(value);
            if (rows.sample_bytes == 2) std::memcpy(row + 2 * x, &wide, 2);
          }
          REQUIRE(packer.AddRow(row).ok());
          CHECK(packer.says_something() == (exact || y >= first));
        }
        REQUIRE(packer.Finish().ok());
        if (!packer.says_something()) {
          CHECK(packed.empty());
        } else {
          CHECK(packed == Pack(rows));
          CHECK(packed.capacity() >= MostPackedAlpha(info));
        }
      }
    }
  }
  CHECK(MostPackedAlpha(MakeInfo(100, 100, 3, false, 8)) == 0);
}

}  // namespace
}  // namespace glint
