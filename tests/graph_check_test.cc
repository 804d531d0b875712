// CheckGraph: the order of nodes, sizes, and what a graph must not be.
#include "engine/graph_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/graph_builder.h"
#include "tests/seed.h"

namespace glint {
namespace {

int Draw(std::mt19937* random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(*random);
}

// A graph of many branches, all of which lead to its output.
Graph DrawGraph(TestModel* model, std::mt19937* random) {
  GraphBuilder b(model, NumericClass::kClose);
  std::vector<std::string> tensors, unused;
  for (int i = Draw(random, 1, 3); i > 0; --i) {
    tensors.push_back(b.Input("x" + std::to_string(i), 3));
    unused.push_back(tensors.back());
  }
  const auto take = [&](bool new_one) {
    std::vector<std::string>& from = new_one && !unused.empty() ? unused : tensors;
    const std::string tensor =
        from[static_cast<size_t>(Draw(random, 0, static_cast<int>(from.size()) - 1))];
    std::erase(unused, tensor);
    return tensor;
  };
  for (int i = Draw(random, 0, 12); i > 0; --i) {
    const int kind = Draw(random, 0, 2);
    const std::string a = take(Draw(random, 0, 1) == 0), other = take(true);
    // `other` may be unused for ever otherwise.
    const std::string sum = b.Add(a, other);
    const std::string made = kind == 0   ? b.LeakyRelu(sum, 0.5f)
                             : kind == 1 ? b.Conv(sum, 3, 3, 1)
                                         : sum;
    tensors.push_back(made);
    unused.push_back(made);
  }
  while (unused.size() > 1) unused.push_back(b.Add(take(true), take(true)));
  return b.Finish(b.Conv(unused[0], 5, 3, 2));
}

// As it comes out of a file: nothing is filled in.
Graph Unchecked(const Graph& graph) {
  Graph raw = graph;
  raw.channels.clear();
  for (Node& node : raw.nodes) {
    node.window = Window();
    node.matrix.reset();
  }
  return raw;
}

std::vector<std::string> Names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  return names;
}

// The message that refuses the graph once it is changed, without its place.
std::string Refusal(const TestModel& model, const Graph& graph,
                    const std::function<void(Graph* graph)>& change) {
  Graph changed = Unchecked(graph);
  change(&changed);
  const Status status = CheckGraph(model.tensors(), &changed);
  if (status.ok()) return "";
  CHECK(status.code() == StatusCode::kBadModel);
  CHECK(status.message().starts_with("graph 'test'"));
  return status.message().substr(std::string("graph 'test'").size());
}

TEST_CASE("graph check: nodes in any order come out sorted, and filled in") {
  std::mt19937 random(TestSeed() + 240);
  for (int i = 0; i < 100; ++i) {
    TestModel model(static_cast<unsigned>(i));
    const Graph graph = DrawGraph(&model, &random);
    Graph sorted = Unchecked(graph);
    REQUIRE(CheckGraph(model.tensors(), &sorted).ok());
    CHECK(Names(sorted) == Names(graph));  // which was sorted already
    CHECK(sorted.channels == graph.channels);

    Graph shuffled = Unchecked(graph);
    std::shuffle(shuffled.nodes.begin(), shuffled.nodes.end(), random);
    REQUIRE(CheckGraph(model.tensors(), &shuffled).ok());
    CHECK(shuffled.channels == graph.channels);
    CHECK(shuffled.nodes.back().output == graph.output);
    std::set<std::string> made;
    for (const GraphInput& input : shuffled.inputs) made.insert(input.name);
    for (const Node& node : shuffled.nodes) {
      for (const std::string& input : node.inputs) CHECK(made.count(input) == 1);
      made.insert(node.output);
      CHECK(node.matrix.has_value() == (node.op->matrix->role != nullptr));
    }
    // Sorting what is sorted changes nothing.
    Graph again = shuffled;
    REQUIRE(CheckGraph(model.tensors(), &again).ok());
    CHECK(Names(again) == Names(shuffled));
  }
}

TEST_CASE("graph check: an edge that goes back is a cycle, whichever it is") {
  std::mt19937 random(TestSeed() + 241);
  for (int i = 0; i < 100; ++i) {
    TestModel model(static_cast<unsigned>(i));
    const Graph graph = DrawGraph(&model, &random);
    const std::string message = Refusal(model, graph, [&](Graph* changed) {
      // The last node depends on all others; the first one now on the last.
      Node& first = changed->nodes.front();
      Node& last = changed->nodes.back();
      first.inputs.back() = last.output;
      std::shuffle(changed->nodes.begin(), changed->nodes.end(), random);
    });
    // An input of the graph that only the first node read may be without a reader now.
    const bool refused = message.find("is part of a cycle or behind one") != std::string::npos ||
                         message.find("is never used") != std::string::npos;
    CHECK_MESSAGE(refused, message);
  }
  TestModel model(1);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Input("x", 2);
  const Graph loop = b.Finish(b.LeakyRelu(b.Add(x, b.LeakyRelu(x, 0.5f)), 0.5f));
  CHECK(Refusal(model, loop, [](Graph* graph) { graph->nodes[0].inputs = {"n2_out"}; }) ==
        ", node 'n0': is part of a cycle or behind one");
  CHECK(Refusal(model, loop, [](Graph* graph) {
          graph->nodes[1].inputs = {"x", "n1_out"};
          graph->nodes[2].inputs = {"n0_out"};
          graph->output = "n2_out";
        }) == ", node 'n1': is part of a cycle or behind one");
}

TEST_CASE("graph check: every name once, and all of them used") {
  TestModel model(2);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Input("x", 2), y = b.Input("y", 2);
  const Graph graph = b.Finish(b.LeakyRelu(b.Add(x, y), 0.5f));
  const auto refusal = [&](const std::function<void(Graph * graph)>& change) {
    return Refusal(model, graph, change);
  };
  CHECK(refusal([](Graph*) {}).empty());
  CHECK(refusal([](Graph* g) { g->inputs[1].name = "x"; }) == ": tensor 'x' is an input twice");
  CHECK(refusal([](Graph* g) { g->nodes[1].name = "n0"; }) == ", node 'n0': the name occurs twice");
  CHECK(refusal([](Graph* g) { g->nodes[1].output = "n0_out"; }) ==
        ", node 'n1': its output 'n0_out' exists already");
  CHECK(refusal([](Graph* g) { g->nodes[1].output = "x"; }) ==
        ", node 'n1': its output 'x' exists already");
  CHECK(refusal([](Graph* g) { g->nodes[0].inputs[1] = "z"; }) ==
        ", node 'n0': its input 'z' does not exist");
  CHECK(refusal([](Graph* g) { g->output = "z"; }) == ": output 'z' does not exist");
  CHECK(refusal([](Graph* g) { g->output = "x"; }) == ": output 'x' is an input");
  CHECK(refusal([](Graph* g) { g->output = "n0_out"; }) == ": tensor 'n1_out' is never used");
  CHECK(refusal([](Graph* g) { g->nodes[0].inputs[1] = "x"; }) == ": tensor 'y' is never used");
}

TEST_CASE("graph check: inputs of one size, and at most 12 changes of it") {
  TestModel model(3);
  {
    GraphBuilder b(&model, NumericClass::kClose);
    const std::string x = b.Input("x", 2);
    const std::string down = b.Conv(x, 2, 3, 2);
    const Graph graph = b.Finish(b.Add(down, b.LeakyRelu(down, 0.5f)));
    CHECK(Refusal(model, graph, [](Graph* g) {
            g->nodes[2].inputs = {"n1_out", "x"};
          }) == ", node 'n2': its inputs 'n1_out' and 'x' have different sizes");
    // The same size by another way is another one: odd rows round up.
    CHECK(Refusal(model, graph, [](Graph*) {}).empty());
  }
  for (const bool up : {false, true}) {
    for (const int changes : {12, 13}) {
      GraphBuilder b(&model, NumericClass::kClose);
      std::string x = b.Input("x", 1);
      for (int i = 0; i < changes; ++i) x = up ? b.Deconv(x, 1, 4) : b.Conv(x, 1, 3, 2);
      CHECK(Refusal(model, b.Finish(x), [](Graph*) {}) ==
            (changes == 12 ? "" : ", node 'n12': more than 12 changes of size"));
    }
  }
}

TEST_CASE("graph check: tensors that are not kept in float, and their factors") {
  TestModel model(4);
  GraphBuilder b(&model, NumericClass::kClose);
  const Graph graph = b.Finish(b.LeakyRelu(b.Input("x", 3), 0.5f));
  const auto factor = [&](const std::vector<float>& values, kernels::Element element,
                          DType dtype = DType::kF32) {
    model.AddIntegers("f", dtype, {static_cast<int64_t>(values.size())}, values);
    return Refusal(model, graph, [&](Graph* g) {
      g->quantised["x"].element = element;
      g->quantised["x"].factor = "f";
    });
  };
  CHECK(Refusal(model, graph, [](Graph* g) { g->quantised["z"]; }) ==
        ", tensor 'z': does not exist");
  CHECK(Refusal(model, graph, [](Graph* g) { g->quantised["x"].factor = "none"; }) ==
        ", tensor 'x': factor 'none' is not in the file");
  constexpr auto kI16 = kernels::Element::kI16, kF16 = kernels::Element::kF16;
  CHECK(factor({1.5f, 1e-12f, 1e12f}, kI16).empty());
  CHECK(factor({1, 2}, kI16) ==
        ", tensor 'x': factor 'f' is F32 of shape [2], F32 of one value per channel is wanted");
  CHECK(factor({1, 2, 3}, kI16, DType::kI32) ==
        ", tensor 'x': factor 'f' is I32 of shape [3], F32 of one value per channel is wanted");
  for (const float bad : {0.0f, -1.0f, 0.9e-12f, 1.1e12f, std::nanf("")}) {
    CHECK(factor({1, 2, bad}, kI16) == ", tensor 'x': factor 'f' is not within 1e-12 to 1e12 at 2");
  }
  CHECK(factor({1, 0.25f, 1024}, kF16).empty());
  CHECK(factor({1, 3, 1}, kF16) == ", tensor 'x': factor 'f' is no power of two at 1");
}

// A product of integers: `inputs` channels, a kernel of 1x1, one output.
struct IntegerProduct {
  TestModel model{5};
  Graph graph;
  IntegerProduct(int inputs, Precision precision, kernels::Element element, int max) {
    GraphBuilder b(&model, NumericClass::kClose);
    graph = b.Finish(b.Conv(b.Input("x", inputs), 1, 1, 1));
    graph.nodes[0].precision = precision;
    graph.nodes[0].weights["scale"] = "scale";
    model.AddIntegers("scale", DType::kF32, {1}, std::vector<float>{1.0f});
    Quantisation& kept = graph.quantised["x"];
    kept.element = element;
    kept.max = max;
    kept.scales = {1.0};
  }
  std::string RefusalWith(const std::vector<int16_t>& weights) {
    const std::string name = graph.nodes[0].weights.at("weight");
    model.AddIntegers(name, DType::kI16, {1, static_cast<int64_t>(weights.size()), 1, 1}, weights);
    return Refusal(model, graph, [](Graph*) {});
  }
};

TEST_CASE("graph check: sums of integers reach 2^31 - 1 and no more") {
  std::mt19937 random(TestSeed() + 242);
  IntegerProduct at_most(3, Precision::kI16, kernels::Element::kI16, 32767);
  // 32767 * 65538 = 2^31 - 2; one more of any weight is beyond.
  CHECK(at_most.RefusalWith({32767, 32767, 4}).empty());
  CHECK(at_most.RefusalWith({32767, -32767, 5}) ==
        ", node 'n0': its sums for output channel 0 can reach 2147516413, beyond 32 bits");
  CHECK(at_most.RefusalWith({-32768, 32767, 3}).empty());
  for (int i = 0; i < 200; ++i) {
    const int channels = Draw(&random, 1, 300);
    const int max = Draw(&random, 1, 32767);
    IntegerProduct product(channels, Precision::kI16, kernels::Element::kI16, max);
    std::vector<int16_t> weights(static_cast<size_t>(channels));
    int64_t most = 0;
    for (int16_t& w : weights) {
      w = static_cast<int16_t>(Draw(&random, -32768, 32767));
      most += int64_t{max} * std::abs(int{w});
    }
    CHECK(product.RefusalWith(weights).empty() == (most <= INT32_MAX));
  }
}

TEST_CASE("graph check: products of integers need inputs of their type, in one scale") {
  CHECK(IntegerProduct(2, Precision::kI16, kernels::Element::kU8, 0).RefusalWith({1, 1}) ==
        ", node 'n0': its input 'x' is not kept as i16");
  IntegerProduct in_float(2, Precision::kI16, kernels::Element::kI16, 100);
  in_float.graph.quantised.clear();
  CHECK(in_float.RefusalWith({1, 1}) == ", node 'n0': its input 'x' is not kept as i16");

  TestModel model(6);
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string x = b.Input("x", 1), y = b.Input("y", 1);
  Graph graph = b.Finish(b.Conv(b.Concat({x, y}), 1, 1, 1));
  Node& conv = graph.nodes.back();
  conv.precision = Precision::kI16;
  conv.weights["scale"] = "scale";
  model.AddIntegers("scale", DType::kF32, {1}, std::vector<float>{1.0f});
  model.AddIntegers(conv.weights.at("weight"), DType::kI16, {1, 2, 1, 1},
                    std::vector<int16_t>{1, 1});
  for (const char* tensor : {"x", "y"}) graph.quantised[tensor].scales = {1.0};
  CHECK(Refusal(model, graph, [](Graph*) {}).empty());
  CHECK(Refusal(model, graph, [](Graph* g) { g->quantised["y"].scales = {2.0}; }) ==
        ", node 'n1': its inputs have different scales");
  CHECK(Refusal(model, graph, [](Graph* g) { g->quantised.erase("y"); }) ==
        ", node 'n1': its input 'y' is not kept as i16");
}

}  // namespace
}  // namespace glint
