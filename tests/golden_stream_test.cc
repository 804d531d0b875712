// Streams of tests/data/golden must decode to the same latents for ever, on every target: the
// format, the entropy coder and the exact arithmetic cannot change unnoticed.
// GLINT_WRITE_GOLDEN=1 writes model, streams and pictures anew; that is a change of the format.

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

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
      // 70 rows of latents are two segments.
      {"tiny-segments", MakeInfo(7, 1111, 3, true, 8), 4e-4, 0x597DA5C8},
      {"tiny-gray16", MakeInfo(50, 37, 1, false, 16), 1.3e-3, 0x8093433E},
      {"tiny-pixel", MakeInfo(1, 1, 3, false, 8), 2.2e-5, 0x5EACB173},
  };
}

std::string GoldenPath(const std::string& file) {
  return std::string(GLINT_TEST_DATA) + "/golden/" + file;
}

std::vector<uint8_t> GoldenFile(const std::string& name) {
  const auto bytes = ReadFile(GoldenPath(name), uint64_t{1} << 24);
  REQUIRE_MESSAGE(bytes.ok(), bytes.error().message);
  return *bytes;
}

void WriteGolden() {
  testing::ModelBuilder builder = testing::TinyModel(7);
  builder.AddTables("coding.y", 8, 4);  // so narrow that there are escapes
  const std::vector<uint8_t> file = builder.Build();
  REQUIRE(WriteFile(GoldenPath("tiny.safetensors"), file.data(), file.size()).ok());
  const Model model = LoadModel(file);
  for (const GoldenStream& golden : GoldenStreams()) {
    Picture picture = testing::SmoothPicture(golden.info, 5);
    if (golden.info.has_alpha) picture.metadata = SomeMetadata();
    EncodeOptions options;
    options.lrd = golden.lrd;
    Report report;
    const auto stream = testing::MustEncode(model, picture, options, &report);
    MESSAGE(golden.name, " ", report.latent_crc);
    const std::string path = GoldenPath(golden.name);
    REQUIRE(WriteFile(path + ".glint", stream.data(), stream.size()).ok());
    REQUIRE(WritePicture(path + ".png", testing::MustDecode(model, stream)).ok());
  }
}

TEST_CASE("golden streams: decode to the same latents and pixels on every target") {
  if (std::getenv("GLINT_WRITE_GOLDEN") != nullptr) WriteGolden();
  const std::vector<uint8_t> file = GoldenFile("tiny.safetensors");
  for (const std::string& target : SupportedTargets()) {
    CAPTURE(target);
    const TargetScope scope(target);
    const Model model = LoadModel(file);
    CHECK(model.info().id == "36c9675d9c2725cb");
    for (const GoldenStream& golden : GoldenStreams()) {
      CAPTURE(golden.name);
      const auto stream = GoldenFile(golden.name + ".glint");
      const auto wanted = ReadPicture(GoldenPath(golden.name + ".png"));
      REQUIRE_MESSAGE(wanted.ok(), wanted.error().message);
      for (const int threads : {1, 3}) {
        DecodeOptions options;
        options.threads = threads;
        Report report;
        const Picture picture = testing::MustDecode(model, stream, options, &report);
        CHECK(report.latent_crc == golden.latent_crc);
        CHECK(LargestDifference(picture, *wanted) <= 1);
        if (golden.info.has_alpha) CHECK(testing::SameMetadata(picture.metadata, SomeMetadata()));
      }
    }
  }
}

}  // namespace
}  // namespace glint
