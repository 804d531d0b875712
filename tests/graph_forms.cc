#include "tests/graph_forms.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/float16.h"
#include "engine/op.h"
#include "engine/rate.h"

namespace glint {
namespace {

// The largest magnitude in `tensor` of a float graph.
double Largest(const TestModel& model, const Graph& graph, const std::string& tensor,
               const GraphInputs& inputs) {
  double largest = 0;
  const auto input = inputs.find(tensor);
  Graph part = graph;
  part.output = tensor;
  const ReferenceTensor values =
      input != inputs.end() ? input->second : RunReference(model, part, inputs, 0.3);
  for (const double v : values.data) largest = std::max(largest, std::abs(v));
  return largest;
}

Quantisation FormOf(TestModel* model, const Graph& graph, const std::string& tensor,
                    const IntegerForm& form, const GraphInputs& inputs) {
  Quantisation quantisation;
  const double largest = Largest(*model, graph, tensor, inputs);
  if (form.precision == Precision::kI8) {
    quantisation.element = kernels::Element::kU8;
    quantisation.zero = 128;
    quantisation.scales = {largest / 126.0};
    return quantisation;
  }
  quantisation.max = form.value_most;
  if (form.dynamic && inputs.count(tensor) == 0) {
    quantisation.dynamic = true;
    quantisation.factor = tensor + ".factor";
    model->Add(quantisation.factor, {graph.channels.at(tensor)}, 0.5f, 2.0f);
  } else {
    quantisation.scales.assign(3, largest / form.value_most);  // three knots of one value
  }
  return quantisation;
}

// The matrix takes the factors of its input.
void RoundMatrix(TestModel* model, const Graph& graph, const IntegerForm& form, Node* node) {
  const Matrix& matrix = *node->matrix;
  const TensorView* view = model->tensor(node->weights.at(matrix.role));
  std::vector<float> values(view->elements);
  CopyAsFloat(*view, 0, values.size(), values.data());
  const std::vector<float> factors = FactorsOf(*model, graph, node->inputs[0]);
  std::vector<float> scale(matrix.outputs, 0.0f);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] *= factors[matrix.InputOf(i)];
    float& largest = scale[matrix.OutputOf(i)];
    largest = std::max(largest, std::abs(values[i]));
  }
  for (float& s : scale) s = s / static_cast<float>(form.weight_most);
  std::vector<int16_t> integers(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    integers[i] = static_cast<int16_t>(std::lround(values[i] / scale[matrix.OutputOf(i)]));
  }
  const std::string name = node->name + ".q";
  if (form.precision == Precision::kI8) {
    model->AddIntegers(name, DType::kI8, view->shape,
                       std::vector<int8_t>(integers.begin(), integers.end()));
  } else {
    model->AddIntegers(name, DType::kI16, view->shape, integers);
  }
  model->AddIntegers(node->name + ".scale", DType::kF32, {static_cast<int64_t>(matrix.outputs)},
                     scale);
  node->weights[matrix.role] = name;
  node->weights["scale"] = node->name + ".scale";
}

}  // namespace

ReferenceTensor RandomTensor(std::mt19937* random, int height, int width, int channels) {
  ReferenceTensor tensor(height, width, channels);
  std::normal_distribution<float> value(0.0f, 1.0f);
  for (double& v : tensor.data) v = static_cast<double>(value(*random));
  return tensor;
}

GraphInputs RandomInputs(const Graph& graph, int height, int width, std::mt19937* random) {
  GraphInputs inputs;
  for (const GraphInput& input : graph.inputs) {
    inputs[input.name] = RandomTensor(random, height, width, input.channels);
  }
  return inputs;
}

double WorstRelative(const ReferenceTensor& a, const ReferenceTensor& b) {
  double norm = 1e-300, worst = 0;
  for (size_t i = 0; i < a.data.size(); ++i) {
    norm = std::max(norm, std::abs(b.data[i]));
    worst = std::max(worst, std::abs(a.data[i] - b.data[i]));
  }
  return worst / norm;
}

double Snr(const ReferenceTensor& want, const ReferenceTensor& got) {
  double signal = 0, noise = 1e-300;
  for (size_t i = 0; i < want.data.size(); ++i) {
    signal += want.data[i] * want.data[i];
    noise += (want.data[i] - got.data[i]) * (want.data[i] - got.data[i]);
  }
  return 10 * std::log10(signal / noise);
}

Graph InIntegers(TestModel* model, const Graph& graph, const IntegerForm& form,
                 const GraphInputs& inputs) {
  Graph out = graph;
  std::mt19937 random(5);
  const auto keep = [&](const std::string& tensor) {
    if (out.quantised.count(tensor) > 0 || tensor == graph.output) return;
    out.quantised[tensor] = FormOf(model, graph, tensor, form, inputs);
  };
  for (Node& node : out.nodes) {
    if (node.op->fusion->slot == Slot::kResidual) {
      for (const std::string& input : node.inputs) {
        if (out.quantised.count(input) == 0 && random() % 2 == 0) keep(input);
      }
    }
    if (!node.matrix) continue;
    keep(node.inputs[0]);
    node.precision = form.precision;
    RoundMatrix(model, out, form, &node);
  }
  return out;
}

Graph KeepSome(TestModel* model, const Graph& graph, const IntegerForm& form,
               const GraphInputs& inputs, std::mt19937* random) {
  Graph out = graph;
  for (const auto& entry : graph.channels) {
    const std::string& tensor = entry.first;
    if (tensor == graph.output || out.quantised.count(tensor) > 0 || (*random)() % 2 == 0) continue;
    out.quantised[tensor] = FormOf(model, graph, tensor, form, inputs);
  }
  return out;
}

Graph InFloat16(TestModel* model, const Graph& graph, unsigned every, unsigned seed) {
  Graph out = graph;
  std::mt19937 random(seed + every);
  const auto keep = [&](const std::string& tensor) {
    if (tensor == graph.output || random() % every == 0) return;
    Quantisation& quantisation = out.quantised[tensor];
    quantisation.element = kernels::Element::kF16;
    quantisation.max = random() % 3 == 0 ? 1 + static_cast<int>(random() % 4) : 65504;
    if (random() % 2 == 0) return;
    std::vector<float> factors(static_cast<size_t>(graph.channels.at(tensor)));
    for (float& factor : factors) factor = std::ldexp(1.0f, static_cast<int>(random() % 5) - 2);
    quantisation.factor = tensor + ".factor";
    model->AddIntegers(quantisation.factor, DType::kF32, {graph.channels.at(tensor)}, factors);
  };
  for (const GraphInput& input : graph.inputs) keep(input.name);
  for (Node& node : out.nodes) {
    keep(node.output);
    if (!node.matrix || random() % every == 0) continue;
    node.precision = Precision::kF16;
    std::string& name = node.weights[node.matrix->role];
    const TensorView view = *model->tensor(name);
    std::vector<float> values(view.elements);
    CopyAsFloat(view, 0, values.size(), values.data());
    std::vector<uint16_t> words(values.size());
    for (size_t i = 0; i < words.size(); ++i) words[i] = FloatToFloat16(values[i]);
    name += ".f16";
    model->AddIntegers(name, DType::kF16, view.shape, words);
  }
  return out;
}

}  // namespace glint
