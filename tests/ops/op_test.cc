#include "tests/ops/op_test.h"

#include <algorithm>
#include <cstdint>

#include "engine/node_check.h"
#include "engine/op.h"
#include "kernels/targets.h"
#include "tests/seed.h"

namespace glint::testing {
namespace {

enum class Form { kFloat, kFloat16, kWords, kBytes };

const Op& Find(const std::string& name) {
  const std::span<const Op* const> operators = Operators();
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [&](const Op* op) { return name == std::string(op->name); });
  REQUIRE_MESSAGE(found != operators.end(), name);
  return **found;
}

// A graph around a node of the operator: it may be the last node, or be followed by what might be
// fused into it, or overwrite its output.
Graph DrawGraph(const OpDescription& test, TestModel* model, NumericClass numeric_class,
                std::mt19937* random) {
  GraphBuilder b(model, numeric_class);
  std::string x = test.draw(&b, random);
  const int tail = Draw(random, 0, 3);
  if (tail == 1 && numeric_class == NumericClass::kClose) x = b.Gain(x);
  if (tail == 2) x = b.Add(x, x);
  if (tail >= 2) x = b.LeakyRelu(x, 0.5f);
  return b.Finish(x);
}

Graph InForm(TestModel* model, const Graph& graph, Form form, const GraphInputs& inputs,
             std::mt19937* random) {
  if (form == Form::kFloat) return graph;
  if (form == Form::kFloat16) return InFloat16(model, graph, 2, static_cast<unsigned>((*random)()));
  IntegerForm integers;
  if (form == Form::kBytes) {
    integers.precision = Precision::kI8;
    integers.weight_most = 127;
  } else {
    integers.dynamic = Draw(random, 0, 2) == 0;
  }
  return KeepSome(model, InIntegers(model, graph, integers, inputs), integers, inputs, random);
}

bool HasIntegerForm(const Graph& graph) {
  return std::none_of(graph.nodes.begin(), graph.nodes.end(),
                      [](const Node& node) { return node.matrix && node.matrix->squares; });
}

// Where some positions are wanted, they alone are made, to the same bits.
void CheckPositions(const TestModel& model, const Graph& graph, const GraphInputs& inputs,
                    const ReferenceTensor& want, std::mt19937* random) {
  for (const Node& node : graph.nodes) {
    if (node.window.rows.stride != 1) return;
  }
  const PositionSet any = 1 + static_cast<PositionSet>(Draw(random, 0, 13));
  for (const PositionSet set : {kEvenPositions, kOddPositions, any}) {
    RunOptions run;
    run.band = 2;
    run.wanted = set;
    const ReferenceTensor got = RunExecutor(model, graph, inputs, 0.3, run);
    size_t differ = 0;
    for (int y = 0; y < want.height; ++y) {
      for (int x = 0; x < want.width; ++x) {
        const bool wanted = (set & PositionAt(y, x)) != 0;
        for (int c = 0; c < want.channels; ++c) {
          differ += got.at(y, x, c) != (wanted ? want.at(y, x, c) : 0.0);
        }
      }
    }
    CHECK(differ == 0);
  }
}

void CheckOne(const OpDescription& test, NumericClass numeric_class, Form form, unsigned seed) {
  std::mt19937 random(seed);
  TestModel model(seed);
  const Graph drawn = DrawGraph(test, &model, numeric_class, &random);
  if (form > Form::kFloat16 && !HasIntegerForm(drawn)) return;
  const int width =
      Draw(&random, 0, 2) == 0 ? 1 : Draw(&random, 1, 9);  // 1: rows without a position
  const GraphInputs inputs = RandomInputs(drawn, Draw(&random, 1, 9), width, &random);
  const Graph graph = InForm(&model, drawn, form, inputs, &random);
  const bool exact = numeric_class == NumericClass::kExact;
  const ReferenceTensor want = RunReference(
      model, graph, inputs, 0.3, exact ? ReferenceMode::kFloatChain : ReferenceMode::kDouble);
  RunEverywhere(model, graph, inputs, exact, [&](const ReferenceTensor& got) {
    REQUIRE(got.data.size() == want.data.size());
    INFO(test.name, " seed ", seed, " form ", static_cast<int>(form), " on ",
         kernels::CurrentTarget());
    if (exact) {
      CHECK(got.data == want.data);
    } else {
      // Where sums of float and double lie on either side of a boundary, an integer or float16
      // differs by its unit.
      const double bounds[] = {test.bound, 4e-3, 2e-3, 5e-2};
      CHECK(WorstRelative(got, want) <= bounds[static_cast<size_t>(form)]);
    }
  });
  if (exact) CheckPositions(model, graph, inputs, want, &random);
}

// In a graph of class exact the node is refused by name.
void CheckNotExact(const OpDescription& test) {
  std::mt19937 random(TestSeed());
  TestModel model(TestSeed());
  GraphBuilder b(&model, NumericClass::kClose);
  const std::string output = test.draw(&b, &random);
  Graph graph = b.Finish(output);
  graph.numeric_class = NumericClass::kExact;
  Node node = graph.nodes.back();
  const Status status = ResolveNode(model.tensors(), &graph, &node);
  CHECK(status.message() == "graph 'test', node '" + node.name + "': " + test.name +
                                " is not available in class exact");
}

}  // namespace

void CheckOp(const OpDescription& test) {
  const bool exact_too = Find(test.name).classes == Classes::kCloseAndExact;
  for (unsigned i = 0; i < 10; ++i) {
    const unsigned seed = TestSeed() + 1000 * i;
    for (const Form form : {Form::kFloat, Form::kFloat16, Form::kWords, Form::kBytes}) {
      CheckOne(test, NumericClass::kClose, form, seed);
    }
    if (!exact_too) continue;
    CheckOne(test, NumericClass::kExact, Form::kFloat, seed);
    CheckOne(test, NumericClass::kExact, Form::kFloat16, seed);
  }
  if (!exact_too) CheckNotExact(test);
}

std::string Refusal(const NodeText& text) {
  TestModel model(TestSeed());
  Graph graph;
  Node node;
  node.op = &Find(text.op);
  for (size_t i = 0; i < text.channels.size(); ++i) {
    node.inputs.push_back("x" + std::to_string(i));
    graph.channels[node.inputs.back()] = text.channels[i];
  }
  for (const auto& [role, shape] : text.weights) {
    node.weights[role] = role;
    model.Add(role, shape, 0.1f, 1.0f);
  }
  const glint::Json attributes = AsRead(text.attributes);
  ObjectReader reader(attributes, "node");
  Status status = node.op->read(&reader, &node);
  if (status.ok()) status = reader.Finish();
  if (status.ok()) status = ResolveNode(model.tensors(), &graph, &node);
  const size_t place = status.message().find(": ");
  return place == std::string::npos ? status.message() : status.message().substr(place + 2);
}

void RunEverywhere(const TestModel& model, const Graph& graph, const GraphInputs& inputs, bool same,
                   const std::function<void(const ReferenceTensor& got)>& judge) {
  std::vector<double> first;
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    if (!same) first.clear();
    bool judged = false;
    for (const int64_t band : {1, 3, 64}) {
      for (const size_t threads : {size_t{1}, size_t{3}}) {
        RunOptions run;
        run.band = band;
        run.threads = threads;
        const ReferenceTensor got = RunExecutor(model, graph, inputs, 0.3, run);
        if (first.empty()) first = got.data;
        CHECK_MESSAGE(got.data == first, target, " band ", band, " threads ", threads);
        if (!judged) judge(got);
        judged = true;
      }
    }
  }
  kernels::SetTarget("");
}

}  // namespace glint::testing
