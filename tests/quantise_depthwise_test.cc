// glint::Quantise of a model with depthwise convolutions in every graph: what they cost, how well
// their weights are rounded, and that the file codes alike on every target.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "codec/model/model_impl.h"
#include "codec/quantiser/layers.h"
#include "glint/pictures.hpp"
#include "glint/quantise.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"

namespace glint::testing {
namespace {

Json Shuffle(const char* name, const char* op, const std::string& in) {
  Json node = ModelBuilder::Simple(name, op, {in});
  node["factor"] = 2;
  return node;
}

// As MiniModel: 2 latent channels of stride 2, 1 hyper channel of stride 4.
std::vector<uint8_t> DepthwiseModelFile() {
  ModelBuilder b = MiniModel(3);
  b.tensors.clear();
  Json& graphs = b.document["graphs"];
  Json silu = ModelBuilder::Simple("s3", "silu", {"s2"});
  silu["factor"] = 1;
  graphs["g_a"] = ModelBuilder::Graph(
      "close", {{"x", 3}},
      {Shuffle("a1", "pixel_unshuffle", "x"), b.Conv("a2", "a1", 12, 8, 1, 1, 2),
       ModelBuilder::Simple("a3", "gelu", {"a2"}), b.Depthwise("a4", "a3", 8, 5, 3, 1),
       b.Conv("a5", "a4", 8, 2, 1, 1, 10)});
  graphs["g_s"] = ModelBuilder::Graph(
      "close", {{"y_hat", 2}},
      {b.Conv("s1", "y_hat", 2, 8, 1, 1, 0.2f), b.Depthwise("s2", "s1", 8, 3, 3, 1), silu,
       b.Conv("s4", "s3", 8, 12, 1, 1), Shuffle("s5", "pixel_shuffle", "s4")});
  graphs["h_a"] = ModelBuilder::Graph(
      "close", {{"y", 2}},
      {ModelBuilder::Simple("ha1", "abs", {"y"}), b.Depthwise("ha2", "ha1", 2, 3, 5, 2),
       b.Conv("ha3", "ha2", 2, 1, 1, 1)});
  graphs["h_s"] = ModelBuilder::Graph(
      "exact", {{"z", 1}}, {b.Deconv("hs1", "z", 1, 2, 4), b.Depthwise("hs2", "hs1", 2, 3, 3, 1)});
  graphs["p"] =
      ModelBuilder::Graph("exact", {{"psi", 2}},
                          {b.Depthwise("p1", "psi", 2, 3, 3, 1), b.Conv("p2", "p1", 2, 4, 1, 1)});
  b.AddTables("coding.z", 1, 10);
  b.AddTables("coding.y", 3, 20);
  b.AddFloats("coding.y.thresholds", {2}, {-0.5f, 0.5f});
  b.document["coding"]["steps"][0] = ModelBuilder::HyperStep(1, 4);
  return b.Build();
}

const std::vector<std::string> kDepthwise = {"g_a/a4", "g_s/s2", "h_a/ha2", "h_s/hs2", "p/p1"};

Picture TestPicture() { return SmoothPicture({52, 36, 3, false, 8}, 9); }

// With ranges of the picture that is coded, so that nothing is limited.
QuantisedModel MustQuantise(const Model& model, QuantiseOptions options) {
  options.built_in = false;
  const std::vector<Picture> pictures = {SmoothPicture({64, 48, 3, false, 8}, 5), TestPicture()};
  const auto quantised = Quantise(model, pictures, options);
  REQUIRE_MESSAGE(quantised.ok(), quantised.error().message);
  return *quantised;
}

const QuantisedLayer& LayerNamed(const QuantisedModel& quantised, const std::string& name) {
  for (const QuantisedLayer& layer : quantised.layers) {
    if (layer.name == name) return layer;
  }
  FAIL("no layer is called " << name);
  return quantised.layers[0];
}

// The file by itself codes a picture; decoding checks the latents' CRCs.
void CheckCodes(const Model& before, const QuantisedModel& quantised, double least_psnr) {
  const Picture picture = TestPicture();
  const Picture wanted = MustDecode(before, EncodeModelAlone(before, picture));
  std::vector<uint8_t> stream;
  Picture first;
  for (const std::string& target : SupportedTargets()) {
    const TargetScope scope(target);
    const Model model = LoadModel(quantised.file);
    if (stream.empty()) stream = EncodeModelAlone(model, picture);
    const Picture decoded = MustDecode(model, stream);
    if (first.samples.empty()) first = decoded;
    CHECK(LargestDifference(first, decoded) <= 1);
    CHECK(PsnrRgb(wanted, decoded) > least_psnr);
  }
}

}  // namespace

TEST_CASE("Quantise: what depthwise layers cost") {
  const Model model = LoadModel(DepthwiseModelFile());
  for (const quantiser::Layer& layer : quantiser::ListLayers(model.impl())) {
    if (layer.name() == "g_a/a4") CHECK(layer.macs_per_pixel == 30.0);    // 5x3x8 / 4
    if (layer.name() == "h_a/ha2") CHECK(layer.macs_per_pixel == 1.875);  // 3x5x2 / 16
    if (layer.name() == "g_a/a5") CHECK(layer.macs_per_pixel == 4.0);     // 8x2 / 4
    CHECK(layer.is_depthwise() == (layer.taps() > 1 && layer.name() != "h_s/hs1"));
  }
}

TEST_CASE("Quantise: depthwise layers in every precision") {
  const Model model = LoadModel(DepthwiseModelFile());
  QuantiseOptions options;
  double least_snr = 30, least_psnr = 25;
  SUBCASE("INT16") {
    options.type = QuantisedType::kInt16;
    least_snr = 80;
    least_psnr = 55;
  }
  SUBCASE("INT8, nearest") { options.rounding = WeightRounding::kNearest; }
  SUBCASE("INT8, gptq, digits") {
    options.rounding = WeightRounding::kGptq;
    options.splitting = 0.5;
  }
  SUBCASE("W8A16, ranges of least error") {
    options.activation_bits = 16;
    options.ranges = RangeMethod::kMse;
  }
  const QuantisedModel quantised = MustQuantise(model, options);
  for (const std::string& name : kDepthwise) {
    const QuantisedLayer& layer = LayerNamed(quantised, name);
    CHECK_MESSAGE(layer.precision >= LayerPrecision::kW16A16, name);
    CHECK_MESSAGE(layer.weight_snr > least_snr, name, " ", layer.weight_snr);
  }
  CheckCodes(model, quantised, least_psnr);
}

TEST_CASE("Quantise: depthwise layers in float16") {
  const Model model = LoadModel(DepthwiseModelFile());
  QuantiseOptions options;
  options.type = QuantisedType::kFp16;
  const QuantisedModel quantised = MustQuantise(model, options);
  CHECK(LayerNamed(quantised, "g_a/a4").precision == LayerPrecision::kFp16);
  CheckCodes(model, quantised, 40);
}

}  // namespace glint::testing
