// The planner and the band executor against the oracle: every band height and thread count gives
// the same bits, close graphs lie within a bound of double, exact graphs equal the float chain on
// every target.

#include "engine/executor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>

#include "kernels/targets.h"
#include "tests/graph_builder.h"
#include "tests/graph_forms.h"
#include "tests/reference_graph.h"

namespace glint {
namespace {

Graph Synthesis(TestModel* model) {
  GraphBuilder b(model, NumericClass::kClose);
  std::string x = b.Bottleneck(b.Gain(b.Input("y", 24)));
  x = b.Gain(b.Gdn(b.Deconv(x, 20, 5), true, GdnForm::kAbs));
  x = b.Gdn(b.Deconv(b.Bottleneck(x), 18, 3), true, GdnForm::kSqrt);
  x = b.LeakyRelu(b.Concat({x, x}), 0.5f);  // a concatenation that has to be made
  return b.Finish(b.Deconv(x, 3, 4));
}

Graph HyperSynthesis(TestModel* model) {
  GraphBuilder b(model, NumericClass::kExact);
  const std::string v = b.LeakyRelu(b.Deconv(b.Input("z", 8), 12, 4), 0.125f);
  const std::string w = b.LeakyRelu(b.Deconv(v, 20, 4), 0.125f);
  return b.Finish(b.LeakyRelu(b.Conv(w, 20, 3, 1), 0.125f));
}

Graph ParameterNet(TestModel* model) {
  GraphBuilder b(model, NumericClass::kExact);
  const std::string psi = b.Input("psi", 20), y0 = b.Input("y0", 6), y1 = b.Input("y1", 10);
  const std::string k = b.Conv(y0, 12, 3, 1);
  const std::string c = b.Conv(y1, 14, 5, 1, ConvMask::kCheckerboard);
  const std::string h = b.LeakyRelu(b.Conv(b.Concat({psi, k, c}), 24, 1, 1), 0.125f);
  return b.Finish(b.Conv(h, 20, 1, 1));
}

void CheckClose(const Graph& graph, const TestModel& model, int height, int width, unsigned seed) {
  std::mt19937 random(seed);
  std::map<std::string, ReferenceTensor> inputs;
  inputs[graph.inputs[0].name] = RandomTensor(&random, height, width, graph.inputs[0].channels);
  const ReferenceTensor want = RunReference(model, graph, inputs, 0.3);
  RunOptions run;
  const ReferenceTensor got = RunExecutor(model, graph, inputs, 0.3, run);
  REQUIRE(got.data.size() == want.data.size());
  CHECK(WorstRelative(got, want) < 2e-5);
  for (const int64_t band : {2, 3, 7, 1000}) {
    for (const size_t threads : {size_t{1}, size_t{2}, size_t{3}}) {
      run.band = band;
      run.threads = threads;
      const bool same = RunExecutor(model, graph, inputs, 0.3, run).data == got.data;
      CHECK_MESSAGE(same, "band ", band, " threads ", threads, " size ", width, "x", height);
    }
  }
}

}  // namespace

TEST_CASE("executor: transforms lie close to double, whatever the band and the threads") {
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    TestModel model(7);
    const Graph analysis = AnalysisGraph(&model);
    CheckClose(analysis, model, 32, 40, 1);
    CheckClose(analysis, model, 8, 8, 2);
    CheckClose(analysis, model, 21, 13, 3);
    CheckClose(analysis, model, 1, 1, 4);
    TestModel back(8);
    const Graph synthesis = Synthesis(&back);
    CheckClose(synthesis, back, 5, 6, 5);
    CheckClose(synthesis, back, 1, 1, 6);
    CheckClose(synthesis, back, 9, 1, 7);
  }
  kernels::SetTarget("");
}

TEST_CASE("executor: exact graphs give the float chain's bits on every target") {
  TestModel model(9);
  const Graph hyper = HyperSynthesis(&model);
  std::mt19937 random(10);
  const std::map<std::string, ReferenceTensor> inputs = {{"z", RandomTensor(&random, 4, 3, 8)}};
  const ReferenceTensor want = RunReference(model, hyper, inputs, 0, ReferenceMode::kFloatChain);
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    for (const int64_t band : {1, 3, 100}) {
      RunOptions run;
      run.band = band;
      run.threads = 2;
      run.out_height = 15;  // cropped
      run.out_width = 11;
      const ReferenceTensor got = RunExecutor(model, hyper, inputs, 0, run);
      size_t differ = 0;
      for (int y = 0; y < 15; ++y) {
        for (int x = 0; x < 11; ++x) {
          for (int c = 0; c < 20; ++c) differ += got.at(y, x, c) != want.at(y, x, c);
        }
      }
      CHECK_MESSAGE(differ == 0, target, " band ", band);
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("executor: only the wanted positions of the lattice are computed, to the same bits") {
  TestModel model(11);
  const Graph net = ParameterNet(&model);
  std::mt19937 random(12);
  for (const int width : {1, 2, 9, 16}) {
    std::map<std::string, ReferenceTensor> inputs;
    for (const GraphInput& input : net.inputs)
      inputs[input.name] = RandomTensor(&random, 7, width, input.channels);
    const ReferenceTensor want = RunReference(model, net, inputs, 0, ReferenceMode::kFloatChain);
    for (const std::string& target : kernels::SupportedTargets()) {
      REQUIRE(kernels::SetTarget(target));
      for (PositionSet set = 1; set <= kAllPositions; ++set) {
        RunOptions run;
        run.band = 2;
        run.wanted = set;
        const ReferenceTensor got = RunExecutor(model, net, inputs, 0, run);
        size_t differ = 0;
        for (int y = 0; y < 7; ++y) {
          for (int x = 0; x < width; ++x) {
            const bool wanted = (set & PositionAt(y, x)) != 0;
            for (int c = 0; c < 20; ++c)
              differ += got.at(y, x, c) != (wanted ? want.at(y, x, c) : 0.0);
          }
        }
        CHECK_MESSAGE(differ == 0, target, " width ", width);
      }
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("executor: memory grows with the width, not with the height") {
  TestModel model(13);
  const Graph graph = AnalysisGraph(&model);
  auto plan = Plan::Make(model, graph);
  REQUIRE(plan.ok());
  ExecutorOptions options;
  options.in_width = 64;
  options.in_height = 256;
  options.bands.rows = 2;
  const auto low = Executor::MemoryNeeded(*plan.value(), options);
  options.in_height = 4096;
  const auto high = Executor::MemoryNeeded(*plan.value(), options);
  options.in_width = 128;
  const auto wide = Executor::MemoryNeeded(*plan.value(), options);
  REQUIRE(low.ok());
  REQUIRE(high.ok());
  REQUIRE(wide.ok());
  CHECK(low.value() == high.value());
  CHECK(wide.value() > high.value());
  CHECK(wide.value() < 2 * high.value() + 4096);
}

}  // namespace glint
