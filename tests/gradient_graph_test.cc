#include "engine/gradient_graph.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/graph_builder.h"
#include "tests/model_builder.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Json;
using testing::ModelBuilder;

constexpr int kChannels = 6;

// A synthesis of 6 channels to 3 and eight times the rows, with every operator whose derivative is
// known. `kernel`: of its transposed convolutions.
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

ReferenceTensor Draw(std::mt19937* random, int height, int width, int channels, double size) {
  std::uniform_real_distribution<double> value(-size, size);
  ReferenceTensor out(height, width, channels);
  // As float32 has them: the executor gets these.
  for (double& v : out.data) v = double{static_cast<float>(value(*random))};
  return out;
}

// The model for the loops in double, whose differences are of so small steps that next to no
// leaky_relu bends within one.
TestModel MakeTwin(const ModelFile& model) {
  TestModel twin(0);
  for (const auto& [name, view] : model.tensors()) {
    std::vector<float> values(view.elements);
    CopyAsFloat(view, 0, values.size(), values.data());
    twin.AddIntegers(name, DType::kF32, view.shape, values);
  }
  const auto document = ParseJson(model.document_text(), model.name());
  REQUIRE(document.ok());
  for (const Json& node : document.value().at("graphs").at("g_s").at("nodes")) {
    twin.attributes(node.at("name").get<std::string>()) = node;
  }
  return twin;
}

constexpr double kT = 0.25;

// `target`: as the gradient's graph reads it.
ReferenceTensor Gradient(const ModelFile& gradient_model, const ReferenceTensor& y,
                         const ReferenceTensor& target, long band = 1) {
  const Graph& graph = gradient_model.graphs().at(kGradientGraph);
  RunOptions run;
  run.band = band;
  return RunExecutor(gradient_model, graph,
                     {{graph.inputs[0].name, y}, {graph.inputs[1].name, target}}, kT, run);
}

// Pixels of `factor` x `factor` blocks as channels, as pixel_unshuffle has them.
ReferenceTensor Unshuffled(const ReferenceTensor& in, int factor) {
  const int taps = factor * factor;
  ReferenceTensor out(in.height / factor, in.width / factor, in.channels * taps);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int c = 0; c < out.channels; ++c) {
        out.at(y, x, c) =
            in.at(y * factor + c / factor % factor, x * factor + c % factor, c / taps);
      }
    }
  }
  return out;
}

double SquaredDistance(const ReferenceTensor& a, const ReferenceTensor& b) {
  REQUIRE(a.data.size() == b.data.size());
  double sum = 0;
  for (size_t i = 0; i < a.data.size(); ++i) sum += std::pow(a.data[i] - b.data[i], 2);
  return sum;
}

TEST_CASE("gradient graph: what it says is what differences say") {
  std::mt19937 random(TestSeed() + 2700);
  for (const int kernel : {3, 4, 5}) {
    CAPTURE(kernel);
    const auto model = MakeModel(static_cast<uint32_t>(random()), kernel);
    auto made = MakeGradientModel(*model, "g_s");
    REQUIRE_MESSAGE(made.ok(), made.status().message());
    const ModelFile& gradient_model = *made.value();

    const ReferenceTensor y = Draw(&random, 4, 5, kChannels, 2);
    const ReferenceTensor wanted = Draw(&random, 4 * 8, 5 * 8, 3, 3);
    const ReferenceTensor target = Unshuffled(wanted, 8);
    const ReferenceTensor gradient = Gradient(gradient_model, y, target);
    CHECK(Gradient(gradient_model, y, target, 3).data == gradient.data);

    // One latent at a time, so that a wrong tap or a wrong channel shows.
    const TestModel twin = MakeTwin(*model);
    const auto error = [&](const ReferenceTensor& latents) {
      const Graph& graph = model->graphs().at("g_s");
      return SquaredDistance(RunReference(twin, graph, {{"y", latents}}, kT), wanted) / 2;
    };
    ReferenceTensor by_difference = y;
    for (size_t i = 0; i < y.data.size(); ++i) {
      constexpr double kStep = 1e-6;
      ReferenceTensor above = y, below = y;
      above.data[i] += kStep;
      below.data[i] -= kStep;
      by_difference.data[i] = (error(above) - error(below)) / (2 * kStep);
    }
    const ReferenceTensor zeros(4, 5, kChannels);
    const double whole = SquaredDistance(by_difference, zeros);
    CHECK(SquaredDistance(gradient, by_difference) < 1e-6 * whole);
  }
}

// Whatever the weights are kept as, the gradient is that of the model before it was quantised, but
// for the rounding of weights. The latents are the same in every run, as the files are: of 120
// draws the squared difference was mostly 0.003 of the gradient's with int8, and 0.009 once.
TEST_CASE("gradient graph: of the shipped models' integers and half floats") {
  std::mt19937 random(2701);
  const ReferenceTensor y = Draw(&random, 3, 3, 192, 3);
  const ReferenceTensor target = Unshuffled(Unshuffled(Draw(&random, 48, 48, 3, 0.5), 2), 8);
  const ReferenceTensor zeros(3, 3, 192);
  std::optional<ReferenceTensor> exact;
  for (const char* form : {"fp32", "fp16", "int16", "int8"}) {
    CAPTURE(form);
    const std::string path =
        std::string(GLINT_SOURCE_DIR) + "/weights/light-" + form + ".safetensors";
    const auto model = ModelFile::Load(path);
    REQUIRE_MESSAGE(model.ok(), model.status().message());
    const auto made = MakeGradientModel(*model.value(), "g_s");
    REQUIRE_MESSAGE(made.ok(), made.status().message());
    const ReferenceTensor gradient = Gradient(*made.value(), y, target);
    if (!exact) exact = gradient;
    CHECK(SquaredDistance(gradient, *exact) < 0.01 * SquaredDistance(*exact, zeros));
  }
}

TEST_CASE("gradient graph: operators without a known derivative are named") {
  ModelBuilder b(7);
  b.document = {{"format", 2}};
  b.document["graphs"]["g_s"] = ModelBuilder::Graph(
      "close", {{"y", 4}}, {b.Deconv("d1", "y", 4, 4, 5), b.Gdn("divided", "d1", 4, false, "abs")});
  auto model = ModelFile::FromMemory(b.Build(), "test");
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  const auto made = MakeGradientModel(*model.value(), "g_s");
  REQUIRE(!made.ok());
  CHECK(made.status().code() == StatusCode::kUnsupported);
  CHECK(made.status().message().find("divided") != std::string::npos);
}

}  // namespace
}  // namespace glint
