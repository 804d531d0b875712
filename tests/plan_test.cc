// What the planner makes of a graph: which nodes become one step, and in which order they may.
#include "engine/plan.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/graph_builder.h"

namespace glint {
namespace {

std::vector<std::string> StepsOf(const TestModel& model, const Graph& graph) {
  const auto plan = Plan::Make(model, graph);
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  std::vector<std::string> names;
  for (const auto& step : static_cast<const PlanImpl&>(*plan.value()).steps) {
    names.push_back(step->name);
  }
  return names;
}

// A convolution, n0, of six channels or three, and what `more` puts behind it.
template <typename More>
std::vector<std::string> StepsBehindProduct(const More& more) {
  TestModel model(71);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Input("x", 6);
  const Graph graph = b.Finish(more(&b, x, b.Conv(x, 6, 3, 1)));
  return StepsOf(model, graph);
}

// The names of the steps of each chain.
std::vector<std::vector<std::string>> ChainsOf(const TestModel& model, const Graph& graph) {
  const auto plan = Plan::Make(model, graph);
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  const auto& made = static_cast<const PlanImpl&>(*plan.value());
  std::vector<std::vector<std::string>> chains;
  for (const Chain& chain : made.chains) {
    chains.emplace_back();
    for (size_t s = chain.first; s < chain.end; ++s) chains.back().push_back(made.steps[s]->name);
  }
  return chains;
}

using Names = std::vector<std::string>;

// The steps that put their output where another tensor was.
Names InPlace(const TestModel& model, const Graph& graph) {
  const auto plan = Plan::Make(model, graph);
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  const auto& made = static_cast<const PlanImpl&>(*plan.value());
  Names names;
  for (const auto& step : made.steps) {
    const int output = step->output;
    if (made.tensors[static_cast<size_t>(output)].storage != output) names.push_back(step->name);
  }
  return names;
}

}  // namespace

TEST_CASE("plan: what follows a product becomes part of it, in the order of its epilogue") {
  using B = GraphBuilder;
  CHECK(StepsBehindProduct([](B* b, const std::string& x, const std::string& y) {
          return b->Gain(b->LeakyRelu(b->Add(x, y), 0.5f));
        }) == Names{"n0+n1+n2+n3"});
  CHECK(StepsBehindProduct([](B* b, const std::string& x, const std::string& y) {
          return b->Gain(b->Add(y, x));
        }) == Names{"n0+n1+n2"});
  // An activation before the sum, or a gain before either: as far as the order goes.
  CHECK(StepsBehindProduct([](B* b, const std::string& x, const std::string& y) {
          return b->Add(b->LeakyRelu(y, 0.5f), x);
        }) == Names{"n0+n1", "n2"});
  CHECK(StepsBehindProduct([](B* b, const std::string&, const std::string& y) {
          return b->LeakyRelu(b->Gain(y), 0.5f);
        }) == Names{"n0+n1", "n2"});
  CHECK(StepsBehindProduct([](B* b, const std::string&, const std::string& y) {
          return b->LeakyRelu(b->LeakyRelu(y, 0.5f), 0.25f);
        }) == Names{"n0+n1", "n2"});
  // A sum with itself, and what reads the sum of a product that somebody else reads too.
  CHECK(StepsBehindProduct([](B* b, const std::string&, const std::string& y) {
          return b->Add(y, y);
        }) == Names{"n0", "n1"});
  CHECK(StepsBehindProduct([](B* b, const std::string&, const std::string& y) {
          return b->Add(b->LeakyRelu(y, 0.5f), y);
        }) == Names{"n0", "n1", "n2"});
}

TEST_CASE("plan: GDN takes a gain, pairs of rows nothing, and no operator what has no place") {
  TestModel model(72);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Gain(b.Gdn(b.Input("x", 6), false, GdnForm::kAbs));
  const std::string y = b.LeakyRelu(b.Deconv(x, 3, 4), 0.5f);
  CHECK(StepsOf(model, b.Finish(b.Concat({y, y}))) == Names{"n0+n1", "n2", "n3", "n4"});
}

TEST_CASE("plan: a concatenation is no step where all of its readers take its parts") {
  TestModel model(73);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string parts = b.Concat({b.Input("x", 3), b.Input("y", 4)});
  const std::string once = b.Conv(parts, 5, 1, 1);
  CHECK(StepsOf(model, b.Finish(once)) == Names{"n1"});
  CHECK(StepsOf(model, b.Finish(b.Add(once, b.Conv(parts, 5, 3, 1)))) ==
        Names{"n0", "n1", "n2+n3"});
}

TEST_CASE("plan: steps that read no other rows than they write are a chain") {
  TestModel model(74);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Conv(b.Input("x", 6), 6, 3, 1);                              // n0
  const std::string wide = b.Append("gelu", {b.Conv(b.Append("abs", {x}), 9, 1, 1)});  // n1 n2 n3
  const std::string y = b.Add(b.Conv(wide, 6, 1, 1), x);                               // n4+n5
  // What a 3x3 reads ends a chain; n0 is there whole, although the chain reads it too.
  CHECK(ChainsOf(model, b.Finish(b.Conv(y, 2, 3, 1))) ==
        std::vector<Names>{{"n1", "n2", "n3", "n4+n5"}});
}

TEST_CASE("plan: a tensor that somebody else reads ends a chain") {
  TestModel model(75);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Append("abs", {b.Input("x", 6)});  // n0
  const std::string y = b.Append("gelu", {x});               // n1
  const std::string z = b.Append("abs", {b.Add(y, x)});      // n2 n3
  const std::string other = b.Conv(y, 6, 3, 1);              // n4, of n1
  // n0 is read in n1 and n2, n1 by n4 as well: neither [n0, n1] nor [n0, n3] is closed.
  CHECK(ChainsOf(model, b.Finish(b.Add(b.Append("gelu", {z}), other))) ==
        std::vector<Names>{{"n2", "n3"}, {"n5", "n6"}});
}

TEST_CASE("plan: a product overwrites what it adds, unless somebody will still read that") {
  // x is n0; `more` makes of it what a convolution reads at the end.
  const auto in_place = [](const auto& more) {
    TestModel model(77);
    GraphBuilder b(&model, NumericClass::kClose);
    const std::string input = b.Input("x", 6);
    return InPlace(model, b.Finish(b.Conv(more(&b, input, b.Conv(input, 6, 3, 1)), 2, 3, 1)));
  };
  using B = GraphBuilder;
  using S = const std::string&;
  // A bottleneck, with rows above and below, and without.
  CHECK(in_place([](B* b, S, S x) {
          return b->Add(b->Conv(b->Conv(b->Conv(x, 4, 1, 1), 4, 3, 1), 6, 1, 1), x);
        }) == Names{"n3+n4"});
  CHECK(in_place([](B* b, S, S x) {
          return b->LeakyRelu(b->Add(x, b->Conv(b->Conv(x, 4, 1, 1), 6, 1, 1)), 0.5f);
        }) == Names{"n2+n3+n4"});
  // x is read around the row, by an earlier step or by the product itself, or by all its blocks.
  CHECK(in_place([](B* b, S, S x) { return b->Add(b->Conv(b->Conv(x, 4, 3, 1), 6, 1, 1), x); }) ==
        Names{});
  CHECK(in_place([](B* b, S, S x) { return b->Add(b->Conv(x, 6, 3, 1), x); }) == Names{});
  CHECK(in_place([](B* b, S, S x) { return b->Add(b->Conv(x, 6, 1, 1), x); }) == Names{});
  // A later step reads x (and overwrites y); or an earlier one may be rows behind, for the product
  // does not need it.
  CHECK(in_place([](B* b, S, S x) {
          const std::string y = b->Add(b->Conv(b->Conv(x, 4, 1, 1), 6, 1, 1), x);
          return b->Append("multiply", {y, x});
        }) == Names{"n4"});
  CHECK(in_place([](B* b, S input, S x) {
          const std::string other = b->Conv(x, 6, 1, 1);
          const std::string y = b->Add(b->Conv(input, 6, 3, 1), x);
          return b->Concat({b->Conv(y, 6, 5, 1), other});
        }) == Names{});
  // What the graph is given stays, and what it gives has a place of its own.
  CHECK(in_place([](B* b, S input, S x) { return b->Add(b->Conv(x, 6, 3, 1), input); }) == Names{});
  TestModel model(78);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Conv(b.Input("x", 6), 6, 3, 1);
  CHECK(InPlace(model, b.Finish(b.Add(b.Conv(b.Conv(x, 4, 1, 1), 6, 1, 1), x))) == Names{});
}

TEST_CASE("plan: a chain keeps a few rows of what lies between") {
  TestModel model(76);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Conv(b.Input("x", 6), 64, 3, 1);
  const std::string y = b.Conv(b.Append("gelu", {b.Conv(x, 512, 1, 1)}), 64, 1, 1);
  const Graph graph = b.Finish(b.Conv(y, 2, 3, 1));
  const auto plan = Plan::Make(model, graph);
  REQUIRE(plan.ok());
  const auto bytes = [&](int64_t rows) {
    ExecutorOptions options;
    options.in_width = 300;
    options.in_height = 400;
    options.bands.rows = rows;
    const auto memory = Executor::MemoryNeeded(*plan.value(), options, {});
    REQUIRE(memory.ok());
    return memory.value();
  };
  // 16 rows more in a band: of x, of y, of the input and of the output, not of 512 channels.
  CHECK(bytes(32) - bytes(16) < 16 * 300 * (64 + 64 + 6 + 2) * sizeof(float) * 11 / 10);
}

}  // namespace glint
