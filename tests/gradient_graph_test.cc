#include "engine/gradient_graph.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/op.h"
#include "tests/gradient_checks.h"
#include "tests/graph_builder.h"
#include "tests/model_builder.h"
#include "tests/ops/op_description.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::CheckByDifferences;
using testing::Growing;
using testing::Json;
using testing::kT;
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

// The way back is the same as of a target that is as far off as what is shown.
TEST_CASE("gradient graph: what is made beyond a range counts as its end") {
  std::mt19937 random(TestSeed() + 2702);
  const auto model = MakeModel(static_cast<uint32_t>(random()), 5);
  const ReferenceTensor y = testing::DrawTensor(&random, 4, 5, kChannels, 2);
  const ReferenceTensor target = testing::DrawTensor(&random, 4 * 8, 5 * 8, 3, 3);
  const ReferenceTensor made = RunExecutor(*model, model->graphs().at("g_s"), {{"y", y}}, kT, {});
  const OutputRange range{-0.4f, 0.7f};
  ReferenceTensor shifted = target;
  int beyond = 0;
  for (size_t i = 0; i < made.data.size(); ++i) {
    const double shown = std::clamp(made.data[i], double{range.low}, double{range.high});
    shifted.data[i] += made.data[i] - shown;
    beyond += shown != made.data[i] ? 1 : 0;
  }
  CHECK(beyond > 100);
  const auto limited = MakeGradientModel(*model, "g_s", range);
  const auto plain = MakeGradientModel(*model, "g_s");
  REQUIRE((limited.ok() && plain.ok()));
  const ReferenceTensor wanted = RunGradient(*plain.value(), y, Unshuffled(shifted, 8));
  const ReferenceTensor given = RunGradient(*limited.value(), y, Unshuffled(target, 8));
  CHECK(SquaredDistance(given, wanted) < 1e-8 * SquaredSize(wanted));
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

// The same graph twice, with matrices of integers and with the numbers that these stand for.
class Twofold {
 public:
  explicit Twofold(std::mt19937* random)
      : integers(static_cast<uint32_t>((*random)())), random_(random) {}

  // Kept as int16, with a factor for each channel.
  void Keep(const std::string& tensor, int channels) {
    integers.AddRandom(tensor + ".factor", {channels}, 0.5f, 2.0f);
    kept_[tensor] = {
        {"type", "i16"}, {"max", 4095}, {"scales", {0.01}}, {"factor", tensor + ".factor"}};
  }
  // `factors`: of the channels that the second dimension counts, or the first of depthwise.
  void Matrix(const std::string& name, const std::vector<int64_t>& shape, int least,
              const std::vector<float>& factors) {
    size_t count = 1;
    for (const int64_t size : shape) count *= static_cast<size_t>(size);
    const auto outputs = static_cast<size_t>(shape[0]), inputs = static_cast<size_t>(shape[1]);
    const size_t taps = count / outputs / inputs;
    integers.AddRandom(name + ".scale", {shape[0]}, 0.005f, 0.02f);
    std::vector<int16_t> whole;
    std::vector<float> values;
    for (size_t i = 0; i < count; ++i) {
      whole.push_back(static_cast<int16_t>(testing::Draw(random_, least, 100)));
      const size_t in = inputs == 1 ? i / taps : i / taps % inputs;
      values.push_back(static_cast<float>(whole.back()) *
                       integers.Float(name + ".scale", i / taps / inputs) / factors[in]);
    }
    integers.AddWords(name, shape, whole);
    floats_[name] = {shape, values};
  }
  std::vector<float> Factors(const std::string& tensor, size_t channels) {
    std::vector<float> factors;
    for (size_t c = 0; c < channels; ++c) {
      factors.push_back(integers.Float(tensor + ".factor", c));
    }
    return factors;
  }
  std::shared_ptr<const ModelFile> Finish(int channels, const std::vector<Json>& nodes,
                                          bool in_floats) {
    ModelBuilder b = integers;
    Json graph = ModelBuilder::Graph("close", {{"y", channels}}, nodes);
    for (Json& node : graph["nodes"]) {
      for (const char* role : {"weight", "gamma"}) {
        const std::string name = node["name"].get<std::string>() + "." + role;
        if (floats_.count(name) == 0) continue;
        if (in_floats) {
          b.AddFloats(name, floats_[name].first, floats_[name].second);
        } else {
          node["precision"] = "i16";
          node["weights"]["scale"] = name + ".scale";
        }
      }
    }
    if (!in_floats) graph["tensors"] = kept_;
    b.document = {{"format", 2}};
    b.document["graphs"]["g_s"] = std::move(graph);
    auto model = ModelFile::FromMemory(b.Build(), "test");
    REQUIRE_MESSAGE(model.ok(), model.status().message());
    return model.value();
  }

  ModelBuilder integers;

 private:
  std::mt19937* random_;
  Json kept_;
  std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>> floats_;
};

TEST_CASE("gradient graph: matrices of integers stand for numbers") {
  std::mt19937 random(TestSeed() + 2704);
  const int channels = testing::Draw(&random, 1, 9);
  const auto count = static_cast<size_t>(channels);
  Twofold both(&random);
  ModelBuilder& b = both.integers;
  const std::vector<Json> nodes = {
      b.Deconv("d", "y", channels, channels, 5),
      b.Depthwise("own", "d", channels, 3, 5, 1),
      b.Gdn("gdn", "own", channels, true, "sqrt"),
      ModelBuilder::Simple("beside", "concat", {"d", "gdn"}),
      b.Conv("mixed", "beside", 2 * channels, 3, 1, 1),
  };
  for (const char* tensor : {"d", "own", "gdn"}) both.Keep(tensor, channels);
  std::vector<float> factors = both.Factors("d", count);
  both.Matrix("own.weight", {channels, 1, 3, 5}, -100, factors);
  const std::vector<float> of_gdn = both.Factors("gdn", count);
  factors.insert(factors.end(), of_gdn.begin(), of_gdn.end());
  both.Matrix("mixed.weight", {3, 2 * channels, 1, 1}, -100, factors);
  factors = both.Factors("own", count);
  for (float& factor : factors) factor *= factor;  // of squares
  both.Matrix("gdn.gamma", {channels, channels}, 0, factors);

  const ReferenceTensor y = testing::DrawTensor(&random, 4, 5, channels, 2);
  const ReferenceTensor target = testing::DrawTensor(&random, 4, 5, 4 * 3, 2);
  std::vector<ReferenceTensor> gradients;
  for (const bool in_floats : {false, true}) {
    const auto made = MakeGradientModel(*both.Finish(channels, nodes, in_floats), "g_s");
    REQUIRE_MESSAGE(made.ok(), made.status().message());
    gradients.push_back(RunGradient(*made.value(), y, target));
  }
  CHECK(SquaredDistance(gradients[0], gradients[1]) < 1e-10 * SquaredSize(gradients[1]));
}

// A model, but for the derivative of one operator.
class Ignorant final : public ModelFile {
 public:
  Ignorant(const ModelFile& model, const std::string& node)
      : model_(model), graphs_(model.graphs()) {
    for (Node& other : graphs_.at("g_s").nodes) {
      if (other.name != node) continue;
      const Op& op = *other.op;
      op_.emplace(Op{op.name, op.inputs, op.weights, op.matrix, op.classes, op.placement, op.fusion,
                     kNoDerivative, op.read, op.check, op.check_forms, op.window, op.sources,
                     op.plan});
      other.op = &*op_;
    }
  }
  const Graphs& graphs() const override { return graphs_; }
  const ModelId& id() const override { return model_.id(); }
  uint64_t file_bytes() const override { return model_.file_bytes(); }
  const std::string& name() const override { return model_.name(); }
  const TensorView* tensor(const std::string& name) const override { return model_.tensor(name); }
  const TensorTable& tensors() const override { return model_.tensors(); }
  const std::string& document_text() const override { return model_.document_text(); }

 private:
  const ModelFile& model_;
  std::optional<Op> op_;
  Graphs graphs_;
};

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
  CHECK(Refusal(Ignorant(*model, "n1")) ==
        "graph 'g_s': node 'n1': no derivative of gelu is known");

  Growing small(&random, 4);
  small.Conv(3, 3, 2);
  small.Deconv(3, 5);
  CHECK(Refusal(*small.Finish()) == "graph 'g_s': a tensor is smaller than its input");

  Growing wide(&random, 1);
  wide.Deconv(1025, 3);
  wide.Append(wide.builder.Depthwise(wide.Name(), wide.x, 1025, 1, 1, 2), 1025);
  const std::string refusal = Refusal(*wide.Finish());
  CAPTURE(refusal);
  CHECK(refusal.find("graph 'g_s': its gradient would not do as a graph: ") == 0);
  CHECK(refusal.find("4100") != std::string::npos);
}

}  // namespace
}  // namespace glint
