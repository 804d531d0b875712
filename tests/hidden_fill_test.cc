// Colour under an alpha of 0: replaced by what continues the visible, and nothing else touched.
#include "codec/samples/hidden_fill.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "codec/samples/source_rows.h"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

HiddenColours HiddenOf(bool exact) {
  return exact ? HiddenColours::kKept : HiddenColours::kContinued;
}

// Samples as numbers, whatever their width.
class Samples {
 public:
  explicit Samples(Picture* picture) : picture_(picture) {}
  uint32_t Get(size_t pixel, size_t sample) const {
    const size_t at = pixel * picture_->info.SamplesPerPixel() + sample;
    if (picture_->info.SampleBytes() == 1) return picture_->samples[at];
    uint16_t value = 0;
    std::memcpy(&value, picture_->samples.data() + 2 * at, 2);
    return value;
  }
  void Set(size_t pixel, size_t sample, uint32_t value) {
    const size_t at = pixel * picture_->info.SamplesPerPixel() + sample;
    if (picture_->info.SampleBytes() == 1) {
      picture_->samples[at] = static_cast<uint8_t>(value);
    } else {
      const auto wide = static_cast<uint16_t>(value);
      std::memcpy(picture_->samples.data() + 2 * at, &wide, 2);
    }
  }
  uint32_t Alpha(size_t pixel) const { return Get(pixel, picture_->info.channels); }

 private:
  Picture* picture_;
};

// What the encoder gets to see of a picture.
Picture Filled(const Picture& picture, bool exact = false) {
  const size_t row_bytes = picture.info.RowBytes();
  const RowReader read = [&](uint32_t y, void* row) {
    std::memcpy(row, picture.samples.data() + y * row_bytes, row_bytes);
    return true;
  };
  SourceRows rows(picture.info, read, HiddenOf(exact));
  rows.Allocate();
  Picture filled = picture;
  for (uint32_t y = 0; y < picture.info.height; ++y) {
    REQUIRE(rows.Next(filled.samples.data() + y * row_bytes).ok());
  }
  return filled;
}

// Hides what `hidden` says, under random colours.
template <typename Hidden>
Picture Hide(Picture picture, const Hidden& hidden, std::mt19937* random) {
  Samples samples(&picture);
  const uint32_t top = (1U << picture.info.bit_depth) - 1;
  for (size_t y = 0; y < picture.info.height; ++y) {
    for (size_t x = 0; x < picture.info.width; ++x) {
      const size_t pixel = y * picture.info.width + x;
      const bool hide = hidden(x, y);
      samples.Set(pixel, picture.info.channels,
                  hide ? 0 : 1 + static_cast<uint32_t>((*random)()) % top);
      for (size_t c = 0; c < picture.info.channels && hide; ++c) {
        samples.Set(pixel, c, static_cast<uint32_t>((*random)()) % (top + 1));
      }
    }
  }
  return picture;
}

TEST_CASE("hidden fill: of every form, visible pixels and alpha stay, hidden ones do not matter") {
  std::mt19937 random(TestSeed() + 950);
  for (const PictureInfo& info :
       {MakeInfo(1, 1, 3, true, 8), MakeInfo(37, 21, 1, true, 1), MakeInfo(5, 300, 3, true, 16),
        MakeInfo(200, 70, 3, true, 8), MakeInfo(64, 65, 1, true, 16), MakeInfo(9, 33, 1, true, 4),
        MakeInfo(1, 200, 1, true, 8), MakeInfo(130, 1, 3, true, 8), MakeInfo(20, 40, 3, true, 8),
        MakeInfo(20, 48, 3, true, 8), MakeInfo(20, 49, 3, true, 8)}) {
    CAPTURE(info.width);
    CAPTURE(info.height);
    const auto seed = static_cast<uint32_t>(random());
    const auto hidden = [seed](size_t x, size_t y) { return ((x / 7 + y / 50) ^ seed) % 3 != 0; };
    const Picture base = testing::SmoothPicture(info, 3);
    std::mt19937 one(1), other(1);
    Picture a = Hide(base, hidden, &one);
    Picture b = Hide(base, hidden, &other);
    Samples samples(&b);
    for (size_t i = 0; i < size_t{info.width} * info.height; ++i) {
      for (size_t c = 0; c < info.channels && samples.Alpha(i) == 0; ++c) samples.Set(i, c, 0);
    }
    Picture filled = Filled(a);
    CHECK(filled.samples == Filled(b).samples);
    CHECK(Filled(a, true).samples == a.samples);
    Samples before(&a), after(&filled);
    for (size_t i = 0; i < size_t{info.width} * info.height; ++i) {
      REQUIRE(after.Alpha(i) == before.Alpha(i));
      for (size_t c = 0; c < info.channels && before.Alpha(i) != 0; ++c) {
        REQUIRE(after.Get(i, c) == before.Get(i, c));
      }
    }
  }
}

// The largest step between neighbours of which one at least is hidden.
uint32_t LargestHiddenStep(Picture* picture) {
  const Samples samples(picture);
  const size_t width = picture->info.width, pixels = width * picture->info.height;
  uint32_t most = 0;
  const auto note = [&](size_t i, size_t j) {
    if (samples.Alpha(i) != 0 && samples.Alpha(j) != 0) return;
    for (size_t c = 0; c < picture->info.channels; ++c) {
      const auto a = static_cast<int>(samples.Get(i, c)), b = static_cast<int>(samples.Get(j, c));
      most = std::max(most, static_cast<uint32_t>(std::abs(a - b)));
    }
  };
  for (size_t i = 0; i < pixels; ++i) {
    if (i % width + 1 < width) note(i, i + 1);
    if (i + width < pixels) note(i, i + width);
  }
  return most;
}

// A slope of one colour into another across the visible parts: hidden ones must go on with it, and
// strips must not show.
TEST_CASE("hidden fill: goes on smoothly, across strips and far from anything visible") {
  std::mt19937 random(TestSeed() + 951);
  for (const PictureInfo& info : {MakeInfo(90, 400, 3, true, 8), MakeInfo(400, 90, 3, true, 8)}) {
    Picture base;
    base.info = info;
    base.samples.resize(info.RowBytes() * info.height);
    Samples samples(&base);
    for (size_t y = 0; y < info.height; ++y) {
      for (size_t x = 0; x < info.width; ++x) {
        const size_t along = std::max(info.width, info.height) == info.height ? y : x;
        for (size_t c = 0; c < 3; ++c)
          samples.Set(y * info.width + x, c, static_cast<uint32_t>(along / 2 + 10 * c));
      }
    }
    const auto island = [&](size_t x, size_t y) {
      const double dx = static_cast<double>(x) - info.width / 2.0;
      const double dy = static_cast<double>(y) - info.height / 2.0;
      return std::hypot(dx, dy) > 30;
    };
    const auto hole = [&](size_t x, size_t y) { return !island(x, y); };
    const auto edges = [&](size_t x, size_t y) {
      return x > 3 && y > 3 && x + 4 < info.width && y + 4 < info.height;
    };
    Picture filled = Filled(Hide(base, hole, &random));
    CHECK(LargestHiddenStep(&filled) <= 4);
    filled = Filled(Hide(base, edges, &random));
    CHECK(LargestHiddenStep(&filled) <= 12);
    // Above the island nothing is known but its own colours.
    filled = Filled(Hide(base, island, &random));
    CHECK(LargestHiddenStep(&filled) <= 12);
  }
}

TEST_CASE("hidden fill: where nothing is visible everything is one colour") {
  std::mt19937 random(TestSeed() + 952);
  const Picture base = testing::SmoothPicture(MakeInfo(50, 150, 3, true, 8), 1);
  Picture filled = Filled(Hide(
      base, [](size_t, size_t) { return true; }, &random));
  const Samples samples(&filled);
  for (size_t i = 0; i < 50 * 150; ++i) {
    for (size_t c = 0; c < 3; ++c) REQUIRE(samples.Get(i, c) == samples.Get(0, 0));
  }
}

TEST_CASE("source rows: each row is asked for once and in order, at most 48 ahead") {
  const PictureInfo info = MakeInfo(11, 1000, 3, true, 8);
  for (const uint32_t fails_at : {0U, 5U, 70U, 999U, 1000U}) {
    CAPTURE(fails_at);
    uint32_t asked = 0, given = 0;
    const RowReader read = [&](uint32_t y, void* row) {
      CHECK(y == asked);
      if (y == fails_at) return false;
      ++asked;
      CHECK(asked - given <= 48);
      std::memset(row, 0, info.RowBytes());
      return true;
    };
    SourceRows rows(info, read, HiddenColours::kContinued);
    rows.Allocate();
    std::vector<uint8_t> row(info.RowBytes());
    Status status = Status::Ok();
    for (; given < 1000 && status.ok(); ++given) status = rows.Next(row.data());
    CHECK(status.ok() == (fails_at == 1000));
    if (!status.ok()) {
      CHECK(status.code() == StatusCode::kCancelled);
      CHECK(status.message() == "row " + std::to_string(fails_at) + " was not given");
    }
  }
}

TEST_CASE("source rows: a sample beyond its picture's depth is refused, whatever becomes of it") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  for (const uint32_t depth : {1U, 2U, 4U}) {
    for (const bool alpha : {false, true}) {
      for (const bool lossless : {false, true}) {
        CAPTURE(depth);
        CAPTURE(alpha);
        CAPTURE(lossless);
        Picture picture;
        picture.info = MakeInfo(9, 60, 1, alpha, depth);
        const uint8_t top = static_cast<uint8_t>((1U << depth) - 1);
        picture.samples.assign(picture.info.RowBytes() * 60, top);
        EncodeOptions options;
        options.lossless = lossless;
        const auto stream = Encode(model, picture, options);
        REQUIRE_MESSAGE(stream.ok(), stream.error().message);
        const Picture decoded = testing::MustDecode(model, *stream);
        CHECK(*std::max_element(decoded.samples.begin(), decoded.samples.end()) <= 255);
        if (lossless) CHECK(decoded.samples == std::vector<uint8_t>(decoded.samples.size(), top));
        picture.samples[picture.info.RowBytes() * 57 + 3] = static_cast<uint8_t>(top + 1);
        const Error refused = Encode(model, picture, options).error();
        CHECK(refused.code == ErrorCode::kInvalidArgument);
        CHECK(refused.message.find("row 57 has a sample of " + std::to_string(top + 1) +
                                   " in a picture of " + std::to_string(depth) + " bits") !=
              std::string::npos);
      }
    }
  }
}

TEST_CASE("source rows: memory does not grow with the height") {
  const RowReader read = [](uint32_t, void*) { return true; };
  const auto needed = [&](uint32_t height, bool exact) {
    return SourceRows(MakeInfo(1000, height, 3, true, 8), read, HiddenOf(exact)).MemoryNeeded();
  };
  CHECK(needed(49, false) == needed(1000000, false));
  CHECK(needed(1, false) < 1000 * 50);
  CHECK(needed(49, false) < 1000 * 2000);
  CHECK(needed(1000, true) == 0);
}

TEST_CASE("source rows: tell whether RGB is gray") {
  for (const uint32_t depth : {8U, 16U}) {
    for (const bool alpha : {false, true}) {
      Picture picture = testing::SmoothPicture(MakeInfo(40, 100, 3, alpha, depth), 4);
      Samples samples(&picture);
      const auto is_gray = [&] {
        const RowReader read = [&](uint32_t y, void* row) {
          const size_t row_bytes = picture.info.RowBytes();
          std::memcpy(row, picture.samples.data() + y * row_bytes, row_bytes);
          return true;
        };
        SourceRows rows(picture.info, read, HiddenColours::kContinued);
        rows.Allocate();
        std::vector<uint8_t> row(picture.info.RowBytes());
        for (uint32_t y = 0; y < 100; ++y) REQUIRE(rows.Next(row.data()).ok());
        return rows.gray();
      };
      CHECK_FALSE(is_gray());
      for (size_t i = 0; i < 4000; ++i) {
        for (const size_t c : {1U, 2U}) samples.Set(i, c, samples.Get(i, 0));
      }
      CHECK(is_gray());
      const size_t last = 3999;
      samples.Set(last, 2, samples.Get(last, 2) ^ 1);
      if (alpha) samples.Set(last, 3, 1);
      CHECK_FALSE(is_gray());
      // What is hidden does not count.
      if (alpha) samples.Set(last, 3, 0);
      CHECK(is_gray() == alpha);
    }
  }
}

TEST_CASE("hidden pixels: black where that is wanted, and nothing else is touched") {
  std::mt19937 random(TestSeed());
  for (const uint32_t depth : {8U, 16U}) {
    Picture picture = RandomPicture(MakeInfo(23, 9, 3, true, depth), &random);
    const size_t bytes = picture.info.SampleBytes();
    for (size_t i = 0; i < picture.samples.size(); i += 12 * bytes) {
      std::fill_n(picture.samples.data() + i + 3 * bytes, bytes, uint8_t{0});
    }
    Picture wanted = picture;
    for (size_t i = 0; i < wanted.samples.size(); i += 4 * bytes) {
      const uint8_t* const alpha = wanted.samples.data() + i + 3 * bytes;
      if (alpha[0] == 0 && alpha[bytes - 1] == 0) {
        std::fill_n(wanted.samples.data() + i, 3 * bytes, uint8_t{0});
      }
    }
    const size_t row_bytes = picture.info.RowBytes();
    const RowReader read = [&](uint32_t y, void* row) {
      std::memcpy(row, picture.samples.data() + y * row_bytes, row_bytes);
      return true;
    };
    SourceRows rows(picture.info, read, HiddenColours::kBlack);
    CHECK(rows.MemoryNeeded() == 0);
    std::vector<uint8_t> given(picture.samples.size());
    for (uint32_t y = 0; y < picture.info.height; ++y) {
      REQUIRE(rows.Next(given.data() + y * row_bytes).ok());
    }
    CHECK(given == wanted.samples);
  }
}

}  // namespace
}  // namespace glint
