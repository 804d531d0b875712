// What glint-thumbnailer does to a picture: making it smaller, and turning it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "doctest/doctest.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"
#include "tools/common/orientation.h"
#include "tools/common/shrinker.h"

namespace glint::tools {
namespace {

Picture Shrunk(const Picture& picture, uint32_t side) {
  Shrinker shrinker(picture.info, picture.info, side);
  for (size_t y = 0; y < picture.info.height; ++y) {
    shrinker.Add(&picture.samples[y * picture.info.RowBytes()]);
  }
  return shrinker.Take();
}

// 0 to 255, to the nearest level.
double LevelOf(const Picture& picture, size_t x, size_t y, size_t channel) {
  const PictureInfo& info = picture.info;
  const size_t sample = (y * info.width + x) * info.SamplesPerPixel() + channel;
  if (info.bit_depth == 16) {
    uint16_t value;
    std::memcpy(&value, &picture.samples[2 * sample], sizeof(value));
    return std::round(value / 257.0);
  }
  return picture.samples[sample] * 255.0 / ((1 << info.bit_depth) - 1);
}

// How much of pixel `x` of `from` lies in pixel `ox` of `to`.
double Share(size_t x, size_t ox, uint32_t from, uint32_t to) {
  const double scale = static_cast<double>(from) / to;
  const auto begin = static_cast<double>(x), end = static_cast<double>(x + 1);
  const double low = static_cast<double>(ox) * scale, high = static_cast<double>(ox + 1) * scale;
  return std::max(0.0, std::min(end, high) - std::max(begin, low));
}

// The mean over a pixel's area, in double.
double MeanOver(const Picture& picture, const PictureInfo& to, size_t ox, size_t oy,
                size_t channel) {
  const PictureInfo& from = picture.info;
  const bool is_alpha = channel == from.channels;
  double sum = 0, weights = 0;
  for (size_t y = 0; y < from.height; ++y) {
    for (size_t x = 0; x < from.width; ++x) {
      double weight = Share(x, ox, from.width, to.width) * Share(y, oy, from.height, to.height);
      if (from.has_alpha && !is_alpha) weight *= LevelOf(picture, x, y, from.channels);
      sum += weight * LevelOf(picture, x, y, channel);
      weights += weight;
    }
  }
  return weights == 0 ? 0 : sum / weights;
}

double Furthest(const Picture& picture, const Picture& small) {
  double furthest = 0;
  const size_t samples = small.info.SamplesPerPixel();
  for (size_t i = 0; i < small.samples.size(); ++i) {
    const size_t pixel = i / samples;
    const double mean = MeanOver(picture, small.info, pixel % small.info.width,
                                 pixel / small.info.width, i % samples);
    furthest = std::max(furthest, std::abs(mean - small.samples[i]));
  }
  return furthest;
}

TEST_CASE("tools: a smaller picture has the mean of each pixel's area") {
  std::mt19937 random(TestSeed() + 971);
  const std::vector<PictureInfo> kinds = {MakeInfo(1, 1, 1, false, 1), MakeInfo(1, 1, 1, false, 4),
                                          MakeInfo(1, 1, 1, true, 8),  MakeInfo(1, 1, 3, false, 8),
                                          MakeInfo(1, 1, 3, true, 8),  MakeInfo(1, 1, 3, true, 16)};
  for (PictureInfo info : kinds) {
    for (int repeat = 0; repeat < 8; ++repeat) {
      info.width = SmallSide(40, &random);
      info.height = SmallSide(40, &random);
      const uint32_t side = SmallSide(30, &random);
      const Picture picture = RandomPicture(info, &random);
      const Picture small = Shrunk(picture, side);
      CAPTURE(info.width);
      CAPTURE(info.height);
      CAPTURE(side);
      CHECK(small.info.bit_depth == 8);
      REQUIRE(small.samples.size() == small.info.height * small.info.RowBytes());
      // Half a level, and what doubles lose of a tie.
      CHECK(Furthest(picture, small) <= 0.5 + 1e-6);
    }
  }
}

TEST_CASE("tools: a smaller picture keeps its proportions") {
  std::mt19937 random(TestSeed() + 972);
  const auto size = [&random](uint32_t width, uint32_t height, uint32_t side) {
    const Picture small =
        Shrunk(RandomPicture(MakeInfo(width, height, 1, false, 8), &random), side);
    return std::to_string(small.info.width) + "x" + std::to_string(small.info.height);
  };
  CHECK(size(300, 200, 128) == "128x85");
  CHECK(size(200, 300, 128) == "85x128");
  CHECK(size(128, 1, 128) == "128x1");
  CHECK(size(1, 1, 128) == "1x1");
  CHECK(size(100, 100, 128) == "100x100");
  CHECK(size(3000, 2, 128) == "128x1");
  CHECK(size(2, 3000, 128) == "1x128");
  CHECK(size(7, 5, 1) == "1x1");
}

TEST_CASE("tools: the colour of what is transparent does not show in a smaller picture") {
  Picture picture;
  picture.info = MakeInfo(2, 2, 3, true, 8);
  picture.samples = {10, 20, 30, 255, 250, 250, 250, 0, 250, 250, 250, 0, 10, 20, 30, 255};
  CHECK(Shrunk(picture, 1).samples == std::vector<uint8_t>{10, 20, 30, 128});
  for (size_t alpha = 3; alpha < picture.samples.size(); alpha += 4) picture.samples[alpha] = 0;
  CHECK(Shrunk(picture, 1).samples == std::vector<uint8_t>{0, 0, 0, 0});
}

TEST_CASE("tools: pictures are turned as EXIF says") {
  // The sides at which the stored first row and first column are to be shown, by EXIF's numbers:
  // top left, top right, bottom right, bottom left, left top, right top, right bottom, left bottom.
  const std::vector<std::string> shown = {"abcdef", "badcfe", "fedcba", "efcdab",
                                          "acebdf", "ecafdb", "fdbeca", "bdface"};
  Picture picture;
  picture.info = MakeInfo(2, 3, 1, false, 8);
  picture.samples = {'a', 'b', 'c', 'd', 'e', 'f'};
  for (uint32_t orientation = 1; orientation <= shown.size(); ++orientation) {
    CAPTURE(orientation);
    const Picture turned = Turned(picture, orientation);
    CHECK(std::string(turned.samples.begin(), turned.samples.end()) == shown[orientation - 1]);
    CHECK(turned.info.width == (orientation <= 4 ? 2 : 3));
    CHECK(turned.info.height == (orientation <= 4 ? 3 : 2));
  }
  picture.info = MakeInfo(2, 1, 3, true, 16);
  picture.samples = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  CHECK(Turned(picture, 2).samples ==
        std::vector<uint8_t>{8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7});
}

}  // namespace
}  // namespace glint::tools
