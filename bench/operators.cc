#include "bench/operators.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "engine/executor.h"
#include "engine/op.h"
#include "tests/graph_builder.h"
#include "tests/graph_forms.h"
#include "tests/ops/op_description.h"

namespace glint::bench {
namespace {

using testing::OpDescription;

constexpr int kWidth = 48;       // pixels of a row
constexpr int64_t kHeight = 64;  // rows of a picture
constexpr int64_t kBand = 8;     // rows of a band, which stays in cache

enum class Form { kFp32, kFp32Exact, kFp16, kInt16, kInt8 };
constexpr struct {
  Form form;
  const char* name;
} kForms[] = {{Form::kFp32, "fp32"},
              {Form::kFp32Exact, "fp32_exact"},
              {Form::kFp16, "fp16"},
              {Form::kInt16, "int16"},
              {Form::kInt8, "int8"}};

// A node of the operator between the graph's input and its output.
struct OneNode {
  TestModel model{1};
  Graph graph;
  std::shared_ptr<const Plan> plan;
};

Graph Build(const OpDescription& op, Form form, int channels, TestModel* model) {
  GraphBuilder b(model, form == Form::kFp32Exact ? NumericClass::kExact : NumericClass::kClose);
  return b.Finish(op.typical(&b, b.Input("x", channels)));
}

// Tensors and matrices in the form; unlike tests, which mix forms, in all places.
Graph InForm(TestModel* model, const Graph& graph, Form form) {
  if (form == Form::kFp16) return InFloat16(model, graph, /*every=*/1U << 31, 1);
  if (form != Form::kInt16 && form != Form::kInt8) return graph;
  std::mt19937 random(1);
  IntegerForm integers;
  if (form == Form::kInt8) {
    integers.precision = Precision::kI8;
    integers.weight_most = 127;
  }
  return InIntegers(model, graph, integers, RandomInputs(graph, 4, 8, &random));
}

// Only what multiplies by a matrix has a form of integers, and only that of sums, not of squares.
bool HasForm(const OpDescription& op, Form form) {
  TestModel model(1);
  const Node node = Build(op, Form::kFp32, 32, &model).nodes.back();
  if (form == Form::kFp32Exact) return node.op->classes == Classes::kCloseAndExact;
  if (form == Form::kInt16 || form == Form::kInt8) return node.matrix && !node.matrix->squares;
  return true;
}

// Seconds that the steps of one picture took.
double RunPicture(const OneNode& node, const std::vector<float>& row, StepProfile* total) {
  ExecutorOptions options;
  options.in_width = kWidth;
  options.in_height = kHeight;
  options.bands.rows = kBand;
  options.runner = SerialRunner();
  options.profile = true;
  auto made = Executor::Make(node.plan, options);
  if (!made.ok()) return -1;
  Executor& executor = *made.value();
  for (int64_t given = 0; executor.end() < executor.out_height(); executor.Advance()) {
    for (const int64_t need = executor.InputEnd(); given < need; ++given) {
      for (size_t i = 0; i < node.graph.inputs.size(); ++i) {
        std::copy(row.begin(), row.end(), executor.InputRow(i, given));
        executor.StoreInput(i, given);
      }
    }
  }
  double seconds = 0;
  for (const StepProfile& step : executor.profile()) {
    seconds += step.seconds;
    total->macs += step.macs;
  }
  return seconds;
}

void RunOperator(benchmark::State& state, const OpDescription& op, Form form, int channels) {
  OneNode node;
  node.graph = InForm(&node.model, Build(op, form, channels, &node.model), form);
  auto plan = Plan::Make(node.model, node.graph);
  if (!plan.ok()) return state.SkipWithError(plan.status().message().c_str());
  node.plan = plan.value();
  std::mt19937 random(2);
  std::normal_distribution<float> value;
  std::vector<float> row(static_cast<size_t>(kWidth * channels));
  std::generate(row.begin(), row.end(), [&] { return value(random); });
  StepProfile total, first;
  RunPicture(node, row, &first);
  for (auto _ : state) {
    const double seconds = RunPicture(node, row, &total);
    if (seconds < 0) return state.SkipWithError("the executor cannot be made");
    state.SetIterationTime(seconds);
  }
  state.SetItemsProcessed(state.iterations() * kHeight * kWidth * channels);
  if (total.macs > 0) {
    state.counters["GOPS"] = benchmark::Counter(2e-9 * total.macs, benchmark::Counter::kIsRate);
  }
}

}  // namespace

void RegisterOperators() {
  std::vector<OpDescription> ops = testing::RegisteredOps();
  std::sort(ops.begin(), ops.end(), [](const OpDescription& a, const OpDescription& b) {
    return std::string(a.name) < std::string(b.name);
  });
  for (const OpDescription& op : ops) {
    for (const auto& [form, form_name] : kForms) {
      if (!HasForm(op, form)) continue;
      for (const int channels : {32, 192}) {
        const std::string name =
            std::string("operator/") + op.name + "/" + form_name + "/" + std::to_string(channels);
        benchmark::RegisterBenchmark(name.c_str(), [op, kept = form,
                                                    channels](benchmark::State& state) {
          RunOperator(state, op, kept, channels);
        })->UseManualTime();
      }
    }
  }
}

}  // namespace glint::bench
