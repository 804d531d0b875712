#include "tests/reference_graph.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/op.h"
#include "engine/rate.h"
#include "tests/float16.h"

namespace glint {
namespace {

std::map<std::string, Twin>& Twins() {
  static std::map<std::string, Twin> twins;
  return twins;
}

// A tensor that the graph does not keep in float is rounded when it is made.
void Keep(const TestModel& model, const Graph& graph, const std::string& name, double t,
          ReferenceTensor* tensor) {
  const auto found = graph.quantised.find(name);
  if (found == graph.quantised.end()) return;
  const Quantisation& kept = found->second;
  const std::vector<float> factors = FactorsOf(model, graph, name);
  if (kept.element == kernels::Element::kF16) {
    for (size_t i = 0; i < tensor->data.size(); ++i) {
      const float factor = factors[i % factors.size()];
      const float rounded = NearestFloat16(static_cast<float>(tensor->data[i]) / factor,
                                           static_cast<float>(kept.max));
      tensor->data[i] = static_cast<double>(rounded * factor);
    }
    return;
  }
  const auto factor = [&](size_t i) { return static_cast<double>(factors[i % factors.size()]); };
  double step = EvaluateScale(kept, t);
  if (kept.dynamic) {
    double most = 0;
    for (size_t i = 0; i < tensor->data.size(); ++i) {
      most = std::max(most, std::abs(tensor->data[i]) / factor(i));
    }
    step = std::max(most / kept.max, 1e-12);
  }
  for (size_t i = 0; i < tensor->data.size(); ++i) {
    const double unit = step * factor(i);
    const double q = std::clamp(tensor->data[i] / unit, static_cast<double>(kept.low()),
                                static_cast<double>(kept.high()));
    tensor->data[i] = std::nearbyint(q) * unit;
  }
}

}  // namespace

RegisterTwin::RegisterTwin(const std::string& op, Twin twin) { Twins()[op] = twin; }

std::vector<float> TwinNode::Weight(const std::string& role) const {
  const auto name = node.weights.find(role);
  if (name == node.weights.end()) return {};
  const TensorView* view = model.tensor(name->second);
  std::vector<float> out(view->elements);
  CopyAsFloat(*view, 0, out.size(), out.data());
  return out;
}

const std::vector<int64_t>& TwinNode::Shape(const std::string& role) const {
  return model.tensor(node.weights.at(role))->shape;
}

std::vector<float> TwinNode::Matrix(const std::string& role, size_t outputs, size_t inputs) const {
  std::vector<float> matrix = Weight(role);
  if (!IsInteger(node.precision)) return matrix;
  const std::vector<float> scale = Weight("scale");
  const std::vector<float> factors = FactorsOf(model, graph, node.inputs[0]);
  const std::vector<int64_t>& shape = Shape(role);
  for (size_t i = 0; i < matrix.size(); ++i) {
    std::vector<size_t> at(shape.size());
    size_t rest = i;
    for (size_t d = shape.size(); d-- > 0; rest /= static_cast<size_t>(shape[d])) {
      at[d] = rest % static_cast<size_t>(shape[d]);
    }
    matrix[i] *= scale[at[outputs]] / factors[at[inputs]];
  }
  return matrix;
}

double TwinNode::Rounded(double v) const {
  return mode == ReferenceMode::kDouble ? v : static_cast<double>(static_cast<float>(v));
}

double TwinNode::MultiplyAdd(double acc, double w, double x) const {
  if (mode == ReferenceMode::kDouble) return acc + w * x;
  const float product = static_cast<float>(w) * static_cast<float>(x);
  return static_cast<double>(static_cast<float>(acc) + product);
}

std::vector<float> FactorsOf(const TestModel& model, const Graph& graph,
                             const std::string& tensor) {
  for (const Node& node : graph.nodes) {
    if (node.output != tensor || std::string(node.op->name) != "digits") continue;
    const std::vector<float> in = FactorsOf(model, graph, node.inputs[0]);
    std::vector<float> factors = in;
    const testing::Json& attributes = model.attributes(node.name);
    for (const size_t c : attributes["low"]) factors.push_back(in[c] / 16);
    for (const size_t c : attributes["coarse"]) factors.push_back(in[c] * 16);
    return factors;
  }
  const size_t channels = static_cast<size_t>(graph.channels.at(tensor));
  const auto kept = graph.quantised.find(tensor);
  return kept == graph.quantised.end() ? std::vector<float>(channels, 1.0f)
                                       : ReadFactors(model, kept->second, channels);
}

ReferenceTensor RunReference(const TestModel& model, const Graph& graph,
                             const std::map<std::string, ReferenceTensor>& inputs, double t,
                             ReferenceMode mode) {
  std::map<std::string, ReferenceTensor> tensors = inputs;
  for (auto& [name, tensor] : tensors) Keep(model, graph, name, t, &tensor);
  for (const Node& node : graph.nodes) {
    TwinNode twin{model, graph, node, model.attributes(node.name), {}, t, mode};
    for (const std::string& name : node.inputs) twin.in.push_back(&tensors.at(name));
    REQUIRE(Twins().count(std::string(node.op->name)) == 1);
    ReferenceTensor out = Twins().at(std::string(node.op->name))(twin);
    Keep(model, graph, node.output, t, &out);
    tensors[node.output] = std::move(out);
  }
  return tensors.at(graph.output);
}

}  // namespace glint
