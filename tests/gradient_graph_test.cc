#include "engine/gradient_graph.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/gradient_checks.h"
#include "tests/model_builder.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::CheckByDifferences;
using testing::Growing;
using testing::Json;
using testing::ModelBuilder;
using testing::RunGradient;
using testing::SquaredDistance;
using testing::SquaredSize;
using testing::Unshuffled;

constexpr int kChannels = 6;

// A synthesis of 6 channels to 3 and eight times the rows, of what `light` has and more. `kernel`:
// of its transposed convolutions.
std::shared_ptr<const ModelFile> MakeModel(uint32_t seed, int kernel) {
  ModelBuilder b(seed);
  const auto affine = [&b](const std::string& name, const std::string& in, int channels) {
    b.AddRandom(name + ".factor", {channels}, 0.5f, 1.5f);
    b.AddRandom(name + ".shift", {channels}, -0.5f, 0.5f);
    Json node = ModelBuilder::Simple(name, "affine", {in});
    node["weights"] = {{"factor", name + ".factor"}, {"shift", name + ".shift"}};
    return node;
  };
  Json shuffle = ModelBuilder::Simple("shuffle", "pixel_shuffle", {"c4"});
  shuffle["factor"] = 2;
  const std::vector<Json> nodes = {
      b.Gain("gain", "y", kChannels, 0.2f, 0.3f),
      b.Conv("c1", "gain", kChannels, kChannels, 1, 1),
      ModelBuilder::LeakyRelu("leaky", "c1"),
      b.Conv("c2", "leaky", kChannels, kChannels, 3, 1),
      ModelBuilder::Simple("sum", "add", {"gain", "c2"}),
      b.Deconv("d1", "sum", kChannels, 8, kernel),
      b.Gdn("gdn", "d1", 8, true, "abs"),
      b.Conv("c3", "gdn", 8, 8, 5, 1),
      ModelBuilder::Simple("gate", "sigmoid", {"c3"}),
      ModelBuilder::Simple("gated", "multiply", {"gdn", "gate"}),
      affine("affine", "gated", 8),
      b.Conv("c4", "affine", 8, 16, 3, 1),
      shuffle,
      ModelBuilder::Simple("relu", "relu", {"shuffle"}),
      ModelBuilder::Simple("both", "add", {"relu", "shuffle"}),
      b.Deconv("d2", "both", 4, 3, kernel),
  };
  b.document = {{"format", 2}};
  b.document["graphs"]["g_s"] = ModelBuilder::Graph("close", {{"y", kChannels}}, nodes);
  auto model = ModelFile::FromMemory(b.Build(), "test");
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  return model.value();
}

TEST_CASE("gradient graph: what it says is what differences say") {
  std::mt19937 random(TestSeed() + 2700);
  for (const int kernel : {3, 4, 5}) {
    CAPTURE(kernel);
    CheckByDifferences(*MakeModel(static_cast<uint32_t>(random()), kernel), &random, 4, 5);
  }
}

// Whatever the weights are kept as, the gradient is that of the model before it was quantised, but
// for the rounding of weights. The latents are the same in every run, as the files are: of 120
// draws the squared difference was mostly 0.003 of the gradient's with int8, and 0.009 once.
TEST_CASE("gradient graph: of the shipped models' integers and half floats") {
  std::mt19937 random(2701);
  const ReferenceTensor y = testing::DrawTensor(&random, 3, 3, 192, 3);
  const ReferenceTensor target =
      Unshuffled(Unshuffled(testing::DrawTensor(&random, 48, 48, 3, 0.5), 2), 8);
  std::optional<ReferenceTensor> exact;
  for (const char* form : {"fp32", "fp16", "int16", "int8"}) {
    CAPTURE(form);
    const std::string path =
        std::string(GLINT_SOURCE_DIR) + "/weights/light-" + form + ".safetensors";
    const auto model = ModelFile::Load(path);
    REQUIRE_MESSAGE(model.ok(), model.status().message());
    const auto made = MakeGradientModel(*model.value(), "g_s");
    REQUIRE_MESSAGE(made.ok(), made.status().message());
    const ReferenceTensor gradient = RunGradient(*made.value(), y, target);
    if (!exact) exact = gradient;
    CHECK(SquaredDistance(gradient, *exact) < 0.01 * SquaredSize(*exact));
  }
}

std::string Refusal(const ModelFile& model) {
  const auto made = MakeGradientModel(model, "g_s");
  REQUIRE(!made.ok());
  CHECK(made.status().code() == StatusCode::kUnsupported);
  return made.status().message();
}

TEST_CASE("gradient graph: what has none") {
  std::mt19937 random(TestSeed() + 2705);
  Growing g(&random, 4);
  g.Deconv(5, 4);
  g.Append("gelu");
  const auto model = g.Finish();
  CHECK(Refusal(*model) == "graph 'g_s': node 'n1': no derivative of gelu is known");

  Growing small(&random, 4);
  small.Conv(3, 3, 2);
  small.Deconv(3, 5);
  CHECK(Refusal(*small.Finish()) == "graph 'g_s': a tensor is smaller than its input");
}

}  // namespace
}  // namespace glint
