// Streams of tests/data/golden must decode to the same latents for ever, on every target: the
// format, the entropy coder and the exact arithmetic cannot change unnoticed. The decoder in Python
// reads them as well (tests/bitstream_test.sh).
// GLINT_WRITE_GOLDEN=NAME writes stream and picture NAME and its model anew, or "all" of them; that
// is a change of the format. Streams begin with the name of their model.

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "codec/model/model_impl.h"
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
  double lrd;
  uint32_t latent_crc;
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
      // one
      // come before the next.
      {"tiny-tall", MakeInfo(5, 2117, 3, false, 8), 1.3e-3, 0xC56E6A48},
      {"mini-tall", MakeInfo(37, 401, 1, false, 8), 4e-4, 0x3AD8E2F8},
      {"integer-tall", MakeInfo(6, 3111, 1, false, 8), 4e-4, 0xFDBFDAA3},
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
      {"mini", "408735a9f417a002"},        {"integer", "ec2929b20ef06485"}};
  return kIds.at(model);
}

std::vector<uint8_t> MakeModel(const std::string& name) {
  testing::ModelBuilder builder = name == "tiny"        ? testing::TinyModel(7)
                                  : name == "mini"      ? testing::MiniModel(7)
                                  : name == "lattice"   ? testing::LatticeModel(7)
                                  : name == "wavefront" ? testing::WavefrontModel(7)
                                  : name == "wavefront16"
                                      ? testing::WithIntegers(testing::WavefrontModel(7))
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

void WriteGolden(const GoldenStream& golden) {
  const std::vector<uint8_t> file = MakeModel(ModelOf(golden));
  const std::string model_path = GoldenPath(ModelOf(golden) + ".safetensors");
  REQUIRE(WriteFile(model_path, file.data(), file.size()).ok());
  const Model model = LoadModel(file);
  Picture picture = testing::SmoothPicture(golden.info, 5);
  if (golden.info.has_alpha) picture.metadata = SomeMetadata();
  EncodeOptions options;
  options.lrd = golden.lrd;
  Report report;
  const auto stream = testing::MustEncode(model, picture, options, &report);
  MESSAGE(golden.name, " ", report.latent_crc, " of model ", model.info().id);
  const std::string path = GoldenPath(golden.name);
  REQUIRE(WriteFile(path + ".glint", stream.data(), stream.size()).ok());
  REQUIRE(WritePicture(path + ".png", testing::MustDecode(model, stream)).ok());
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
