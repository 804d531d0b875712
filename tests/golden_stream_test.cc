// The conformance set (conformance/README.md) must decode to the same latents for ever, on every
// target: the format, the entropy coder and the exact arithmetic cannot change unnoticed. The
// decoder in Python reads it as well (tests/bitstream_test.sh).
// GLINT_WRITE_GOLDEN=NAME writes stream NAME and its model anew, "all" is all of them and "light"
// those of the shipped models, whose weights may change; any other change is one of the format. It
// writes the manifest and the pictures too, and with "manifest" nothing else. Streams begin with
// the name of their model.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "codec/model/model_impl.h"
#include "conformance/conformance_case.h"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using testing::LoadModel;
using testing::SomeMetadata;
using testing::TargetScope;

struct GoldenStream {
  std::string name;
  PictureInfo info;
  double lrd;  // 0 where errors have a limit
  Detail detail = Detail::kOff;
  int max_error = -1;  // EncodeOptions::max_error; 0: lossless, where the depth allows it
};

std::vector<GoldenStream> GoldenStreams() {
  return {
      // 201 rows in 19 columns, twelve segments: no z, quarters, fixed tables, scales alone.
      {"lattice-tall", MakeInfo(37, 401, 3, false, 8), 4e-4},
      // The same sizes in fronts; and rows of two columns, where some fronts have no position.
      {"wavefront-tall", MakeInfo(37, 401, 3, false, 8), 4e-4},
      {"wavefront-narrow", MakeInfo(4, 301, 1, false, 8), 4e-4},
      {"wavefront16-tall", MakeInfo(21, 203, 3, false, 8), 4e-4},
      // 70 rows of latents are two segments.
      {"tiny-segments", MakeInfo(7, 1111, 3, true, 8), 4e-4},
      {"tiny-gray16", MakeInfo(50, 37, 1, false, 16), 1.3e-3},
      {"tiny-pixel", MakeInfo(1, 1, 3, false, 8), 2.2e-5},
      // 133 rows, 201 rows in 19 columns, 195 rows: three and four segments, where rows ahead of
      // one come before the next.
      {"tiny-tall", MakeInfo(5, 2117, 3, false, 8), 1.3e-3},
      {"mini-tall", MakeInfo(37, 401, 1, false, 8), 4e-4},
      {"integer-tall", MakeInfo(6, 3111, 1, false, 8), 4e-4},
      // Details over an exact base: all kinds of blocks, rows of gray between colour, odd sizes;
      // gray of any depth; more than one section.
      {"quiet16-kinds", MakeInfo(151, 203, 3, false, 8), 4e-4, Detail::kAuto, -1},
      {"quiet16-fine", MakeInfo(69, 67, 3, false, 8), 2e-2, Detail::kOn, -1},
      {"quiet16-tall", MakeInfo(9, 1103, 3, false, 8), 1e-3, Detail::kAuto, -1},
      {"quiet16-gray", MakeInfo(133, 75, 1, false, 8), 1e-3, Detail::kAuto, -1},
      {"quiet16-bits", MakeInfo(131, 70, 1, false, 1), 2e-2, Detail::kAuto, -1},
      {"quiet16-nibbles", MakeInfo(132, 70, 1, false, 4), 2e-2, Detail::kOn, -1},
      {"quiet16-deep", MakeInfo(131, 21, 3, false, 16), 1e-3, Detail::kAuto, -1},
      {"quiet16-deepalpha", MakeInfo(70, 35, 3, true, 16), 1e-3, Detail::kAuto, -1},
      {"quiet16-near", MakeInfo(67, 70, 3, true, 8), 0, Detail::kAuto, 4},
      {"quiet16-lossless", MakeInfo(70, 67, 3, false, 8), 0, Detail::kAuto, 0},
      {"quiet16-noise", MakeInfo(65, 66, 3, false, 8), 0, Detail::kAuto, 0},
      // The same over a base that is not exact: pixels next to other blocks do not know them.
      {"quiet-kinds", MakeInfo(151, 139, 3, false, 8), 4e-4, Detail::kAuto},
      {"quiet-sameinrgb", MakeInfo(131, 70, 3, false, 8), 1e-3, Detail::kAuto},
      {"quiet-alpha", MakeInfo(131, 43, 1, true, 8), 1e-3, Detail::kOn},
      {"quiet-near", MakeInfo(67, 70, 1, false, 8), 0, Detail::kAuto, 2},
      {"quiet-lossless", MakeInfo(66, 1030, 1, false, 1), 0, Detail::kAuto, 0},
      {"fixed-small", MakeInfo(45, 150, 3, false, 8), 0},  // a model of one rate
      // The shipped models: every form, and the default one in every shape.
      {"light_int8-pixel", MakeInfo(1, 1, 3, false, 8), 4e-4},
      {"light_int8-tall", MakeInfo(20, 1100, 3, false, 8), 4e-4},
      {"light_int8-wide", MakeInfo(1100, 20, 3, false, 8), 1e-3},
      {"light_int8-gray", MakeInfo(65, 33, 1, false, 16), 1e-4},
      {"light_int8-lossless", MakeInfo(67, 66, 3, true, 8), 0, Detail::kAuto, 0},
      {"light_int8-kinds", MakeInfo(97, 131, 3, false, 8), 4e-4, Detail::kAuto},
      {"light_int8_entropy-kinds", MakeInfo(97, 61, 3, false, 8), 4e-4, Detail::kAuto},
      {"light_int16-kinds", MakeInfo(97, 61, 3, false, 8), 4e-4, Detail::kAuto},
      {"light_fp16-kinds", MakeInfo(97, 61, 3, false, 8), 4e-4, Detail::kAuto},
      {"light_fp32-kinds", MakeInfo(97, 61, 3, false, 8), 4e-4, Detail::kAuto},
      {"light_fp32-alpha", MakeInfo(33, 70, 3, true, 16), 1e-4},
      {"light_msssim_int8-smooth", MakeInfo(97, 61, 3, false, 8), 4e-4},
  };
}

std::string ModelOf(const GoldenStream& golden) {
  return golden.name.substr(0, golden.name.find('-'));
}

bool IsShipped(const GoldenStream& golden) { return golden.name.starts_with("light"); }

std::string ModelFile(const GoldenStream& golden) {
  std::string name = ModelOf(golden);
  std::replace(name.begin(), name.end(), '_', '-');
  return (IsShipped(golden) ? "../weights/" : "models/") + name + ".safetensors";
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
  if (name == "fixed") builder.document["rate"] = {{"parameter", "none"}};
  // So narrow that there are escapes.
  if (name == "tiny") builder.AddTables("coding.y", 8, 4);
  return builder.Build();
}

std::string Folder() { return std::string(GLINT_SOURCE_DIR) + "/conformance"; }

std::vector<uint8_t> FileOf(const std::string& path) {
  auto bytes = conformance::ReadBytes(path);
  REQUIRE_MESSAGE(bytes.ok(), bytes.error().message);
  return std::move(*bytes);
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

// Integers make the same pixels everywhere, and so does what is coded without loss.
bool IsExact(const GoldenStream& golden, const Model& model) {
  return golden.max_error == 0 || testing::AllInteger(model.impl().graph("g_s"));
}

conformance::Case EntryOf(const GoldenStream& golden) {
  conformance::Case entry;
  entry.name = golden.name;
  entry.model = ModelFile(golden);
  return entry;
}

void WriteGolden(const GoldenStream& golden) {
  const conformance::Case entry = EntryOf(golden);
  const std::string model_path = Folder() + "/" + entry.model;
  if (!IsShipped(golden)) {
    const std::vector<uint8_t> file = MakeModel(ModelOf(golden));
    REQUIRE(WriteFile(model_path, file.data(), file.size()).ok());
  }
  const Model model = LoadModel(FileOf(model_path));
  Picture picture = PictureOf(golden);
  if (golden.info.has_alpha) picture.metadata = SomeMetadata();
  EncodeOptions options;
  options.lrd = golden.lrd;
  options.detail = golden.detail;
  options.max_error = golden.max_error;
  options.lossless = golden.max_error == 0;
  Report report;
  const auto stream = testing::MustEncode(model, picture, options, &report);
  MESSAGE(golden.name, " of model ", model.info().id, ": ", report.detail.bytes,
          " bytes of details, ", report.detail.blocks, " blocks, ", report.detail.transform_blocks,
          " transforms, ", report.detail.pixel_blocks, " pixels");
  REQUIRE(WriteFile(conformance::StreamPath(Folder(), entry), stream.data(), stream.size()).ok());
}

// What this build makes of the stream is what all must make of it. Its picture is written.
conformance::Case OutcomeOf(const GoldenStream& golden) {
  conformance::Case entry = EntryOf(golden);
  const Model model = LoadModel(FileOf(Folder() + "/" + entry.model));
  const auto outcome =
      conformance::DecodeCase(model, FileOf(conformance::StreamPath(Folder(), entry)));
  REQUIRE_MESSAGE(outcome.ok(), outcome.error().message);
  entry.model_id = model.info().id;
  entry.exact = IsExact(golden, model);
  entry.latents = outcome->latents;
  entry.pixels = outcome->pixels;
  const std::string path = conformance::PicturePath(Folder(), entry);
  REQUIRE(WritePicture(path, outcome->picture).ok());
  return entry;
}

std::vector<conformance::Case> Manifest() {
  auto cases = conformance::ReadManifest(Folder());
  REQUIRE_MESSAGE(cases.ok(), cases.error().message);
  return std::move(*cases);
}

bool IsWritten(const GoldenStream& golden, const std::string& which) {
  return which == "all" || which == golden.name || (which == "light" && IsShipped(golden));
}

void WriteGoldens(const std::string& which) {
  std::vector<conformance::Case> cases;
  for (const GoldenStream& golden : GoldenStreams()) {
    if (IsWritten(golden, which)) WriteGolden(golden);
    cases.push_back(OutcomeOf(golden));
  }
  REQUIRE(conformance::WriteManifest(Folder(), cases).ok());
}

void CheckGolden(const GoldenStream& golden, const conformance::Case& entry, const Model& model) {
  CHECK(entry.name == golden.name);
  CHECK(entry.model == ModelFile(golden));
  CHECK(entry.exact == IsExact(golden, model));
  CHECK(model.info().id == entry.model_id);
  const auto stream = FileOf(conformance::StreamPath(Folder(), entry));
  struct Setting {
    int threads, band_rows;
  };
  for (const Setting& setting : {Setting{1, 0}, Setting{3, 0}, Setting{2, 97}}) {
    CAPTURE(setting.threads);
    CAPTURE(setting.band_rows);
    DecodeOptions options;
    options.threads = setting.threads;
    options.band_rows = setting.band_rows;
    const auto outcome = conformance::DecodeCase(model, stream, options);
    REQUIRE_MESSAGE(outcome.ok(), outcome.error().message);
    const Error error = conformance::Compare(Folder(), entry, *outcome);
    CHECK_MESSAGE(error.ok(), error.message);
    if (golden.info.has_alpha) {
      CHECK(testing::SameMetadata(outcome->picture.metadata, SomeMetadata()));
    }
  }
}

TEST_CASE("golden streams: decode to the same latents and pixels on every target") {
  const char* written = std::getenv("GLINT_WRITE_GOLDEN");
  if (written != nullptr) WriteGoldens(written);
  const std::vector<GoldenStream> streams = GoldenStreams();
  const std::vector<conformance::Case> cases = Manifest();
  REQUIRE(cases.size() == streams.size());
  for (const std::string& target : SupportedTargets()) {
    CAPTURE(target);
    const TargetScope scope(target);
    std::map<std::string, Model> models;  // of this target
    for (size_t i = 0; i < streams.size(); ++i) {
      CAPTURE(streams[i].name);
      auto model = models.find(cases[i].model);
      if (model == models.end()) {
        const std::string path = Folder() + "/" + cases[i].model;
        model = models.emplace(cases[i].model, LoadModel(FileOf(path))).first;
      }
      CheckGolden(streams[i], cases[i], model->second);
    }
  }
}

TEST_CASE("golden streams: what decodes to something else is found") {
  const conformance::Case entry = Manifest().front();
  const Model model = LoadModel(FileOf(Folder() + "/" + entry.model));
  const auto outcome =
      conformance::DecodeCase(model, FileOf(conformance::StreamPath(Folder(), entry)));
  REQUIRE(outcome.ok());
  conformance::Case other = entry;
  other.latents[0] ^= 1;
  CHECK_FALSE(conformance::Compare(Folder(), other, *outcome).ok());
  conformance::Outcome changed = *outcome;
  changed.picture.samples[100] = static_cast<uint8_t>(changed.picture.samples[100] ^ 4);
  CHECK_FALSE(conformance::Compare(Folder(), entry, changed).ok());
  conformance::Case exact = entry;
  exact.exact = true;
  exact.pixels[0] ^= 1;
  CHECK_FALSE(conformance::Compare(Folder(), exact, *outcome).ok());
}

TEST_CASE("latents: every row comes once, in order, and any can stop the decoder") {
  const conformance::Case entry = Manifest().front();
  const Model model = LoadModel(FileOf(Folder() + "/" + entry.model));
  const auto stream = FileOf(conformance::StreamPath(Folder(), entry));
  uint32_t rows = 0, all = 1;
  DecodeOptions options;
  options.latents = [&](const LatentRow& row) {
    CHECK(row.y == rows++);
    CHECK(row.columns > 0);
    CHECK(row.channels > 0);
    all = row.rows;
    return true;
  };
  REQUIRE(Decode(model, stream.data(), stream.size(), options).ok());
  CHECK(rows == all);
  for (const uint32_t last : {0u, rows / 2, rows - 1}) {
    options.latents = [last](const LatentRow& row) { return row.y != last; };
    const auto stopped = Decode(model, stream.data(), stream.size(), options);
    CHECK(stopped.error().code == ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace glint
