#include "tests/gradient_checks.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

#include "engine/gradient_graph.h"
#include "tests/graph_builder.h"
#include "tests/test_model.h"

namespace glint::testing {
namespace {

// The model for the loops in double, whose differences are of so small steps that next to no
// leaky_relu bends within one.
TestModel MakeTwin(const ModelFile& model) {
  TestModel twin(0);
  for (const auto& [name, view] : model.tensors()) {
    std::vector<float> values(view.elements);
    CopyAsFloat(view, 0, values.size(), values.data());
    twin.AddIntegers(name, DType::kF32, view.shape, values);
  }
  const Json document = Json::parse(model.document_text());
  for (const Json& node : document.at("graphs").at("g_s").at("nodes")) {
    twin.attributes(node.at("name").get<std::string>()) = node;
  }
  return twin;
}

}  // namespace

ReferenceTensor DrawTensor(std::mt19937* random, int height, int width, int channels, double size) {
  std::uniform_real_distribution<double> value(-size, size);
  ReferenceTensor out(height, width, channels);
  for (double& v : out.data) v = double{static_cast<float>(value(*random))};
  return out;
}

ReferenceTensor RunGradient(const ModelFile& gradient_model, const ReferenceTensor& y,
                            const ReferenceTensor& target, int64_t band) {
  const Graph& graph = gradient_model.graphs().at(kGradientGraph);
  RunOptions run;
  run.band = band;
  return RunExecutor(gradient_model, graph,
                     {{graph.inputs[0].name, y}, {graph.inputs[1].name, target}}, kT, run);
}

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

double SquaredSize(const ReferenceTensor& a) {
  return SquaredDistance(a, ReferenceTensor(a.height, a.width, a.channels));
}

void CheckByDifferences(const ModelFile& model, std::mt19937* random, int height, int width) {
  const Graph& graph = model.graphs().at("g_s");
  const auto made = MakeGradientModel(model, "g_s");
  REQUIRE_MESSAGE(made.ok(), made.status().message());
  const TestModel twin = MakeTwin(model);
  const auto run = [&](const ReferenceTensor& y) {
    return RunReference(twin, graph, {{graph.inputs[0].name, y}}, kT);
  };
  const ReferenceTensor y = DrawTensor(random, height, width, graph.inputs[0].channels, 2);
  const ReferenceTensor shape = run(y);
  const ReferenceTensor wanted = DrawTensor(random, shape.height, shape.width, shape.channels, 3);
  ReferenceTensor target = wanted;
  for (const int factor : TargetFactors(shape.height / height)) target = Unshuffled(target, factor);
  const ReferenceTensor gradient = RunGradient(*made.value(), y, target);
  CHECK(RunGradient(*made.value(), y, target, 3).data == gradient.data);

  // One latent at a time, so that a wrong tap or a wrong channel shows.
  ReferenceTensor by_difference = y;
  for (size_t i = 0; i < y.data.size(); ++i) {
    constexpr double kStep = 1e-6;
    ReferenceTensor above = y, below = y;
    above.data[i] += kStep;
    below.data[i] -= kStep;
    by_difference.data[i] =
        (SquaredDistance(run(above), wanted) - SquaredDistance(run(below), wanted)) / (4 * kStep);
  }
  const double whole = SquaredSize(by_difference);
  CHECK(whole > 0);
  CHECK(SquaredDistance(gradient, by_difference) < 1e-6 * whole);
}

}  // namespace glint::testing
