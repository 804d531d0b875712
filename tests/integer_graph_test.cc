// Graphs in integers through planner and executor: the same bits on every target, band height and
// thread count, and close to the float graph that they stand for.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <tuple>

#include "engine/rate.h"
#include "kernels/targets.h"
#include "tests/graph_builder.h"
#include "tests/graph_forms.h"

namespace glint {
namespace {

// On every target, with bands and threads, the same bits; and near what `want` holds.
void CheckEverywhere(const TestModel& model, const Graph& graph,
                     const std::map<std::string, ReferenceTensor>& inputs,
                     const ReferenceTensor& want, double least_snr) {
  std::vector<double> first;
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    for (const int64_t band : {1, 3, 64}) {
      for (const size_t threads : {size_t{1}, size_t{3}}) {
        RunOptions run;
        run.band = band;
        run.threads = threads;
        const ReferenceTensor got = RunExecutor(model, graph, inputs, 0.3, run);
        if (first.empty()) first = got.data;
        CHECK_MESSAGE(got.data == first, target, " band ", band, " threads ", threads);
        const double snr = Snr(want, got);
        CHECK_MESSAGE(snr > least_snr, target, " ", snr, " dB");
      }
    }
  }
  kernels::SetTarget("");
}

void Check(TestModel* model, const Graph& graph, const IntegerForm& form, double least_snr,
           int height, int width) {
  std::mt19937 random(3);
  const GraphInputs inputs = RandomInputs(graph, height, width, &random);
  const ReferenceTensor want = RunReference(*model, graph, inputs, 0.3);
  const Graph integers = InIntegers(model, graph, form, inputs);
  CheckEverywhere(*model, integers, inputs, want, least_snr);
  // Integer by integer but for ties, which float32 and double may round apart.
  const ReferenceTensor rounded = RunReference(*model, integers, inputs, 0.3);
  CheckEverywhere(*model, integers, inputs, rounded, least_snr + 20);
}

Graph Synthesis(TestModel* model) {
  GraphBuilder b(model, NumericClass::kClose);
  std::string x = b.Bottleneck(b.Gain(b.Input("y", 24)));
  x = b.Gain(b.Gdn(b.Deconv(x, 20, 5), true, GdnForm::kAbs));
  x = b.Gdn(b.Deconv(b.Bottleneck(x), 18, 3), true, GdnForm::kAbs);
  return b.Finish(b.Deconv(x, 3, 4));
}

}  // namespace

TEST_CASE("integer graphs: int16, the same bits everywhere, close to float") {
  TestModel model(21);
  Check(&model, AnalysisGraph(&model, GdnForm::kAbs), {Precision::kI16, 511, 4095}, 45, 20, 28);
  TestModel back(22);
  Check(&back, Synthesis(&back), {Precision::kI16, 511, 4095}, 45, 5, 6);
}

TEST_CASE("integer graphs: GDN of roots, the same bits everywhere, close to float") {
  for (const bool bytes : {false, true}) {
    const IntegerForm form =
        bytes ? IntegerForm{Precision::kI8, 127, 0} : IntegerForm{Precision::kI16, 511, 4095};
    TestModel model(27);
    GraphBuilder b(&model, NumericClass::kClose);
    const std::string x = b.Gdn(b.Conv(b.Input("x", 3), 16, 5, 2), false, GdnForm::kSqrt);
    const std::string y = b.Gdn(b.Deconv(x, 20, 5), true, GdnForm::kSqrt);
    Check(&model, b.Finish(b.Conv(y, 6, 3, 1)), form, bytes ? 20 : 45, 20, 28);
  }
}

TEST_CASE("integer graphs: bytes, the same bits everywhere, near float") {
  TestModel model(23);
  Check(&model, AnalysisGraph(&model, GdnForm::kAbs), {Precision::kI8, 127, 0}, 20, 20, 28);
  TestModel back(24);
  Check(&back, Synthesis(&back), {Precision::kI8, 127, 0}, 20, 5, 6);
}

TEST_CASE("integer graphs: dynamic int16, the same bits everywhere, close to float") {
  TestModel model(25);
  Check(&model, AnalysisGraph(&model, GdnForm::kAbs), {Precision::kI16, 511, 4095, true}, 45, 20,
        28);
  Check(&model, AnalysisGraph(&model, GdnForm::kAbs), {Precision::kI16, 127, 16383, true}, 35, 21,
        15);
  TestModel back(26);
  Check(&back, Synthesis(&back), {Precision::kI16, 511, 4095, true}, 45, 5, 6);
}

// A convolution and its reader, both in integers, with a dynamic tensor between them.
Graph TwoConvolutions(TestModel* model, int kernel, int stride) {
  GraphBuilder b(model, NumericClass::kClose);
  const std::string between = b.Conv(b.Input("x", 3), 5, 1, 1);
  Graph graph = b.Finish(b.Conv(between, 4, kernel, stride));
  for (Node& node : graph.nodes) {
    node.precision = Precision::kI16;
    const std::vector<int64_t>& shape = model->tensor(node.weights["weight"])->shape;
    std::vector<int16_t> values(model->tensor(node.weights["weight"])->elements);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int16_t>(i % 13) - 6;
    model->AddIntegers(node.name + ".q", DType::kI16, shape, values);
    model->Add(node.name + ".scale", {shape[0]}, 0.01f, 0.02f);
    node.weights["weight"] = node.name + ".q";
    node.weights["scale"] = node.name + ".scale";
  }
  graph.quantised["x"].scales = {1.0 / 64};
  graph.quantised[between].dynamic = true;
  graph.quantised[between].max = 4095;
  return graph;
}

TEST_CASE("integer graphs: a dynamic range is that of the whole tensor, read or not") {
  TestModel model(27);
  const Graph graph = TwoConvolutions(&model, 1, 2);
  std::mt19937 random(4);
  std::map<std::string, ReferenceTensor> inputs = {{"x", RandomTensor(&random, 8, 6, 3)}};
  // Row 7, which the reader of stride 2 never sees, has the range.
  for (int x = 0; x < 6; ++x) inputs["x"].at(7, x, 1) *= 100;
  const ReferenceTensor want = RunReference(model, graph, inputs, 0.3);
  CheckEverywhere(model, graph, inputs, want, 120);
}

TEST_CASE("integer graphs: a dynamic tensor of zeros leaves the bias") {
  TestModel model(28);
  Graph graph = TwoConvolutions(&model, 3, 1);
  graph.nodes[0].weights.erase("bias");
  const std::map<std::string, ReferenceTensor> inputs = {{"x", ReferenceTensor(5, 4, 3)}};
  const ReferenceTensor got = RunExecutor(model, graph, inputs, 0.3, RunOptions());
  const TensorView* bias = model.tensor(graph.nodes[1].weights.at("bias"));
  std::vector<float> wanted(4);
  CopyAsFloat(*bias, 0, 4, wanted.data());
  for (size_t i = 0; i < got.data.size(); ++i) {
    CHECK(got.data[i] == static_cast<double>(wanted[i % 4]));
  }
}

TEST_CASE("integer graphs: steps of dynamic tensors") {
  Quantisation kept;
  kept.dynamic = true;
  kept.max = 100;
  const std::vector<float> factors = {1.0f, 0.5f, 4.0f};
  const auto step = [&](std::vector<float> most) {
    return DynamicScale(kept, factors, most.data());
  };
  CHECK(step({1.0f, 1.0f, 8.0f}) == 0.02);
  CHECK(step({3.0f, 1.0f, 8.0f}) == 0.03);
  CHECK(step({0.0f, 0.0f, 0.0f}) == 1e-12);
  CHECK(step({0.0f, INFINITY, 0.0f}) == 1e12);
  CHECK(step({NAN, 1.0f, 1.0f}) == 1e12);
  CHECK(step({1.0f, 1.0f, NAN}) == 1e12);
}

}  // namespace glint
