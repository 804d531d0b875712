// The pictures that every calibration looks at, and what the quantiser does with them: they are
// many, small and the same bytes everywhere; ranges hold them; the worst picture is reported.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "codec/model/model_impl.h"
#include "codec/quantiser/bounds.h"
#include "codec/quantiser/layers.h"
#include "codec/quantiser/statistics.h"
#include "engine/sha256.h"
#include "glint/image_io.hpp"
#include "glint/quantise.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/seed.h"

namespace glint::testing {
namespace {

using namespace quantiser;

bool IsFlat(const Picture& picture, const std::array<uint8_t, 3>& colour) {
  for (size_t i = 0; i < picture.samples.size(); ++i) {
    if (picture.samples[i] != colour[i % 3]) return false;
  }
  return true;
}

Picture FlatPicture(uint32_t width, uint32_t height, const std::array<uint8_t, 3>& colour) {
  Picture picture;
  picture.info = {width, height, 3, false, 8};
  for (size_t i = 0; i < size_t{width} * height; ++i) {
    picture.samples.insert(picture.samples.end(), colour.begin(), colour.end());
  }
  return picture;
}

// Pictures without contrast: what they are calibrated on never comes near the ends of samples.
std::vector<Picture> DullPictures() {
  std::vector<Picture> pictures = {SmoothPicture({64, 48, 3, false, 8}, 5)};
  for (uint8_t& sample : pictures[0].samples) sample = static_cast<uint8_t>(120 + sample / 16);
  return pictures;
}

TEST_CASE("built-in pictures: many, small, of every kind, the same bytes on every machine") {
  const std::vector<NamedPicture> pictures = BuiltInPictures();
  CHECK(pictures.size() >= 40);
  std::set<std::string> names;
  std::vector<uint8_t> bytes;
  size_t pixels = 0;
  for (const NamedPicture& named : pictures) {
    CAPTURE(named.name);
    const PictureInfo& info = named.picture.info;
    CHECK(names.insert(named.name).second);
    CHECK(info.channels == 3);
    CHECK(info.bit_depth == 8);
    CHECK_FALSE(info.has_alpha);
    CHECK(info.width <= 128);
    CHECK(info.height <= 128);
    REQUIRE(named.picture.samples.size() == size_t{info.width} * info.height * 3);
    pixels += size_t{info.width} * info.height;
    bytes.insert(bytes.end(), named.picture.samples.begin(), named.picture.samples.end());
  }
  CHECK(pixels < 700000);
  for (int corner = 0; corner < 8; ++corner) {
    const auto end = [&](int bit) { return static_cast<uint8_t>((corner >> bit & 1) * 255); };
    const std::array<uint8_t, 3> colour = {end(2), end(1), end(0)};
    CHECK(std::any_of(pictures.begin(), pictures.end(),
                      [&](const NamedPicture& named) { return IsFlat(named.picture, colour); }));
  }
  for (const char* kind : {"flat", "squares", "gradient", "hue", "columns", "rows", "checks",
                           "every width", "noise", "text", "chart", "scene"}) {
    CHECK(std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return name.compare(0, std::string(kind).size(), kind) == 0;
    }));
  }
  // Another set makes other models: what is shipped would have to be made again.
  std::string digest;
  for (const uint8_t byte : Sha256Of(bytes)) {
    digest += "0123456789abcdef"[byte >> 4];
    digest += "0123456789abcdef"[byte & 15];
  }
  CHECK(digest == "7284404bebb2a7b13b1b35e005d0cd35336930c5402d8a60ad971312e532db7e");
}

// ---- bounds -------------------------------------------------------------------------------------

TEST_CASE("bounds: the first layer's are reached, and no picture passes any") {
  const Model model = LoadLight();
  const ModelFile& file = *model.impl().file;
  const std::vector<Layer> layers = ListLayers(model.impl());
  const auto bounds = BoundsFromWeights(file, model.impl().document, layers);
  REQUIRE(bounds.count({"g_a", "a1"}) == 1);
  REQUIRE(bounds.count({"g_a", "ag1"}) == 1);
  CHECK(bounds.count({"g_a", "ar2.add"}) == 0);  // behind an addition nothing is sure

  const Layer& first = layers.front();
  REQUIRE(first.name() == "g_a/a1");
  const std::vector<float> matrix = ReadMatrix(file, first);
  std::vector<float> bias(first.out_channels);
  CopyAsFloat(*file.tensor(first.node->weights.at("bias")), 0, bias.size(), bias.data());
  const Bounds& of_first = bounds.at({"g_a", "a1"});
  std::vector<Picture> pictures;
  for (const size_t out : {size_t{0}, first.out_channels / 2, first.out_channels - 1}) {
    // The picture that drives this channel up at (8, 8), and what comes of it.
    Picture picture = SmoothPicture({16, 16, 3, false, 8}, 1);
    double most = static_cast<double>(bias[out]);
    for (size_t in = 0; in < 3; ++in) {
      for (size_t tap = 0; tap < 25; ++tap) {
        const float w = matrix[first.matrix.Index(out, in, tap)];
        const size_t y = 8 + tap / 5 - 2, x = 8 + tap % 5 - 2;
        picture.samples[(y * 16 + x) * 3 + in] = w > 0 ? 255 : 0;
        most += 0.5 * std::abs(static_cast<double>(w));
      }
    }
    CHECK(of_first.high[out] == doctest::Approx(std::max(most, 0.0)));
    pictures.push_back(picture);
  }
  std::mt19937 random(TestSeed());
  Picture extremes = SmoothPicture({64, 64, 3, false, 8}, 1);
  for (uint8_t& sample : extremes.samples) sample = (random() & 1) != 0 ? 255 : 0;
  pictures.push_back(extremes);
  CalibrationOptions options;
  options.lrds = {4e-4};
  const auto statistics = Calibrate(model.impl().file, layers, pictures, options);
  REQUIRE(statistics.ok());
  for (const auto& entry : bounds) {
    const auto& key = entry.first;
    const auto& bound = entry.second;
    if (statistics->count(key) == 0) continue;
    CAPTURE(key.tensor);
    const TensorStatistics& seen = statistics->at(key)[0];
    for (size_t c = 0; c < seen.channels; ++c) {
      CHECK(static_cast<double>(seen.low[c]) >= 1.00001 * bound.low[c] - 1e-6);
      CHECK(static_cast<double>(seen.high[c]) <= 1.00001 * bound.high[c] + 1e-6);
    }
  }
  const TensorStatistics& seen = statistics->at({"g_a", "a1"})[0];
  CHECK(static_cast<double>(seen.high[0]) == doctest::Approx(of_first.high[0]).epsilon(1e-4));
}

TEST_CASE("bounds: what the first layer makes fits its range, whatever calibration saw") {
  QuantiseOptions options;
  options.type = QuantisedType::kInt16;
  options.built_in = false;
  options.lrds = {4e-4};
  const Model model = LoadLight();
  const std::vector<Layer> layers = ListLayers(model.impl());
  const auto bounds = BoundsFromWeights(*model.impl().file, model.impl().document, layers);
  const auto quantised = Quantise(model, DullPictures(), options);
  REQUIRE_MESSAGE(quantised.ok(), quantised.error().message);
  const Model after = LoadModel(quantised->file);
  const ModelFile& file = *after.impl().file;
  const Graph& graph = after.impl().graph("g_a");
  for (const char* name : {"a1", "ag1"}) {
    CAPTURE(name);
    const Bounds& bound = bounds.at({"g_a", name});
    const Quantisation& range = graph.quantised.at(name);
    std::vector<float> factor(bound.low.size(), 1.0f);
    if (!range.factor.empty()) {
      CopyAsFloat(*file.tensor(range.factor), 0, factor.size(), factor.data());
    }
    const double step = *std::min_element(range.scales.begin(), range.scales.end());
    for (size_t c = 0; c < factor.size(); ++c) {
      const double end = step * range.max * static_cast<double>(factor[c]) * 1.00001;
      CHECK(end >= bound.high[c]);
      CHECK(end >= -bound.low[c]);
    }
  }
}

// ---- what they do to ranges ---------------------------------------------------------------------

TEST_CASE("built-in pictures: ranges hold them, averages stay those of the photographs") {
  const Model model = LoadLight();
  const std::vector<Layer> layers = ListLayers(model.impl());
  CalibrationOptions options;
  options.lrds = {4e-4};
  const std::vector<Picture> green = {FlatPicture(64, 64, {0, 255, 0})};
  const auto dull = Calibrate(model.impl().file, layers, DullPictures(), options);
  const auto wide = Calibrate(model.impl().file, layers, green, options);
  REQUIRE(dull.ok());
  REQUIRE(wide.ok());
  Statistics both = *dull;
  WidenRanges(*wide, &both);
  for (const auto& entry : both) {
    const auto& key = entry.first;
    const auto& rates = entry.second;
    CAPTURE(key.tensor);
    const TensorStatistics &of = rates[0], &before = dull->at(key)[0], &other = wide->at(key)[0];
    CHECK(of.sum == before.sum);
    CHECK(of.square_sum == before.square_sum);
    CHECK(of.sample_count() == before.sample_count() + other.sample_count() / 8);
    for (size_t c = 0; c < of.channels; ++c) {
      CHECK(of.low[c] == std::min(before.low[c], other.low[c]));
      CHECK(of.high[c] == std::max(before.high[c], other.high[c]));
    }
  }
}

TEST_CASE("built-in pictures: without them flat green is ruined, and the report says so") {
  const Model model = LoadLight();
  QuantiseOptions options;
  options.type = QuantisedType::kInt16;
  options.lrds = {4e-4};
  const auto with = Quantise(model, DullPictures(), options);
  options.built_in = false;
  const auto without = Quantise(model, DullPictures(), options);
  REQUIRE_MESSAGE(with.ok(), with.error().message);
  REQUIRE_MESSAGE(without.ok(), without.error().message);
  const Picture green = FlatPicture(64, 64, {0, 255, 0});
  const auto psnr = [&](const Model& of) {
    return PsnrRgb(green, MustDecode(of, EncodeModelAlone(of, green)));
  };
  const double in_float = psnr(model);
  CHECK(psnr(LoadModel(with->file)) > in_float - 1.0);
  CHECK(psnr(LoadModel(without->file)) < in_float - 3.0);
  CHECK(with->built_in.worst.decibels < kMostDecibels);
  CHECK(with->built_in.worst_colour.colour < kMostColour);
  CHECK(with->built_in.worst.picture < BuiltInPictures().size());
  CHECK(with->loss == with->calibration.loss);
  CHECK(without->built_in.loss == 0.0);

  // Details repair what such a model breaks, and say so.
  const Model broken = LoadModel(without->file);
  Report report;
  const auto stream = MustEncode(broken, green, {}, &report);
  const auto detailed = [&](const Model& of) {
    return std::min(PsnrRgb(green, MustDecode(of, MustEncode(of, green))), 99.0);
  };
  CHECK(detailed(broken) > detailed(model) - 1.0);
  CHECK(report.detail.error < report.detail.base_error / 2);
}

// Ranges of 8 bits that half of the values pass: what the entropy networks then expect of a picture
// is wrong, and its stream grows.
TEST_CASE("built-in pictures: no stream of theirs grows in a mix") {
  const Model model = LoadLight();
  QuantiseOptions options;
  options.rounding = WeightRounding::kNearest;
  options.ranges = RangeMethod::kPercentile;
  options.percentile = 51;
  options.lrds = {4e-4};
  options.threads = 0;
  for (const Layer& layer : ListLayers(model.impl())) {
    if (layer.name() == "h_s/hs2" || layer.name() == "h_s/hs3") continue;
    options.keep.emplace_back(layer.name(), LayerPrecision::kW16A16);
  }
  options.max_loss = 1e6;  // on the calibration pictures
  const auto mixed = Quantise(model, DullPictures(), options);
  REQUIRE_MESSAGE(mixed.ok(), mixed.error().message);
  for (const QuantisedLayer& layer : mixed->layers) {
    CHECK(layer.precision != LayerPrecision::kW8A8);
  }
  CHECK(mixed->built_in.worst_growth.growth < 2);
  options.max_loss = 0;
  for (const char* layer : {"hs2", "hs3"}) options.keep.emplace_back(layer, LayerPrecision::kW8A8);
  const auto named = Quantise(model, DullPictures(), options);
  REQUIRE_MESSAGE(named.ok(), named.error().message);
  CHECK(named->built_in.worst_growth.growth > 20);
  CHECK(named->built_in.worst_growth.picture < BuiltInPictures().size());
}

}  // namespace
}  // namespace glint::testing
