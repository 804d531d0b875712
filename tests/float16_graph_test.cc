// Graphs in float16 through planner and executor against the oracle: close graphs near the rounded
// graph in double, exact ones its bits, the same for every band height and thread count; and half
// the memory.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>

#include "engine/plan.h"
#include "kernels/targets.h"
#include "tests/graph_builder.h"
#include "tests/graph_forms.h"
#include "tests/seed.h"

namespace glint {
namespace {

Graph Synthesis(TestModel* model) {
  GraphBuilder b(model, NumericClass::kClose);
  std::string x = b.Bottleneck(b.Gain(b.Input("y", 24)));
  x = b.Gain(b.Gdn(b.Deconv(x, 20, 5), true, GdnForm::kAbs));
  x = b.Gdn(b.Deconv(b.Bottleneck(x), 18, 3), true, GdnForm::kSqrt);
  x = b.LeakyRelu(b.Concat({x, x}), 0.5f);
  x = b.Deconv(x, 3, 4);  // rows in pairs, and not the last
  return b.Finish(b.Conv(x, 5, 3, 1));
}

Graph Exact(TestModel* model) {
  GraphBuilder b(model, NumericClass::kExact);
  const std::string v = b.LeakyRelu(b.Deconv(b.Input("z", 8), 12, 4), 0.125f);
  const std::string w = b.LeakyRelu(b.Deconv(v, 20, 4), 0.125f);
  const std::string k = b.Conv(w, 12, 3, 1);
  const std::string c = b.Conv(w, 14, 5, 1, ConvMask::kCheckerboard);
  return b.Finish(
      b.Conv(b.Add(b.Conv(b.Concat({w, k, c}), 24, 1, 1), b.Conv(w, 24, 1, 1)), 9, 3, 1));
}

void CheckClose(TestModel* model, const Graph& graph, int height, int width) {
  std::mt19937 random(TestSeed() + 7);
  const auto inputs = RandomInputs(graph, height, width, &random);
  for (const unsigned every : {1000u, 3u, 2u}) {
    const Graph narrow = InFloat16(model, graph, every, TestSeed());
    const ReferenceTensor want = RunReference(*model, narrow, inputs, 0.3);
    double norm = 0, worst = 0;
    for (const double v : want.data) norm = std::max(norm, std::abs(v));
    std::vector<double> first;
    for (const int64_t band : {1, 3, 64}) {
      for (const size_t threads : {size_t{1}, size_t{3}}) {
        RunOptions run;
        run.band = band;
        run.threads = threads;
        const ReferenceTensor got = RunExecutor(*model, narrow, inputs, 0.3, run);
        if (first.empty()) first = got.data;
        CHECK_MESSAGE(got.data == first, kernels::CurrentTarget(), " band ", band);
      }
    }
    for (size_t i = 0; i < first.size(); ++i) {
      worst = std::max(worst, std::abs(first[i] - want.data[i]));
    }
    // Where sums of float and double lie on either side of a boundary, a float16 differs by its
    // unit.
    CHECK_MESSAGE(worst < 3e-3 * norm, kernels::CurrentTarget(), " ", worst / norm);
  }
}

}  // namespace

TEST_CASE("float16 graphs: close to the rounded graph in double") {
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    TestModel model(31);
    CheckClose(&model, AnalysisGraph(&model), 20, 28);
    TestModel back(32);
    CheckClose(&back, Synthesis(&back), 5, 6);
  }
  kernels::SetTarget("");
}

TEST_CASE("float16 graphs: exact ones give the float chain's bits on every target") {
  for (const unsigned every : {1000u, 3u, 2u}) {
    TestModel model(33);
    const Graph graph = InFloat16(&model, Exact(&model), every, TestSeed());
    std::mt19937 random(TestSeed() + 7);
    const auto inputs = RandomInputs(graph, 4, 3, &random);
    const ReferenceTensor want = RunReference(model, graph, inputs, 0, ReferenceMode::kFloatChain);
    for (const std::string& target : kernels::SupportedTargets()) {
      REQUIRE(kernels::SetTarget(target));
      for (const int64_t band : {1, 3, 100}) {
        RunOptions run;
        run.band = band;
        run.threads = 2;
        const ReferenceTensor got = RunExecutor(model, graph, inputs, 0, run);
        CHECK_MESSAGE(got.data == want.data, target, " band ", band, " every ", every);
      }
    }
    kernels::SetTarget("");
  }
}

TEST_CASE("float16 graphs: half the memory") {
  TestModel model(34);
  const Graph graph = AnalysisGraph(&model);
  Graph narrow = graph;
  const auto plan = Plan::Make(model, graph);
  REQUIRE(plan.ok());
  // What is fused away is not listed.
  for (const PlanTensor& tensor : static_cast<const PlanImpl&>(*plan.value()).tensors) {
    if (tensor.name == graph.output) continue;
    narrow.quantised[tensor.name].element = kernels::Element::kF16;
  }
  const auto float16_plan = Plan::Make(model, narrow);
  REQUIRE(float16_plan.ok());
  ExecutorOptions options;
  options.in_width = 512;
  options.in_height = 256;
  options.bands.rows = 2;
  const auto whole = Executor::MemoryNeeded(*plan.value(), options);
  const auto less = Executor::MemoryNeeded(*float16_plan.value(), options);
  REQUIRE(whole.ok());
  REQUIRE(less.ok());
  CHECK(less.value() < whole.value() * 3 / 5);
}

}  // namespace glint
