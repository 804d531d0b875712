// Where the bits of a picture went: the map has all of them, each where it belongs.
#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "codec/api/bits_grid.h"
#include "glint/glint.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

double SumOf(const BitsMap& map) { return std::accumulate(map.bits.begin(), map.bits.end(), 0.0); }

// Of the cells right of a column.
double SumRightOf(const BitsMap& map, uint32_t column) {
  double sum = 0;
  for (size_t i = 0; i < map.bits.size(); ++i) {
    if (i % map.columns >= column) sum += double{map.bits[i]};
  }
  return sum;
}

Report Encoded(const Model& model, const Picture& picture, EncodeOptions options,
               std::vector<uint8_t>* stream) {
  options.map_bits = true;
  Report report;
  Expected<std::vector<uint8_t>> coded = Encode(model, picture, options, &report);
  REQUIRE(coded);
  *stream = *coded;
  return report;
}

}  // namespace

TEST_CASE("bits: a grid keeps what is added, where it is added") {
  std::mt19937 random(TestSeed());
  for (int round = 0; round < 200; ++round) {
    const auto draw = [&](int from, int to) {
      return std::uniform_int_distribution<int>(from, to)(random);
    };
    const auto width = static_cast<uint32_t>(draw(1, 90)),
               height = static_cast<uint32_t>(draw(1, 90));
    const auto cell = static_cast<uint32_t>(draw(1, 40));
    BitsGrid grid(width, height, cell);
    grid.Allocate();
    std::vector<double> pixels(size_t{width} * height);
    double sum = 0;
    for (int i = 0; i < 5; ++i) {
      // Anywhere about the picture, also beside it.
      const PixelArea area{draw(-100, 120), draw(-100, 120), draw(1, 64), draw(1, 64)};
      const double bits = draw(1, 1000);
      sum += bits;
      grid.Add(area, bits);
      // Pixel by pixel, those outside moved to the border when there are no others.
      std::vector<size_t> inside;
      for (int64_t y = area.y; y < area.y + area.height; ++y) {
        for (int64_t x = area.x; x < area.x + area.width; ++x) {
          if (x < 0 || y < 0 || x >= width || y >= height) continue;
          inside.push_back(static_cast<size_t>(y * width + x));
        }
      }
      for (const size_t pixel : inside) pixels[pixel] += bits / static_cast<double>(inside.size());
    }
    const BitsMap map = grid.Take();
    REQUIRE(map.bits.size() == size_t{map.rows} * map.columns);
    CHECK(map.rows == (height + cell - 1) / cell);
    CHECK(map.columns == (width + cell - 1) / cell);
    CHECK(SumOf(map) == doctest::Approx(sum));
    std::vector<double> wanted(map.bits.size());
    for (size_t i = 0; i < pixels.size(); ++i) {
      wanted[i / width / cell * map.columns + i % width / cell] += pixels[i];
    }
    for (size_t i = 0; i < wanted.size(); ++i) CHECK(double{map.bits[i]} >= wanted[i] - 0.01);
  }
}

TEST_CASE("bits: the map has all estimated bits, and does not change the stream") {
  constexpr std::pair<uint32_t, uint32_t> kSizes[] = {
      {1, 1}, {17, 5}, {300, 200}, {40, 1500}, {1500, 40}};
  for (const char* const padding : {"", "centred_zeros"}) {
    testing::ModelBuilder builder = testing::TinyModel();
    if (*padding != 0) builder.document["picture"]["padding"] = padding;
    const Model model = testing::LoadModel(builder.Build());
    for (const std::pair<uint32_t, uint32_t>& size : kSizes) {
      const Picture picture =
          testing::SmoothPicture(MakeInfo(size.first, size.second, 3, false, 8), 3);
      CAPTURE(size.first);
      CAPTURE(size.second);
      EncodeOptions options;
      options.detail = Detail::kOff;
      std::vector<uint8_t> stream;
      const Report report = Encoded(model, picture, options, &stream);
      CHECK(stream == testing::MustEncode(model, picture, options));
      CHECK(SumOf(report.bits) == doctest::Approx(report.estimated_bits).epsilon(1e-4));
      for (const int threads : {1, 3}) {
        options.threads = threads;
        options.band_rows = 64;
        std::vector<uint8_t> again;
        CHECK(Encoded(model, picture, options, &again).bits.bits == report.bits.bits);
      }
    }
  }
}

TEST_CASE("bits: those of details lie where the details are") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  // Noise in the right half, one colour in the left.
  Picture picture = testing::SmoothPicture(MakeInfo(512, 256, 3, false, 8), 3);
  std::mt19937 random(TestSeed());
  for (size_t y = 0; y < 256; ++y) {
    for (size_t x = 0; x < 512 * 3; ++x) {
      picture.samples[y * 512 * 3 + x] = x < 256 * 3 ? 90 : static_cast<uint8_t>(random());
    }
  }
  EncodeOptions options;
  options.lossless = true;
  std::vector<uint8_t> stream;
  const Report report = Encoded(model, picture, options, &stream);
  const double all = SumOf(report.bits), bytes = static_cast<double>(stream.size());
  CHECK(all / 8 == doctest::Approx(bytes).epsilon(0.02));
  CHECK(SumRightOf(report.bits, report.bits.columns / 2) > 0.95 * all);
}

TEST_CASE("bits: without map_bits there is no map") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  const Picture picture = testing::SmoothPicture(MakeInfo(64, 64, 3, false, 8), 3);
  Report report;
  REQUIRE(Encode(model, picture, {}, &report));
  CHECK(report.bits.bits.empty());
}

}  // namespace glint
