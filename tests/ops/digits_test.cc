// digits against its definition: between a convolution of int16 and one of bytes.

#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/rate.h"
#include "tests/ops/op_test.h"

namespace glint {
namespace {

// What each digit stands for; they add up to nothing that has a meaning by itself.
ReferenceTensor Digits(const TwinNode& n) {
  const Quantisation& kept = n.graph.quantised.at(n.node.output);
  const std::vector<float> factors = FactorsOf(n.model, n.graph, n.node.output);
  const double step = EvaluateScale(kept, n.t);
  const ReferenceTensor& in = *n.in[0];
  ReferenceTensor out(in.height, in.width, static_cast<int>(factors.size()));
  for (int y = 0; y < in.height; ++y) {
    for (int x = 0; x < in.width; ++x) {
      const auto integer = [&](int c) {
        const double unit = step / 16 * static_cast<double>(factors[static_cast<size_t>(c)]);
        return static_cast<int>(std::lround(in.at(y, x, c) / unit));
      };
      const auto first = [&](int c) {
        const double q = std::floor((integer(c) + 8) / 16.0);
        return static_cast<int>(
            std::clamp(q, static_cast<double>(kept.low()), static_cast<double>(kept.high())));
      };
      std::vector<int> q;
      for (int c = 0; c < in.channels; ++c) q.push_back(first(c));
      for (const int c : n.attributes["low"]) {
        q.push_back(std::clamp(integer(c) - 16 * first(c), -8, 7));
      }
      for (const int c : n.attributes["coarse"]) {
        q.push_back(static_cast<int>(std::floor((first(c) + 8) / 16.0)));
      }
      for (int c = 0; c < out.channels; ++c) {
        out.at(y, x, c) =
            q[static_cast<size_t>(c)] * step * static_cast<double>(factors[static_cast<size_t>(c)]);
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("digits", Digits);

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
    if (!node.matrix) continue;
    const bool first = node.output == between;
    node.precision = first ? Precision::kI16 : Precision::kI8;
    const std::vector<int64_t>& shape = model->tensor(node.weights["weight"])->shape;
    std::vector<int8_t> values(model->tensor(node.weights["weight"])->elements);
    for (int8_t& value : values) value = static_cast<int8_t>((weight += 37) % 256 - 128);
    model->AddIntegers(node.name + ".q", DType::kI8, shape, values);
    model->Add(node.name + ".scale", {static_cast<int64_t>(node.matrix->outputs)},
               first ? 0.002f : 0.01f, first ? 0.004f : 0.02f);
    node.weights["weight"] = node.name + ".q";
    node.weights["scale"] = node.name + ".scale";
  }
  graph.quantised["x"].scales = {1.0 / 64};
  // Of values up to about 1.5 a part lies beyond the bytes on either side.
  Quantisation& words = graph.quantised[between];
  words.max = 4095;
  words.scales = {0x1p-12, 0x1p-11, 0x1p-12};
  words.factor = "factor";
  model->Add("factor", {6}, 0.5f, 1.5f);
  Quantisation& digits = graph.quantised[bytes];
  digits.element = kernels::Element::kU8;
  digits.zero = 90;
  digits.scales = {0x1p-8, 0x1p-7, 0x1p-8};
  return graph;
}

}  // namespace

TEST_CASE("operators: digits, the integers of the plain loops everywhere") {
  std::mt19937 random(6);
  const std::map<std::string, ReferenceTensor> inputs = {{"x", RandomTensor(&random, 9, 14, 4)}};
  for (const auto& [transposed, kernel, stride] :
       std::vector<std::tuple<bool, int, int>>{{false, 5, 2}, {false, 1, 1}, {true, 5, 2}}) {
    TestModel model(29);
    const Graph graph = WithDigits(&model, transposed, kernel, stride);
    const ReferenceTensor want = RunReference(model, graph, inputs, 0.3);
    testing::RunEverywhere(model, graph, inputs, true,
                           [&](const ReferenceTensor& got) { CHECK(Snr(want, got) > 110); });
  }
}

TEST_CASE("operators: digits, what is refused") {
  CHECK(testing::Refusal({"digits", {3}, {{"low", {2}}, {"coarse", testing::Json::array()}}})
            .empty());
  CHECK(testing::Refusal({"digits", {3}, {{"low", {3}}, {"coarse", testing::Json::array()}}}) ==
        "its input has no channel 3");
}

}  // namespace glint
