#include "engine/gradient_graph.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "tests/model_builder.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Json;
using testing::ModelBuilder;

constexpr int kChannels = 6;

std::vector<float> Draw(std::mt19937* random, size_t count, float size) {
  std::uniform_real_distribution<float> value(-size, size);
  std::vector<float> out(count);
  for (float& v : out) v = value(*random);
  return out;
}

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

struct Tensor {
  long height = 0;
  size_t width = 0, channels = 0;
  std::vector<float> values;
};

std::vector<float> Run(const ModelFile& model, const std::string& graph,
                       const std::vector<const Tensor*>& inputs, long band) {
  auto plan = Plan::Make(model, model.graphs().at(graph));
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  ExecutorOptions options;
  options.in_width = inputs[0]->width;
  options.in_height = inputs[0]->height;
  options.bands.rows = band;
  options.t = 0.25;
  options.runner = SerialRunner();
  auto made = Executor::Make(plan.value(), options);
  REQUIRE_MESSAGE(made.ok(), made.status().message());
  Executor& executor = *made.value();
  const size_t channels = plan.value()->output_channels();
  std::vector<float> out;
  long given = 0;
  while (executor.end() < executor.out_height()) {
    const long begin = executor.end();
    for (; given < executor.InputEnd(); ++given) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        const size_t row = inputs[i]->width * inputs[i]->channels;
        std::copy_n(inputs[i]->values.data() + static_cast<size_t>(given) * row, row,
                    executor.InputRow(i, given));
        executor.StoreInput(i, given);
      }
    }
    executor.Advance();
    for (long r = begin; r < executor.end(); ++r) {
      const float* row = executor.OutputRow(r);
      for (size_t x = 0; x < executor.out_width(); ++x, row += executor.output_pixel_stride()) {
        out.insert(out.end(), row, row + channels);
      }
    }
  }
  return out;
}

// Pixels of `size` x `size` blocks as channels, as pixel_unshuffle has them.
Tensor Unshuffled(const Tensor& in, size_t factor) {
  Tensor out{in.height / static_cast<long>(factor), in.width / factor,
             in.channels * factor * factor, std::vector<float>(in.values.size())};
  size_t at = 0;
  for (size_t y = 0; y < static_cast<size_t>(out.height); ++y) {
    for (size_t x = 0; x < out.width; ++x) {
      for (size_t c = 0; c < in.channels; ++c) {
        for (size_t i = 0; i < factor * factor; ++i) {
          const size_t row = y * factor + i / factor, column = x * factor + i % factor;
          out.values[at++] = in.values[(row * in.width + column) * in.channels + c];
        }
      }
    }
  }
  return out;
}

double HalfError(const std::vector<float>& made, const std::vector<float>& wanted) {
  double error = 0;
  for (size_t i = 0; i < made.size(); ++i) {
    const double difference = double{made[i]} - double{wanted[i]};
    error += difference * difference / 2;
  }
  return error;
}

TEST_CASE("gradient graph: what it says is what differences say") {
  std::mt19937 random(TestSeed() + 2700);
  for (const int kernel : {3, 4, 5}) {
    CAPTURE(kernel);
    const auto model = MakeModel(static_cast<uint32_t>(random()), kernel);
    auto made = MakeGradientModel(*model, "g_s");
    REQUIRE_MESSAGE(made.ok(), made.status().message());
    const ModelFile& gradient_model = *made.value();

    Tensor y{4, 5, kChannels, Draw(&random, 4 * 5 * kChannels, 2)};
    Tensor wanted{4 * 8, 5 * 8, 3, Draw(&random, size_t{4} * 8 * 5 * 8 * 3, 3)};
    const Tensor target = Unshuffled(wanted, 8);
    const std::vector<float> gradient = Run(gradient_model, kGradientGraph, {&y, &target}, 1);
    REQUIRE(gradient.size() == y.values.size());
    CHECK(Run(gradient_model, kGradientGraph, {&y, &target}, 3) == gradient);

    // One latent at a time, so that a wrong tap or a wrong channel shows.
    double difference = 0, whole = 0;
    for (size_t i = 0; i < y.values.size(); ++i) {
      constexpr float kStep = 1.0f / 256;
      Tensor above = y, below = y;
      above.values[i] += kStep;
      below.values[i] -= kStep;
      const double by_difference = (HalfError(Run(*model, "g_s", {&above}, 4), wanted.values) -
                                    HalfError(Run(*model, "g_s", {&below}, 4), wanted.values)) /
                                   double{2 * kStep};
      difference += std::pow(by_difference - double{gradient[i]}, 2);
      whole += std::pow(by_difference, 2);
    }
    CHECK(std::sqrt(difference) < 0.01 * std::sqrt(whole));
  }
}

// Whatever the weights are kept as, the gradient is that of the model before it was quantised, but
// for the rounding of weights.
TEST_CASE("gradient graph: of the shipped models' integers and half floats") {
  std::mt19937 random(TestSeed() + 2701);
  Tensor y{3, 3, 192, Draw(&random, size_t{3} * 3 * 192, 3)};
  const Tensor target =
      Unshuffled(Unshuffled({48, 48, 3, Draw(&random, size_t{48} * 48 * 3, 0.5f)}, 2), 8);
  std::vector<float> exact;
  for (const char* form : {"fp32", "fp16", "int16", "int8"}) {
    CAPTURE(form);
    const std::string path =
        std::string(GLINT_SOURCE_DIR) + "/weights/light-" + form + ".safetensors";
    const auto model = ModelFile::Load(path);
    REQUIRE_MESSAGE(model.ok(), model.status().message());
    const auto made = MakeGradientModel(*model.value(), "g_s");
    REQUIRE_MESSAGE(made.ok(), made.status().message());
    const std::vector<float> gradient = Run(*made.value(), kGradientGraph, {&y, &target}, 1);
    if (exact.empty()) exact = gradient;
    double difference = 0, whole = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      difference += std::pow(double{gradient[i]} - double{exact[i]}, 2);
      whole += std::pow(double{exact[i]}, 2);
    }
    CHECK(std::sqrt(difference) < 0.1 * std::sqrt(whole));
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
