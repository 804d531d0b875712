#include "tests/codec_helpers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "glint/image_io.hpp"
#include "tests/model_builder.h"

namespace glint::testing {

std::vector<uint8_t> TinyModelFile(int segment_rows, uint32_t seed) {
  ModelBuilder builder = TinyModel(seed);
  builder.document["coding"]["segment_rows"] = segment_rows;
  return builder.Build();
}

std::vector<uint8_t> IntegerModelFile(int segment_rows, uint32_t seed) {
  ModelBuilder builder = IntegerModel(seed);
  builder.document["coding"]["segment_rows"] = segment_rows;
  return builder.Build();
}

std::vector<uint8_t> Float16ModelFile(int segment_rows, uint32_t seed) {
  ModelBuilder builder = Float16Model(seed);
  builder.document["coding"]["segment_rows"] = segment_rows;
  return builder.Build();
}

std::vector<uint8_t> DynamicModelFile(int segment_rows, uint32_t seed) {
  ModelBuilder builder = DynamicModel(seed);
  builder.document["coding"]["segment_rows"] = segment_rows;
  return builder.Build();
}

std::vector<uint8_t> WavefrontModelFile(uint32_t seed) { return WavefrontModel(seed).Build(); }

std::vector<uint8_t> MiniModelFile(int segment_rows, uint32_t seed) {
  ModelBuilder builder = MiniModel(seed);
  builder.document["coding"]["segment_rows"] = segment_rows;
  return builder.Build();
}

Model LoadModel(const std::vector<uint8_t>& file) {
  auto model = Model::FromMemory(file.data(), file.size(), "test.safetensors");
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  return *model;
}

bool AllInteger(const Graph& graph) {
  return std::all_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return !node.matrix || IsInteger(node.precision); });
}

std::string LightPath() {
  return std::string(GLINT_SOURCE_DIR) + "/weights/light-fp32.safetensors";
}

Model LoadLight() {
  auto model = Model::Load(LightPath());
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  return *model;
}

Picture SmoothPicture(const PictureInfo& info, uint32_t seed) {
  std::mt19937 random(seed);
  const auto real = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random() >> 8) * 0x1p-24;
  };
  Picture picture;
  picture.info = info;
  picture.samples.resize(info.RowBytes() * info.height);
  const double most = static_cast<double>((1U << info.bit_depth) - 1);
  const size_t channels = info.SamplesPerPixel();
  struct Wave {
    double level, across, down, height, fx, fy;
  };
  std::vector<Wave> waves;
  for (size_t c = 0; c < channels; ++c) {
    waves.push_back({real(0.3, 0.7), real(-0.3, 0.3), real(-0.3, 0.3), real(0.05, 0.2),
                     real(0.05, 0.4), real(0.05, 0.4)});
  }
  for (uint32_t y = 0; y < info.height; ++y) {
    for (uint32_t x = 0; x < info.width; ++x) {
      for (size_t c = 0; c < channels; ++c) {
        const Wave& w = waves[c];
        double value = w.level + w.across * (x / static_cast<double>(info.width) - 0.5) +
                       w.down * (y / static_cast<double>(info.height) - 0.5) +
                       w.height * std::sin(w.fx * x + w.fy * y) + real(-0.01, 0.01);
        value = std::clamp(value, 0.0, 1.0) * most + 0.5;
        const size_t at = (size_t{y} * info.width + x) * channels + c;
        if (info.SampleBytes() == 1) {
          picture.samples[at] = static_cast<uint8_t>(value);
        } else {
          const uint16_t wide = static_cast<uint16_t>(value);
          std::memcpy(picture.samples.data() + 2 * at, &wide, 2);
        }
      }
    }
  }
  return picture;
}

Picture SampleCrop(const std::string& name, uint32_t left, uint32_t top, uint32_t width,
                   uint32_t height) {
  const auto whole = ReadPicture(std::string(GLINT_SOURCE_DIR) + "/tools/samples/" + name + ".png");
  REQUIRE_MESSAGE(whole.ok(), whole.error().message);
  Picture crop;
  crop.info = whole->info;
  crop.info.width = width;
  crop.info.height = height;
  const size_t pixel = whole->info.SamplesPerPixel() * whole->info.SampleBytes();
  for (uint32_t y = top; y < top + height; ++y) {
    const uint8_t* const from = whole->samples.data() + y * whole->info.RowBytes() + left * pixel;
    crop.samples.insert(crop.samples.end(), from, from + width * pixel);
  }
  return crop;
}

Metadata SomeMetadata() {
  Metadata metadata;
  for (int i = 0; i < 300; ++i) metadata.icc.push_back(static_cast<uint8_t>(i % 61));
  metadata.exif = {'I', 'I', 42, 0, 8, 0, 0, 0, 0, 0};
  metadata.chunks = {{"tEXt", {'a', 0, 'b'}}, {"pHYs", {0, 0, 1, 0, 0, 0, 1, 0, 1}}};
  return metadata;
}

std::vector<uint8_t> MustEncode(const Model& model, const Picture& picture,
                                const EncodeOptions& options, Report* report) {
  auto stream = Encode(model, picture, options, report);
  REQUIRE_MESSAGE(stream.ok(), stream.error().message);
  return *stream;
}

std::vector<uint8_t> EncodeModelAlone(const Model& model, const Picture& picture,
                                      EncodeOptions options, Report* report) {
  options.detail = Detail::kOff;
  return MustEncode(model, picture, options, report);
}

Picture MustDecode(const Model& model, const std::vector<uint8_t>& stream,
                   const DecodeOptions& options, Report* report) {
  auto picture = Decode(model, stream.data(), stream.size(), options, report);
  REQUIRE_MESSAGE(picture.ok(), picture.error().message);
  return *picture;
}

uint32_t LargestDifference(const Picture& a, const Picture& b) {
  REQUIRE(a.info.SampleBytes() == b.info.SampleBytes());
  REQUIRE(a.samples.size() == b.samples.size());
  uint32_t most = 0;
  const auto note = [&](int x, int y) {
    most = std::max(most, static_cast<uint32_t>(std::abs(x - y)));
  };
  if (a.info.SampleBytes() == 1) {
    for (size_t i = 0; i < a.samples.size(); ++i) note(a.samples[i], b.samples[i]);
    return most;
  }
  for (size_t i = 0; i + 1 < a.samples.size(); i += 2) {
    uint16_t x = 0, y = 0;
    std::memcpy(&x, a.samples.data() + i, 2);
    std::memcpy(&y, b.samples.data() + i, 2);
    note(x, y);
  }
  return most;
}

bool SameMetadata(const Metadata& a, const Metadata& b) {
  return a.icc == b.icc && a.exif == b.exif && a.chunks == b.chunks;
}

TargetScope::TargetScope(const std::string& name) : before_(CurrentTarget()) {
  const Error error = SetTarget(name);
  REQUIRE_MESSAGE(error.ok(), error.message);
}

TargetScope::~TargetScope() { static_cast<void>(SetTarget(before_)); }

}  // namespace glint::testing
