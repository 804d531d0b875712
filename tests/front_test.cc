// Wavefront steps: fronts pass every position once, behind what it reads; and a graph of fronts
// computes the bits of the graph that it was made of.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "codec/latents/front_runner.h"
#include "engine/front_graph.h"
#include "glint/glint.hpp"
#include "kernels/targets.h"
#include "tests/draws.h"
#include "tests/graph_builder.h"
#include "tests/graph_forms.h"
#include "tests/model_builder.h"
#include "tests/model_checks.h"
#include "tests/seed.h"

namespace glint {
namespace {

CodingStep StepOf(int channels) {
  CodingStep step;
  step.order = Order::kWavefront;
  step.parts = {{0, channels, kAllPositions}};
  return step;
}

// Two kinds of context, one of earlier channels that are also read at the position, and psi.
Graph ContextGraph(TestModel* model) {
  GraphBuilder b(model, NumericClass::kExact);
  const std::string psi = b.Input("psi", 10), own = b.Input("own", 5), above = b.Input("above", 3);
  const std::string here = b.Input("here", 3);
  const std::string c5 = b.Conv(own, 9, 5, 1, ConvMask::kCausal);
  const std::string c3 = b.Conv(above, 6, 3, 1, ConvMask::kCausal);
  const std::string h = b.LeakyRelu(b.Add(b.Conv(b.Concat({c5, c3, here}), 10, 1, 1), psi), 0.125f);
  return b.Finish(b.Conv(h, 12, 1, 1));
}

// The rings of a graph's inputs, with random values in all rows.
std::vector<RowRing> RandomRings(const Graph& graph, const Plan& plan, size_t width, int64_t height,
                                 std::mt19937* random) {
  std::vector<RowRing> rings(graph.inputs.size());
  for (size_t i = 0; i < rings.size(); ++i) {
    RowRing::Layout layout;
    const bool is_float = plan.input_quantisation(i) == nullptr;
    layout.element = is_float ? kernels::Element::kF32 : kernels::Element::kI16;
    layout.channels = plan.input_channels(i);
    layout.width = width;
    layout.height = height;
    layout.halo_left = layout.halo_right = 2;
    layout.capacity = static_cast<size_t>(height);
    REQUIRE(rings[i].Allocate(layout).ok());
    for (int64_t r = 0; r < height; ++r) {
      for (size_t k = 0; k < width * layout.channels; ++k) {
        const int value = static_cast<int>((*random)() % 801) - 400;
        if (is_float) rings[i].WriteFloats(r)[k] = static_cast<float>(value) / 64.0f;
        if (!is_float) rings[i].WriteInts(r)[k] = static_cast<int16_t>(value);
      }
    }
  }
  return rings;
}

std::vector<Executor::BoundInput> Bind(const std::vector<RowRing>& rings) {
  std::vector<Executor::BoundInput> bound;
  for (const RowRing& ring : rings) bound.push_back({&ring, 0});
  return bound;
}

// Every output of the graph that is a number at a position is the same of rows and of fronts.
void CheckFronts(const TestModel& model, const Graph& graph, size_t width, int64_t height,
                 size_t threads, std::mt19937* random) {
  const auto front = MakeFrontGraph(graph);
  REQUIRE_MESSAGE(front.ok(), front.status().message());
  CHECK(front->lag == 3);
  const auto by_rows = Plan::Make(model, graph), by_fronts = Plan::Make(model, front->graph);
  REQUIRE_MESSAGE(by_rows.ok(), by_rows.status().message());
  REQUIRE_MESSAGE(by_fronts.ok(), by_fronts.status().message());
  const std::vector<RowRing> rings = RandomRings(graph, **by_rows, width, height, random);

  ThreadPool pool(threads);
  ExecutorOptions options;
  options.in_width = width;
  options.in_height = height;
  options.bands.rows = height;
  options.runner = pool.runner();
  const auto executor = Executor::Make(*by_rows, options, Bind(rings));
  REQUIRE_MESSAGE(executor.ok(), executor.status().message());
  (*executor)->Advance();

  const StepSymbols symbols(StepOf(5), width);
  FrontRunner::Options run;
  run.longest = symbols.LongestFront(height, front->lag);
  run.fronts = symbols.Fronts(0, height, front->lag);
  run.runner = pool.runner();
  FrontRunner runner(front.value(), *by_fronts, Bind(rings), run);
  CHECK(runner.MemoryNeeded().ok());
  REQUIRE(runner.Allocate().ok());
  size_t positions = 0, differ = 0;
  for (int64_t f = 0; f < run.fronts; ++f) {
    const SymbolLine line = symbols.Front(0, height, front->lag, f);
    if (line.positions == 0) continue;
    runner.Run(line);
    for (size_t p = 0; p < line.positions; ++p, ++positions) {
      const float* want = (*executor)->OutputRow(line.RowOf(p)) +
                          line.ColumnOf(p) * (*executor)->output_pixel_stride();
      differ += std::memcmp(runner.Output(p), want, 12 * sizeof(float)) != 0;
    }
  }
  CHECK(positions == width * static_cast<size_t>(height));
  CHECK_MESSAGE(differ == 0, width, "x", height, " ", threads, " threads");
}

void CheckOnTargets(const TestModel& model, const Graph& graph) {
  std::mt19937 random(TestSeed() + 41);
  for (const std::string& target : kernels::SupportedTargets()) {
    CAPTURE(target);
    REQUIRE(kernels::SetTarget(target));
    CheckFronts(model, graph, 1, 1, 1, &random);
    CheckFronts(model, graph, 2, 7, 1, &random);
    CheckFronts(model, graph, 3, 5, 3, &random);
    CheckFronts(model, graph, 1 + random() % 70, 1 + static_cast<int64_t>(random() % 24),
                1 + random() % 3, &random);
  }
  kernels::SetTarget("");
}

std::string Refusal(const Graph& graph) { return MakeFrontGraph(graph).status().message(); }

}  // namespace

TEST_CASE("fronts: every position once, behind all that its causal kernels read") {
  testing::Draws draws({TestSeed(), 79});
  for (int round = 0; round < 200; ++round) {
    const int channels = draws.Whole(1, 3);
    const int64_t width = draws.Whole(1, 40), begin = draws.Whole(0, 9), rows = draws.Whole(0, 30);
    const int64_t lag = draws.Whole(1, 8), end = begin + rows;
    const StepSymbols symbols(StepOf(channels), static_cast<size_t>(width));
    std::vector<int64_t> front_of(static_cast<size_t>(width * rows), -1);
    for (int64_t f = 0; f < symbols.Fronts(begin, end, lag); ++f) {
      const SymbolLine line = symbols.Front(begin, end, lag, f);
      CHECK(line.symbols == line.positions * static_cast<size_t>(channels));
      CHECK(line.positions <= symbols.LongestFront(rows, lag));
      CHECK(line.symbols <= symbols.MostInRow());
      for (size_t p = 0; p < line.positions; ++p) {
        const int64_t row = line.RowOf(p) - begin, column = static_cast<int64_t>(line.ColumnOf(p));
        REQUIRE((row >= 0 && row < rows && column >= 0 && column < width));
        CHECK(column + lag * row == f);
        CHECK((p == 0 || line.RowOf(p) == line.RowOf(p - 1) + 1));
        int64_t& front = front_of[static_cast<size_t>(row * width + column)];
        CHECK(front == -1);
        front = f;
      }
    }
    const int64_t reach = lag - 1;
    for (int64_t at = 0; at < width * rows; ++at) {
      CHECK(front_of[static_cast<size_t>(at)] >= 0);
      for (int64_t dy = -reach; dy <= 0; ++dy) {
        for (int64_t dx = -reach; dx <= (dy < 0 ? reach : -1); ++dx) {
          const int64_t row = at / width + dy, column = at % width + dx;
          if (row < 0 || column < 0 || column >= width) continue;
          CHECK(front_of[static_cast<size_t>(row * width + column)] <
                front_of[static_cast<size_t>(at)]);
        }
      }
    }
  }
}

TEST_CASE("fronts: a graph of fronts has the bits of its original on every target") {
  TestModel model(31);
  const Graph graph = ContextGraph(&model);
  CheckOnTargets(model, graph);

  std::mt19937 random(5);
  Graph integers =
      InIntegers(&model, graph, {Precision::kI16, 127, 2047}, RandomInputs(graph, 6, 9, &random));
  for (const GraphInput& input : integers.inputs) {
    const auto kept = integers.quantised.find(input.name);
    if (kept != integers.quantised.end()) kept->second.factor = "";
  }
  CHECK(integers.quantised.count("own") == 1);
  CheckOnTargets(model, integers);
}

TEST_CASE("fronts: no name of the graph's own is taken for what is gathered") {
  TestModel model(33);
  GraphBuilder b(&model, NumericClass::kExact);
  const std::string own = b.Input("own", 3), taken = b.Input("own.taps", 4);
  const std::string context = b.Conv(own, 4, 3, 1, ConvMask::kCausal);
  const auto front = MakeFrontGraph(b.Finish(b.Add(context, taken)));
  REQUIRE_MESSAGE(front.ok(), front.status().message());
  CHECK(front->graph.channels.at("own.taps") == 4);
  CHECK(front->graph.channels.at("own taps") == 12);
  // A file cannot have the name that is made up.
  testing::ModelBuilder file = testing::WavefrontModel();
  testing::NodeOf(file, "first", "c0")["name"] = "y0 taps";
  CHECK_FALSE(Model::FromMemory(file.Build().data(), file.Build().size()).ok());
  file = testing::WavefrontModel();
  testing::NodeOf(file, "first", "c0")["output"] = "y0 taps";
  CHECK_FALSE(Model::FromMemory(file.Build().data(), file.Build().size()).ok());
}

TEST_CASE("fronts: graphs that cannot run on them") {
  TestModel model(32);
  {
    GraphBuilder b(&model, NumericClass::kExact);
    CHECK(Refusal(b.Finish(b.Conv(b.Input("own", 3), 4, 3, 1)))
              .find("reads other positions than its own, and is no causal convolution") !=
          std::string::npos);
  }
  {
    GraphBuilder b(&model, NumericClass::kExact);
    const std::string own = b.Input("own", 3);
    const std::string context = b.Conv(own, 3, 3, 1, ConvMask::kCausal);
    CHECK(Refusal(b.Finish(b.Add(context, own))) ==
          "tensor 'own' is read by a causal convolution and in another way");
  }
  {
    GraphBuilder b(&model, NumericClass::kExact);
    const std::string own = b.Input("own", 3);
    const std::string three = b.Conv(own, 3, 3, 1, ConvMask::kCausal);
    CHECK(Refusal(b.Finish(b.Add(three, b.Conv(own, 3, 5, 1, ConvMask::kCausal)))) ==
          "tensor 'own' is read by a causal convolution and in another way");
  }
  {
    GraphBuilder b(&model, NumericClass::kExact);
    const std::string smooth = b.LeakyRelu(b.Input("own", 3), 0.5f);
    CHECK(Refusal(b.Finish(b.Conv(smooth, 3, 3, 1, ConvMask::kCausal)))
              .find("a causal convolution reads node") == 0);
  }
  {
    GraphBuilder b(&model, NumericClass::kExact);
    CHECK(Refusal(b.Finish(b.Conv(b.Input("own", 3), 4, 3, 1, ConvMask::kCausal))).empty());
  }
}

}  // namespace glint
