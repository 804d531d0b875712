// Streams of tests/data/golden must decode to the same latents for ever, on every target: the
// format, the entropy coder and the exact arithmetic cannot change unnoticed. The decoder in Python
// reads them as well (tests/bitstream_test.sh).
// GLINT_WRITE_GOLDEN=NAME writes stream and picture NAME and its model anew, or "all" of them; that
// is a change of the format. Streams begin with the name of their model.

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "codec/model/model_impl.h"
#include "codec/stream/container.h"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using testing::LargestDifference;
using testing::LoadModel;
using testing::SomeMetadata;
using testing::TargetScope;

struct GoldenStream {
  std::string name;
  PictureInfo info;
  double lrd;  // 0 where errors have a limit
  uint32_t latent_crc;
  Detail detail = Detail::kOff;
  int max_error = -1;        // EncodeOptions::max_error; 0: lossless, where the depth allows it
  uint32_t picture_crc = 0;  // of what comes out, where the model is exact
};

std::vector<GoldenStream> GoldenStreams() {
  return {
      // 201 rows in 19 columns, twelve segments: no z, quarters, fixed tables, scales alone.
      {"lattice-tall", MakeInfo(37, 401, 3, false, 8), 4e-4, 0xC640EC60},
      // The same sizes in fronts; and rows of two columns, where some fronts have no position.
      {"wavefront-tall", MakeInfo(37, 401, 3, false, 8), 4e-4, 0x38EBD955},
      {"wavefront-narrow", MakeInfo(4, 301, 1, false, 8), 4e-4, 0x0E2E163C},
      {"wavefront16-tall", MakeInfo(21, 203, 3, false, 8), 4e-4, 0x0C8426B9},
      // 70 rows of latents are two segments.
      {"tiny-segments", MakeInfo(7, 1111, 3, true, 8), 4e-4, 0x597DA5C8},
      {"tiny-gray16", MakeInfo(50, 37, 1, false, 16), 1.3e-3, 0x8093433E},
      {"tiny-pixel", MakeInfo(1, 1, 3, false, 8), 2.2e-5, 0x5EACB173},
      // 133 rows, 201 rows in 19 columns, 195 rows: three and four segments, where rows ahead of
      // one come before the next.
      {"tiny-tall", MakeInfo(5, 2117, 3, false, 8), 1.3e-3, 0xC56E6A48},
      {"mini-tall", MakeInfo(37, 401, 1, false, 8), 4e-4, 0x3AD8E2F8},
      {"integer-tall", MakeInfo(6, 3111, 1, false, 8), 4e-4, 0xFDBFDAA3},
      // Details over an exact base: all kinds of blocks, rows of gray between colour, odd sizes;
      // gray of any depth; more than one section.
      {"quiet16-kinds", MakeInfo(151, 203, 3, false, 8), 4e-4, 0xC46FB7A5, Detail::kAuto, -1,
       0xEC272917},
      {"quiet16-fine", MakeInfo(69, 67, 3, false, 8), 2e-2, 0xA222952E, Detail::kOn, -1,
       0x80D4851A},
      {"quiet16-tall", MakeInfo(9, 1103, 3, false, 8), 1e-3, 0x0801FAE5, Detail::kAuto, -1,
       0xB54924D5},
      {"quiet16-gray", MakeInfo(133, 75, 1, false, 8), 1e-3, 0x752BDAC2, Detail::kAuto, -1,
       0xF5FBEAD6},
      {"quiet16-bits", MakeInfo(131, 70, 1, false, 1), 2e-2, 0x1DE30B43, Detail::kAuto, -1,
       0x6E5E942D},
      {"quiet16-nibbles", MakeInfo(132, 70, 1, false, 4), 2e-2, 0x16894EDB, Detail::kOn, -1,
       0xB0E2489C},
      {"quiet16-deep", MakeInfo(131, 21, 3, false, 16), 1e-3, 0xAC9FDC1E, Detail::kAuto, -1,
       0x578F2E35},
      {"quiet16-deepalpha", MakeInfo(70, 35, 3, true, 16), 1e-3, 0x17667F85, Detail::kAuto, -1,
       0xEC5BA1BD},
      {"quiet16-near", MakeInfo(67, 70, 3, true, 8), 0, 0xE49824DB, Detail::kAuto, 4, 0xD650ED1C},
      {"quiet16-lossless", MakeInfo(70, 67, 3, false, 8), 0, 0xAB8449B8, Detail::kAuto, 0,
       0x277D92FA},
      {"quiet16-noise", MakeInfo(65, 66, 3, false, 8), 0, 0xCBC141F5, Detail::kAuto, 0, 0x2583EDA9},
      // The same over a base that is not exact: pixels next to other blocks do not know them.
      {"quiet-kinds", MakeInfo(151, 139, 3, false, 8), 4e-4, 0xD5A2DCD5, Detail::kAuto},
      {"quiet-sameinrgb", MakeInfo(131, 70, 3, false, 8), 1e-3, 0xDF260131, Detail::kAuto},
      {"quiet-alpha", MakeInfo(131, 43, 1, true, 8), 1e-3, 0x7D213ADC, Detail::kOn},
      {"quiet-near", MakeInfo(67, 70, 1, false, 8), 0, 0x8B9F2A6D, Detail::kAuto, 2},
      {"quiet-lossless", MakeInfo(66, 1030, 1, false, 1), 0, 0xE62DDDEC, Detail::kAuto, 0},
  };
}

std::string ModelOf(const GoldenStream& golden) {
  return golden.name.substr(0, golden.name.find('-'));
}

// Its file's SHA-256 begins so.
std::string IdOf(const std::string& model) {
  static const std::map<std::string, std::string> kIds = {
      {"lattice", "c1aafaa207bf7c5c"},     {"wavefront", "ba296963c02d8fe3"},
      {"wavefront16", "e0288992c1622d26"}, {"tiny", "d451fe57438655b2"},
      {"mini", "408735a9f417a002"},        {"integer", "ec2929b20ef06485"},
      {"quiet", "a16df182386c8c14"},       {"quiet16", "7a3257b2d63e8ce2"}};
  return kIds.at(model);
}

// The least model, whose pictures are near middle gray: something to add details to.
testing::ModelBuilder QuietModel() {
  testing::ModelBuilder builder = testing::MiniModel(7);
  builder.document["name"] = "quiet";
  const size_t weights = builder.tensors.at("s.weight").bytes.size() / sizeof(float);
  for (size_t i = 0; i < weights; ++i) builder.Float("s.weight", i) *= 0.03f;
  for (size_t i = 0; i < 3; ++i) builder.Float("s.bias", i) = 0;
  return builder;
}

std::vector<uint8_t> MakeModel(const std::string& name) {
  testing::ModelBuilder builder = name == "tiny"        ? testing::TinyModel(7)
                                  : name == "mini"      ? testing::MiniModel(7)
                                  : name == "lattice"   ? testing::LatticeModel(7)
                                  : name == "wavefront" ? testing::WavefrontModel(7)
                                  : name == "wavefront16"
                                      ? testing::WithIntegers(testing::WavefrontModel(7))
                                  : name == "quiet"   ? QuietModel()
                                  : name == "quiet16" ? testing::WithIntegers(QuietModel())
                                                      : testing::IntegerModel(7);
  // So narrow that there are escapes.
  if (name == "tiny") builder.AddTables("coding.y", 8, 4);
  return builder.Build();
}

std::string GoldenPath(const std::string& file) {
  return std::string(GLINT_TEST_DATA) + "/golden/" + file;
}

std::vector<uint8_t> GoldenFile(const std::string& name) {
  const auto bytes = ReadFile(GoldenPath(name), uint64_t{1} << 24);
  REQUIRE_MESSAGE(bytes.ok(), bytes.error().message);
  return *bytes;
}

// A picture with a reason for every kind of block: fields of waves and grain, of text in few
// colours, and of next to nothing, `side` pixels wide. Every second row of blocks is gray, or all
// are.
Picture PictureOfKinds(const PictureInfo& info, uint32_t side, bool all_gray) {
  Picture picture = testing::SmoothPicture(info, 5);
  std::mt19937 random(7);
  const uint32_t top = (1u << info.bit_depth) - 1;
  const size_t samples = info.SamplesPerPixel();
  const auto set = [&](size_t i, uint32_t value) {
    if (info.SampleBytes() == 1) {
      picture.samples[i] = static_cast<uint8_t>(value);
    } else {
      reinterpret_cast<uint16_t*>(picture.samples.data())[i] = static_cast<uint16_t>(value);
    }
  };
  std::array<bool, 64> stems{};
  for (uint32_t y = 0; y < info.height; ++y) {
    if (y % 6 == 0) {
      for (bool& stem : stems) stem = random() % 2 == 0;
    }
    for (uint32_t x = 0; x < info.width; ++x) {
      const size_t first = (size_t{y} * info.width + x) * samples;
      const uint32_t kind = (x / side + y / (3 * side)) % 3;
      const bool ink = stems[x / 3 % stems.size()] && y % 6 != 5;
      const uint32_t grain = top / 255 * static_cast<uint32_t>(random() % 5);
      for (uint32_t c = 0; c < info.channels; ++c) {
        if (kind == 1) set(first + c, ink ? top / (c + 3) : top - top / 50 * c);
        if (kind == 2) set(first + c, (top + 1) / 2 + grain);
        const bool gray = all_gray || y / 64 % 2 == 1;
        if (gray && info.SampleBytes() == 1) set(first + c, picture.samples[first]);
      }
    }
  }
  return picture;
}

Picture PictureOf(const GoldenStream& golden) {
  if (golden.detail == Detail::kOff) return testing::SmoothPicture(golden.info, 5);
  if (golden.name.ends_with("-noise")) {
    std::mt19937 random(3);
    return RandomPicture(golden.info, &random);
  }
  const uint32_t side = golden.info.width >= 128 ? 64 : 24;
  return PictureOfKinds(golden.info, side, golden.name.ends_with("-sameinrgb"));
}

uint32_t PictureCrc(const Picture& picture) { return Crc32(0, picture.samples); }

void WriteGolden(const GoldenStream& golden) {
  const std::vector<uint8_t> file = MakeModel(ModelOf(golden));
  const std::string model_path = GoldenPath(ModelOf(golden) + ".safetensors");
  REQUIRE(WriteFile(model_path, file.data(), file.size()).ok());
  const Model model = LoadModel(file);
  Picture picture = PictureOf(golden);
  if (golden.info.has_alpha) picture.metadata = SomeMetadata();
  EncodeOptions options;
  options.lrd = golden.lrd;
  options.detail = golden.detail;
  options.max_error = golden.max_error;
  options.lossless = golden.max_error == 0;
  Report report;
  const auto stream = testing::MustEncode(model, picture, options, &report);
  const Picture decoded = testing::MustDecode(model, stream);
  std::ostringstream crcs;
  crcs << std::hex << std::uppercase << "0x" << report.latent_crc << ", picture 0x"
       << PictureCrc(decoded);
  MESSAGE(golden.name, " of model ", model.info().id, ": latents ", crcs.str(), "; ",
          report.detail.bytes, " bytes of details, ", report.detail.blocks, " blocks, ",
          report.detail.transform_blocks, " transforms, ", report.detail.pixel_blocks, " pixels");
  const std::string path = GoldenPath(golden.name);
  REQUIRE(WriteFile(path + ".glint", stream.data(), stream.size()).ok());
  REQUIRE(WritePicture(path + ".png", decoded).ok());
}

void CheckGolden(const GoldenStream& golden, const Model& model) {
  const auto stream = GoldenFile(golden.name + ".glint");
  const auto wanted = ReadPicture(GoldenPath(golden.name + ".png"));
  REQUIRE_MESSAGE(wanted.ok(), wanted.error().message);
  const uint32_t level = testing::AllInteger(model.impl().graph("g_s")) ? 0 : 1;
  struct Setting {
    int threads, band_rows;
  };
  for (const Setting& setting : {Setting{1, 0}, Setting{3, 0}, Setting{2, 97}}) {
    CAPTURE(setting.threads);
    CAPTURE(setting.band_rows);
    DecodeOptions options;
    options.threads = setting.threads;
    options.band_rows = setting.band_rows;
    Report report;
    const Picture picture = testing::MustDecode(model, stream, options, &report);
    CHECK(report.latent_crc == golden.latent_crc);
    CHECK(LargestDifference(picture, *wanted) <= level);
    if (golden.picture_crc != 0) CHECK(PictureCrc(picture) == golden.picture_crc);
    if (golden.info.has_alpha) CHECK(testing::SameMetadata(picture.metadata, SomeMetadata()));
  }
}

TEST_CASE("golden streams: decode to the same latents and pixels on every target") {
  const char* written = std::getenv("GLINT_WRITE_GOLDEN");
  for (const GoldenStream& golden : GoldenStreams()) {
    if (written != nullptr && (golden.name == written || written == std::string("all"))) {
      WriteGolden(golden);
    }
  }
  for (const std::string& target : SupportedTargets()) {
    CAPTURE(target);
    const TargetScope scope(target);
    for (const GoldenStream& golden : GoldenStreams()) {
      CAPTURE(golden.name);
      const Model model = LoadModel(GoldenFile(ModelOf(golden) + ".safetensors"));
      CHECK(model.info().id == IdOf(ModelOf(golden)));
      CheckGolden(golden, model);
    }
  }
}

}  // namespace
}  // namespace glint
