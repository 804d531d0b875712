// What the planner makes of a graph: which nodes become one step, and in which order they may.
#include "engine/plan.h"

#include <doctest/doctest.h>

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

using Names = std::vector<std::string>;

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

}  // namespace glint
