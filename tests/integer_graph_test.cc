// Graphs in integers through planner and executor: the same bits on every target, band height and
// thread count, and close to the float graph that they stand for.

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <tuple>

#include "engine/rate.h"
#include "kernels/targets.h"
#include "tests/graph_builder.h"

namespace glint {
namespace {

// The largest magnitude in `tensor` of a float graph.
double Largest(const TestModel& model, const Graph& graph, const std::string& tensor,
               const std::map<std::string, ReferenceTensor>& inputs) {
  double largest = 0;
  const auto input = inputs.find(tensor);
  Graph part = graph;
  part.outputs = {tensor};
  const ReferenceTensor values =
      input != inputs.end() ? input->second : RunReference(model, part, inputs, 0.3);
  for (const double v : values.data) largest = std::max(largest, std::abs(v));
  return largest;
}

struct Form {
  Precision precision = Precision::kI16;
  int weight_most = 511;
  int value_most = 4095;
  bool dynamic = false;  // with factors
};

// The graph with every matrix in integers, and every tensor that one reads or that is added.
Graph Quantised(TestModel* model, const Graph& graph, const Form& form,
                const std::map<std::string, ReferenceTensor>& inputs) {
  Graph out = graph;
  std::mt19937 random(5);
  const auto keep = [&](const std::string& tensor) {
    if (out.quantised.count(tensor) > 0 || tensor == graph.outputs[0]) return;
    Quantisation quantisation;
    const double largest = Largest(*model, graph, tensor, inputs);
    if (form.precision == Precision::kI8) {
      quantisation.element = kernels::Element::kU8;
      quantisation.zero = 128;
      quantisation.steps = {largest / 126.0};
    } else {
      quantisation.max = form.value_most;
      // Three knots of one value.
      quantisation.steps = {largest / form.value_most, largest / form.value_most,
                            largest / form.value_most};
      const bool is_input = inputs.count(tensor) > 0;
      if (form.dynamic && !is_input) {
        quantisation.steps.clear();
        quantisation.dynamic = true;
        quantisation.factor = tensor + ".factor";
        model->Add(quantisation.factor, {graph.channels.at(tensor)}, 0.5f, 2.0f);
      }
    }
    out.quantised[tensor] = quantisation;
  };
  for (Node& node : out.nodes) {
    const bool gdn = node.op == OpType::kGdn;
    if (node.op == OpType::kAdd) {
      for (const std::string& input : node.inputs) {
        if (out.quantised.count(input) == 0 && random() % 2 == 0) keep(input);
      }
    }
    if (!gdn && node.op != OpType::kConv2d && node.op != OpType::kConvTranspose2d) continue;
    keep(node.inputs[0]);
    node.precision = form.precision;
    const std::string role = gdn ? "gamma" : "weight";
    const TensorView* view = model->tensor(node.weights.at(role));
    std::vector<float> values(view->elements);
    CopyAsFloat(*view, 0, values.size(), values.data());
    const bool transposed = node.op == OpType::kConvTranspose2d;
    const size_t outputs = static_cast<size_t>(view->shape[transposed ? 1 : 0]);
    const size_t taps = gdn ? 1 : static_cast<size_t>(view->shape[2] * view->shape[3]);
    const size_t width = values.size() / outputs / taps;
    std::vector<float> scale(outputs, 0.0f);
    const auto output_of = [&](size_t i) {
      return transposed ? i / taps % outputs : i / (taps * width);
    };
    // The matrix takes the factors of its input.
    const std::vector<float> factors = ReadFactors(*model, out.quantised.at(node.inputs[0]), width);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] *= factors[transposed ? i / (taps * outputs) : i / taps % width];
    }
    for (size_t i = 0; i < values.size(); ++i) {
      float& largest = scale[output_of(i)];
      largest = std::max(largest, std::abs(values[i]));
    }
    for (float& s : scale) s = s / static_cast<float>(form.weight_most);
    std::vector<int16_t> integers(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      integers[i] = static_cast<int16_t>(std::lround(values[i] / scale[output_of(i)]));
    }
    const std::string name = node.name + ".q";
    if (form.precision == Precision::kI8) {
      model->AddIntegers(name, DType::kI8, view->shape,
                         std::vector<int8_t>(integers.begin(), integers.end()));
    } else {
      model->AddIntegers(name, DType::kI16, view->shape, integers);
    }
    model->AddIntegers(node.name + ".scale", DType::kF32, {static_cast<int64_t>(outputs)}, scale);
    node.weights[role] = name;
    node.weights["scale"] = node.name + ".scale";
  }
  return out;
}

// Signal to noise, dB.
double Snr(const ReferenceTensor& want, const ReferenceTensor& got) {
  double signal = 0, noise = 1e-300;
  for (size_t i = 0; i < want.data.size(); ++i) {
    signal += want.data[i] * want.data[i];
    noise += (want.data[i] - got.data[i]) * (want.data[i] - got.data[i]);
  }
  return 10 * std::log10(signal / noise);
}

ReferenceTensor RandomTensor(std::mt19937* random, int height, int width, int channels) {
  ReferenceTensor tensor(height, width, channels);
  std::normal_distribution<float> value(0.0f, 1.0f);
  for (double& v : tensor.data) v = static_cast<double>(value(*random));
  return tensor;
}

// On every target, with bands and threads, the same bits; and near what `want` holds.
void CheckEverywhere(const TestModel& model, const Graph& graph,
                     const std::map<std::string, ReferenceTensor>& inputs,
                     const ReferenceTensor& want, double least_snr) {
  std::vector<double> first;
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    for (const long band : {1L, 3L, 64L}) {
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

void Check(TestModel* model, const Graph& graph, const Form& form, double least_snr, int height,
           int width) {
  std::mt19937 random(3);
  std::map<std::string, ReferenceTensor> inputs;
  for (const GraphInput& input : graph.inputs) {
    inputs[input.name] = RandomTensor(&random, height, width, input.channels);
  }
  const ReferenceTensor want = RunReference(*model, graph, inputs, 0.3);
  const Graph integers = Quantised(model, graph, form, inputs);
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
  graph.quantised["x"].steps = {1.0 / 64};
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

// An int16 convolution, its output split into bytes, and a reader of those; all int8 weights occur.
Graph WithDigits(TestModel* model, bool transposed, int kernel, int stride) {
  GraphBuilder b(model, NumericClass::kClose);
  const std::string between = b.Conv(b.Input("x", 4), 6, 1, 1);
  const std::string bytes = b.Digits(between, {5, 0, 2}, {2});
  const std::string end =
      transposed ? b.Deconv(bytes, 20, kernel) : b.Conv(bytes, 20, kernel, stride);
  Graph graph = b.Finish(end);
  int weight = 0;
  for (Node& node : graph.nodes) {
    if (node.op == OpType::kDigits) continue;
    const bool first = node.output == between;
    node.precision = first ? Precision::kI16 : Precision::kI8;
    const std::vector<int64_t>& shape = model->tensor(node.weights["weight"])->shape;
    std::vector<int8_t> values(model->tensor(node.weights["weight"])->elements);
    for (int8_t& value : values) value = static_cast<int8_t>((weight += 37) % 256 - 128);
    model->AddIntegers(node.name + ".q", DType::kI8, shape, values);
    model->Add(node.name + ".scale", {shape[node.op == OpType::kConvTranspose2d ? 1 : 0]},
               first ? 0.002f : 0.01f, first ? 0.004f : 0.02f);
    node.weights["weight"] = node.name + ".q";
    node.weights["scale"] = node.name + ".scale";
  }
  graph.quantised["x"].steps = {1.0 / 64};
  // Of values up to about 1.5 a part lies beyond the bytes on either side.
  Quantisation& words = graph.quantised[between];
  words.max = 4095;
  words.steps = {0x1p-12, 0x1p-11, 0x1p-12};
  words.factor = "factor";
  model->Add("factor", {6}, 0.5f, 1.5f);
  Quantisation& digits = graph.quantised[bytes];
  digits.element = kernels::Element::kU8;
  digits.zero = 90;
  digits.steps = {0x1p-8, 0x1p-7, 0x1p-8};
  return graph;
}

TEST_CASE("integer graphs: digits, the integers of the plain loops everywhere") {
  std::mt19937 random(6);
  const std::map<std::string, ReferenceTensor> inputs = {{"x", RandomTensor(&random, 9, 14, 4)}};
  for (const auto& [transposed, kernel, stride] :
       std::vector<std::tuple<bool, int, int>>{{false, 5, 2}, {false, 1, 1}, {true, 5, 2}}) {
    TestModel model(29);
    const Graph graph = WithDigits(&model, transposed, kernel, stride);
    const ReferenceTensor want = RunReference(model, graph, inputs, 0.3);
    CheckEverywhere(model, graph, inputs, want, 110);
  }
}

TEST_CASE("integer graphs: steps of dynamic tensors") {
  Quantisation kept;
  kept.dynamic = true;
  kept.max = 100;
  const std::vector<float> factors = {1.0f, 0.5f, 4.0f};
  const auto step = [&](std::vector<float> most) {
    return DynamicStep(kept, factors, most.data());
  };
  CHECK(step({1.0f, 1.0f, 8.0f}) == 0.02);
  CHECK(step({3.0f, 1.0f, 8.0f}) == 0.03);
  CHECK(step({0.0f, 0.0f, 0.0f}) == 1e-12);
  CHECK(step({0.0f, INFINITY, 0.0f}) == 1e12);
  CHECK(step({NAN, 1.0f, 1.0f}) == 1e12);
  CHECK(step({1.0f, 1.0f, NAN}) == 1e12);
}

}  // namespace glint
