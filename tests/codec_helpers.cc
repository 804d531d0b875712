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

std::vector<uint8_t> ShrinkingModelFile(int segment_rows, uint32_t seed) {
  ModelBuilder builder = TinyModel(seed);
  builder.document["coding"]["segment_rows"] = segment_rows;
  const auto add = [&builder](int shrink, int channels) {
    const std::string name = "small" + std::to_string(shrink);
    const int factor = 16 / shrink;
    Json shuffle = ModelBuilder::Simple("shuffle", "pixel_shuffle", {name});
    shuffle["factor"] = factor;
    builder.document["graphs"][name] = ModelBuilder::Graph(
        "close", {{"y_hat", channels}},
        {builder.Conv(name, "y_hat", channels, 3 * factor * factor, 3, 1, 0.2f), shuffle});
    builder.document["shrunk"][std::to_string(shrink)] = name;
  };
  add(4, 8);
  add(8, 4);
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

std::string ShippedPath(const std::string& name) {
  return std::string(GLINT_SOURCE_DIR) + "/weights/" + name + ".safetensors";
}

std::string LightPath() { return ShippedPath("light-fp32"); }

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
  return PartOf(*whole, {left, top, width, height});
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

Picture DecodeInPieces(const Model& model, const std::vector<uint8_t>& stream,
                       const DecodeOptions& options) {
  Picture picture;
  auto decoder = StreamDecoder::Make(
      model,
      [&](const PictureInfo& info, const Metadata&) {
        picture.info = info;
        return true;
      },
      [&](uint32_t y, const void* row) {
        CHECK(y * picture.info.RowBytes() == picture.samples.size());
        const auto* bytes = static_cast<const uint8_t*>(row);
        picture.samples.insert(picture.samples.end(), bytes, bytes + picture.info.RowBytes());
        return true;
      },
      options);
  REQUIRE(decoder.ok());
  for (size_t at = 0; at < stream.size(); at += 100) {
    REQUIRE(decoder->Push(stream.data() + at, std::min<size_t>(100, stream.size() - at)).ok());
  }
  CHECK(decoder->Finish().ok());
  CHECK(decoder->rows_given() == picture.info.height);
  return picture;
}

Crop DrawCrop(const PictureInfo& info, Draws* draws) {
  Crop crop;
  crop.width = static_cast<uint32_t>(draws->Whole(1, static_cast<int>(info.width)));
  crop.height = static_cast<uint32_t>(draws->Whole(1, static_cast<int>(info.height)));
  if (draws->Whole(0, 3) == 0) crop.width = crop.height = 1;
  crop.x = static_cast<uint32_t>(draws->Whole(0, static_cast<int>(info.width - crop.width)));
  crop.y = static_cast<uint32_t>(draws->Whole(0, static_cast<int>(info.height - crop.height)));
  return crop;
}

Picture PartOf(const Picture& whole, const Crop& crop) {
  Picture part;
  part.info = whole.info;
  part.info.width = crop.width;
  part.info.height = crop.height;
  const size_t pixel = whole.info.SamplesPerPixel() * whole.info.SampleBytes();
  for (uint32_t y = crop.y; y < crop.y + crop.height; ++y) {
    const auto row = whole.samples.begin() +
                     static_cast<std::ptrdiff_t>(y * whole.info.RowBytes() + crop.x * pixel);
    part.samples.insert(part.samples.end(), row,
                        row + static_cast<std::ptrdiff_t>(crop.width * pixel));
  }
  return part;
}

bool SameForm(const PictureInfo& a, const PictureInfo& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels &&
         a.has_alpha == b.has_alpha && a.bit_depth == b.bit_depth;
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
