// The flags for what nobody sees, and how `evaluate` compares pictures with alpha.
#include <cmath>
#include <cstdint>
#include <random>
#include <string>

#include "doctest/doctest.h"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"
#include "tools/commands/alpha_flags.h"
#include "tools/commands/metadata_flags.h"
#include "tools/commands/part_flags.h"
#include "tools/common/orientation.h"
#include "tools/evaluation/measurement.h"

namespace glint::tools {
namespace {

TEST_CASE("tools: colours by name and by number") {
  const auto is = [](const std::string& text, int red, int green, int blue) {
    const std::optional<Rgb8> colour = ParseColour(text);
    CAPTURE(text);
    REQUIRE(colour);
    CHECK((colour->red == red && colour->green == green && colour->blue == blue));
  };
  is("white", 255, 255, 255);
  is("Black", 0, 0, 0);
  is("gray", 128, 128, 128);
  is("#0a80FF", 10, 128, 255);
  is("0a80ff", 10, 128, 255);
  is("#f08", 255, 0, 136);
  is("f08", 255, 0, 136);
  for (const char* text : {"", "#", "purplish", "#12345", "#1234567", "##123456", "12345g",
                           "-12345", " 123456", "0x1234"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseColour(text));
  }
}

TEST_CASE("tools: crops") {
  const auto is = [](const std::string& text, uint32_t width, uint32_t height, uint32_t x,
                     uint32_t y) {
    const std::optional<Crop> crop = ParseCrop(text);
    CAPTURE(text);
    REQUIRE(crop);
    CHECK((crop->width == width && crop->height == height && crop->x == x && crop->y == y));
  };
  is("640x480+10+20", 640, 480, 10, 20);
  is("1x1", 1, 1, 0, 0);
  is("1x1+0+4294967295", 1, 1, 0, 4294967295U);
  for (const char* text :
       {"", "5", "5x", "x5", "5x5+", "5x5+1", "5x5+1+", "5x5+1+2+", "5x5-1-2", "-5x5", "5x5+1+2 ",
        " 5x5", "0x5", "5x0+1+1", "5X5", "5x5+-1+0", "4294967296x1", "5x5,1,2", "0x1F"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseCrop(text));
  }
}

TEST_CASE("tools: kinds of metadata by name, and what is left out") {
  CHECK(ParseMetadataKinds("icc") == uint32_t{kMetadataIcc});
  CHECK(ParseMetadataKinds("xmp,EXIF") == uint32_t{kMetadataXmp | kMetadataExif});
  CHECK(ParseMetadataKinds("icc,exif,xmp,text,other") == uint32_t{kMetadataAll});
  for (const char* text : {"", ",", "icc,", "all", "icc xmp", "iccp"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseMetadataKinds(text));
  }
  Metadata metadata;
  metadata.icc.resize(2048);
  metadata.exif.resize(5);
  metadata.chunks = {{"tIME", std::vector<uint8_t>(7)}};
  CHECK(DroppedText(metadata, kMetadataAll).empty());
  CHECK(DroppedText(metadata, 0) ==
        "colour profile (2.00 KiB), EXIF (5 bytes), other chunks (7 bytes)");
  CHECK(DroppedText(metadata, kMetadataIcc | kMetadataXmp) ==
        "EXIF (5 bytes), other chunks (7 bytes)");
}

TEST_CASE("tools: leaving out EXIF that turns the picture is warned of") {
  // A directory of two entries, the second of which is the orientation.
  const auto exif = [](uint8_t orientation) {
    return std::vector<uint8_t>{'M', 'M', 0, 42, 0, 0, 0,  8, 0, 2, 1, 0, 0, 3, 0,           0, 0,
                                1,   0,   9, 0,  0, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0};
  };
  const std::vector<uint8_t> little = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 18,
                                       1,   3,   0,  1, 0, 0, 0, 6, 0, 0, 0};
  CHECK(OrientationOf(exif(6)) == 6);
  CHECK(OrientationOf(exif(2)) == 2);
  CHECK(OrientationOf(exif(1)) == kUpright);
  CHECK(OrientationOf(exif(0)) == kUpright);
  CHECK(OrientationOf(exif(9)) == kUpright);
  CHECK(OrientationOf(little) == 6);
  for (size_t size = 0; size < little.size() - 3; ++size) {
    const std::vector<uint8_t> cut(little.begin(), little.begin() + static_cast<int64_t>(size));
    CHECK(OrientationOf(cut) == kUpright);
  }
  CHECK(OrientationOf(std::vector<uint8_t>(100, 0xFF)) == kUpright);
  Metadata metadata;
  metadata.exif = exif(6);
  CHECK(WarningsOfLeaving(metadata, 0).size() == 1);
  CHECK(WarningsOfLeaving(metadata, kMetadataExif).empty());
  metadata.exif = exif(1);
  CHECK(WarningsOfLeaving(metadata, 0).empty());
}

Coded MustMeasure(const Model& model, const Picture& picture) {
  const Expected<Coded> coded = Measure(model, model, picture, {});
  REQUIRE_MESSAGE(coded.ok(), coded.error().message);
  return *coded;
}

TEST_CASE("tools: pictures with alpha are compared as they are seen, where they are seen") {
  const Model model = testing::LoadLight();
  std::mt19937 random(TestSeed() + 970);
  // Columns of nothing, of half, and opaque ones.
  Picture picture = testing::SmoothPicture(MakeInfo(192, 192, 3, true, 8), 5);
  for (size_t i = 0; i < 192 * 192; ++i) {
    const size_t part = i % 192 / 64;
    picture.samples[4 * i + 3] = part == 0 ? 0 : part == 1 ? 128 : 255;
    for (size_t c = 0; c < 3 && part == 0; ++c) {
      picture.samples[4 * i + c] = static_cast<uint8_t>(random());
    }
  }
  const Coded coded = MustMeasure(model, picture);
  double sum = 0;
  for (size_t i = 0; i < 192 * 192; ++i) {
    const double alpha = picture.samples[4 * i + 3] / 255.0;
    for (size_t c = 0; c < 3; ++c) {
      const double d = alpha * (picture.samples[4 * i + c] - coded.decoded.samples[4 * i + c]);
      sum += d * d;
    }
  }
  const double psnr = 10 * std::log10(255.0 * 255 * (192 * 128 * 3) / sum);
  CHECK(std::abs(coded.measurement.psnr - psnr) < 0.1);  // blended samples are rounded
  CHECK(coded.measurement.psnr > 28);
  REQUIRE(coded.measurement.ms_ssim);
  CHECK(*coded.measurement.ms_ssim > 0.9);

  // A picture of which nothing is seen loses nothing.
  for (size_t i = 0; i < 192 * 192; ++i) picture.samples[4 * i + 3] = 0;
  CHECK(std::isinf(MustMeasure(model, picture).measurement.psnr));
  // Opaque everywhere: as without alpha.
  for (size_t i = 0; i < 192 * 192; ++i) picture.samples[4 * i + 3] = 255;
  Picture plain = picture;
  plain.info.has_alpha = false;
  plain.samples.clear();
  for (size_t i = 0; i < picture.samples.size(); ++i) {
    if (i % 4 != 3) plain.samples.push_back(picture.samples[i]);
  }
  CHECK(MustMeasure(model, picture).measurement.psnr == MustMeasure(model, plain).measurement.psnr);
}

}  // namespace
}  // namespace glint::tools
