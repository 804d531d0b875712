// glint::Quantise of graphs that the shipped models do not have: concatenations that have to be
// made, layers that read one tensor, and wavefront steps.

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "codec/model/model_impl.h"
#include "glint/quantise.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/peak_memory.h"

namespace glint::testing {
namespace {

Json Concat(const char* name, const char* first, const char* second) {
  return ModelBuilder::Simple(name, "concat", {first, second});
}

Json Add(const char* name, const char* first, const char* second) {
  return ModelBuilder::Simple(name, "add", {first, second});
}

std::vector<Picture> SomePictures() {
  return {SmoothPicture({64, 48, 3, false, 8}, 5), SmoothPicture({40, 72, 3, false, 8}, 6)};
}

// A file of this type, which codes alike on every target.
Model MustQuantise(const Model& model, QuantisedType type) {
  QuantiseOptions options;
  options.type = type;
  options.built_in = false;
  const auto quantised = Quantise(model, SomePictures(), options);
  REQUIRE_MESSAGE(quantised.ok(), quantised.error().message);
  uint32_t latents = 0;
  for (const std::string& target : SupportedTargets()) {
    CAPTURE(target);
    const TargetScope scope(target);
    const Model integers = LoadModel(quantised->file);
    Report report;
    const auto stream = EncodeModelAlone(integers, SomePictures()[0], {}, &report);
    if (latents == 0) latents = report.latent_crc;
    // g_a may round otherwise where it is not of integers.
    if (type != QuantisedType::kFp16) CHECK(report.latent_crc == latents);
    const uint32_t coded = report.latent_crc;
    MustDecode(integers, stream, {}, &report);
    CHECK(report.latent_crc == coded);
  }
  return LoadModel(quantised->file);
}

}  // namespace

// Its reader takes one tensor, so it is made, and has a form of its own.
TEST_CASE("Quantise: a concatenation before a kernel of 3") {
  ModelBuilder b = MiniModel(3);
  b.document["graphs"]["p"] = ModelBuilder::Graph(
      "exact", {{"psi", 2}},
      {b.Conv("p0", "psi", 2, 3, 1, 1), Concat("p1", "psi", "p0"), b.Conv("p2", "p1", 5, 4, 3, 1)});
  b.document["graphs"]["g_s"] =
      ModelBuilder::Graph("close", {{"y_hat", 2}},
                          {b.Conv("s0", "y_hat", 2, 4, 1, 1), Concat("s1", "y_hat", "s0"),
                           b.Deconv("s2", "s1", 6, 3, 4)});
  b.document["coding"]["steps"][0]["ahead"] = 2;
  const Model model = LoadModel(b.Build());
  for (const QuantisedType type : {QuantisedType::kInt16, QuantisedType::kInt8}) {
    const Model integers = MustQuantise(model, type);
    CHECK(integers.impl().graph("p").quantised.count("p1") == 1);
    CHECK(integers.impl().graph("g_s").quantised.count("s1") == 1);
  }
}

TEST_CASE("Quantise: wavefront steps in every type") {
  const Model model = LoadModel(WavefrontModelFile(3));
  for (const QuantisedType type :
       {QuantisedType::kInt16, QuantisedType::kInt8, QuantisedType::kFp16}) {
    const Model made = MustQuantise(model, type);
    for (const Node& node : made.impl().graph("second").nodes) {
      if (!node.matrix) continue;
      CAPTURE(node.name);
      CHECK(node.precision == (type == QuantisedType::kFp16 ? Precision::kF16 : Precision::kI16));
    }
    // Contexts that are drawn pass every rounding on, so pictures differ; distributions do not.
    const Picture picture = SomePictures()[1];
    const auto before = static_cast<double>(EncodeModelAlone(model, picture).size());
    const auto after = static_cast<double>(EncodeModelAlone(made, picture).size());
    CHECK(after == doctest::Approx(before).epsilon(0.02));
  }
}

// What two layers read has 8 bits for both or for none: a layer that is named as 16 bits decides.
TEST_CASE("Quantise: two layers that read one tensor") {
  ModelBuilder b = MiniModel(3);
  b.document["graphs"]["p"] =
      ModelBuilder::Graph("exact", {{"psi", 2}},
                          {b.Conv("p0", "psi", 2, 3, 1, 1), b.Conv("p1", "p0", 3, 4, 1, 1),
                           b.Conv("p2", "p0", 3, 4, 1, 1), Add("p3", "p1", "p2")});
  b.document["graphs"]["g_s"] = ModelBuilder::Graph(
      "close", {{"y_hat", 2}},
      {b.Conv("s0", "y_hat", 2, 4, 1, 1), b.Conv("s1", "s0", 4, 4, 1, 1),
       b.Conv("s2", "s0", 4, 4, 3, 1), Add("s3", "s1", "s2"), b.Deconv("s4", "s3", 4, 3, 4)});
  b.document["coding"]["steps"][0]["ahead"] = 2;
  const Model model = LoadModel(b.Build());
  QuantiseOptions options;
  options.built_in = false;
  const auto precisions = [&] {
    const auto quantised = Quantise(model, SomePictures(), options);
    REQUIRE_MESSAGE(quantised.ok(), quantised.error().message);
    std::map<std::string, LayerPrecision> of;
    for (const QuantisedLayer& layer : quantised->layers) of[layer.name] = layer.precision;
    return of;
  };
  const LayerPrecision bytes = LayerPrecision::kW8A8, words = LayerPrecision::kW16A16;
  SUBCASE("as bytes, in a mix where nothing is dear") {
    options.max_loss = 1000;
    auto of = precisions();
    for (const char* layer : {"p/p1", "p/p2", "g_s/s1", "g_s/s2"}) CHECK(of[layer] == bytes);
  }
  SUBCASE("where one is named") {
    options.keep = {{"p1", words}, {"s2", words}};
    for (const double max_loss : {0.0, 1000.0}) {
      options.max_loss = max_loss;
      auto of = precisions();
      for (const char* layer : {"p/p1", "g_s/s2"}) CHECK(of[layer] == words);
      for (const char* layer : {"p/p2", "g_s/s1"}) CHECK(of[layer] != bytes);
    }
  }
  SUBCASE("where one is named as bytes") {
    options.keep = {{"p1", bytes}, {"s2", bytes}};
    for (const double max_loss : {0.0, 14.0, 1000.0}) {
      options.max_loss = max_loss;
      CAPTURE(max_loss);
      auto of = precisions();
      for (const char* layer : {"p/p1", "p/p2", "g_s/s1", "g_s/s2"}) CHECK(of[layer] == bytes);
    }
  }
  SUBCASE("where both are named, and do not agree") {
    options.keep = {{"s1", bytes}, {"s2", words}};
    const auto refused = Quantise(model, SomePictures(), options);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("g_s/s1 cannot be int8") != std::string::npos);
  }
}

// A file may have 4096 channels a tensor and 4096 nodes a graph. Digits stop there.
TEST_CASE("Quantise: digits leave layers within what a file may have") {
  QuantiseOptions options;
  options.rounding = WeightRounding::kNearest;
  options.built_in = false;
  options.lrds = {4e-4};
  const auto digits = [&](const ModelBuilder& b, const std::string& node) {
    const auto quantised = Quantise(LoadModel(b.Build()), SomePictures(), options);
    REQUIRE_MESSAGE(quantised.ok(), quantised.error().message);
    const Model made = LoadModel(quantised->file);
    const auto& channels = made.impl().graph("g_s").channels;
    const auto found = channels.find(node + ".digits");
    return found == channels.end() ? 0 : found->second - channels.at(node == "s2" ? "s1" : "s0");
  };
  const auto wide = [](int channels) {
    ModelBuilder b = MiniModel(3);
    b.document["graphs"]["g_s"] =
        ModelBuilder::Graph("close", {{"y_hat", 2}},
                            {b.Conv("s0", "y_hat", 2, channels, 1, 1),
                             b.Conv("s1", "s0", channels, 2, 1, 1), b.Deconv("s2", "s1", 2, 3, 4)});
    return b;
  };
  SUBCASE("an eighth of them fits") { CHECK(digits(wide(3640), "s1") == 456); }
  SUBCASE("an eighth of them does not") { CHECK(digits(wide(3641), "s1") == 452); }
  SUBCASE("four fit") { CHECK(digits(wide(4092), "s1") == 4); }
  SUBCASE("none fits") { CHECK(digits(wide(4096), "s1") == 0); }
  SUBCASE("none fits, all are asked for") {
    options.splitting = 1;
    CHECK(digits(wide(4093), "s1") == 0);
    CHECK(digits(wide(2100), "s1") == 1996);
  }
  SUBCASE("as many nodes as there may be") {
    ModelBuilder b = wide(4);
    Json& nodes = b.document["graphs"]["g_s"]["nodes"];
    nodes[1]["inputs"][0] = "long";
    std::string last = "s0";
    for (int i = 0; i < 4093; ++i) {
      const std::string name = i == 4092 ? "long" : "long" + std::to_string(i);
      nodes.push_back(ModelBuilder::Simple(name, "relu", {last}));
      last = name;
    }
    CHECK(digits(b, "s2") == 0);
  }
}

TEST_CASE("Quantise: what it will hold is refused beyond the limit, before any work") {
  const auto wide = [](int channels) {
    ModelBuilder b = MiniModel(3);
    b.document["graphs"]["g_s"] = ModelBuilder::Graph(
        "close", {{"y_hat", 2}},
        {b.Conv("s0", "y_hat", 2, channels, 1, 1), b.Conv("s1", "s0", channels, 2, 1, 1),
         b.Conv("s2", "s1", 2, channels, 1, 1), b.Conv("s3", "s2", channels, 2, 1, 1),
         b.Deconv("s4", "s3", 2, 3, 4)});
    return LoadModel(b.Build());
  };
  QuantiseOptions options;
  options.built_in = false;
  options.lrds = {4e-4};
  bool worked = false;
  options.progress = [&](const QuantiseProgress&) {
    worked = true;
    return true;
  };
  const auto refused = [&](const Model& model) {
    worked = false;
    const auto quantised = Quantise(model, SomePictures(), options);
    REQUIRE_FALSE(quantised.ok());
    CHECK(quantised.error().code == ErrorCode::kLimit);
    CHECK_FALSE(worked);
    return quantised.error().memory_needed;
  };
  // Two matrices of 4096 x 4096 floats, and a copy of one.
  constexpr uint64_t kMatrix = uint64_t{4} * 4096 * 4096;
  options.max_memory = 3 * kMatrix;
  CHECK(refused(wide(4096)) > options.max_memory);
  options.max_memory = 1;
  const Model model = wide(400);
  options.max_memory = refused(model);
  const auto planned = PlanQuantisation(model, {SomePictures()[0].info}, options);
  REQUIRE(planned.ok());
  CHECK(*planned > uint64_t{3} * 4 * 400 * 400);
  CHECK(*planned < options.max_memory);
  const PeakMemory peak;
  const auto fits = Quantise(model, SomePictures(), options);
  CHECK(peak.Growth() < options.max_memory + (uint64_t{4} << 20) + kSanitizerMemory);
  REQUIRE_MESSAGE(fits.ok(), fits.error().message);
  options.max_memory = uint64_t{1} << 40;
  CHECK(Quantise(model, SomePictures(), options)->file == fits->file);
  options.max_memory = 3 * kMatrix;
  options.rounding = WeightRounding::kNearest;
  options.splitting = 0;
  CHECK(Quantise(wide(4096), SomePictures(), options).ok());
}

}  // namespace glint::testing
