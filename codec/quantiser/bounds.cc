#include "codec/quantiser/bounds.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

namespace glint::quantiser {
namespace {

std::vector<float> ReadVector(const ModelFile& model, const Node& node, const std::string& role,
                              size_t size) {
  std::vector<float> values(size, 0.0f);
  const auto name = node.weights.find(role);
  if (name != node.weights.end()) {
    CopyAsFloat(*model.tensor(name->second), 0, size, values.data());
  }
  return values;
}

// Padding is zero, which lies between the ends of every input.
Bounds OfConvolution(const Layer& layer, const std::vector<float>& matrix,
                     const std::vector<float>& bias, const Bounds& input) {
  Bounds bounds;
  for (size_t out = 0; out < layer.out_channels; ++out) {
    double low = static_cast<double>(bias[out]), high = low;
    layer.ForElements(out, [&](size_t in, size_t, size_t index) {
      const double w = static_cast<double>(matrix[index]);
      low += w * (w > 0 ? input.low[in] : input.high[in]);
      high += w * (w > 0 ? input.high[in] : input.low[in]);
    });
    bounds.low.push_back(std::min(low, 0.0));
    bounds.high.push_back(std::max(high, 0.0));
  }
  return bounds;
}

// |x / norm| is largest where the other channels are zero.
std::optional<Bounds> OfGdn(const Layer& layer, const std::vector<float>& gamma,
                            const std::vector<float>& beta, const Bounds& input) {
  const bool positive =
      std::all_of(gamma.begin(), gamma.end(), [](float v) { return v >= 0.0f; }) &&
      std::all_of(beta.begin(), beta.end(), [](float v) { return v > 0.0f; });
  if (!positive || layer.matrix.sum != Matrix::Sum::kDivides) return {};
  Bounds bounds;
  for (size_t c = 0; c < layer.out_channels; ++c) {
    const double own = static_cast<double>(gamma[layer.matrix.Index(c, c, 0)]);
    const auto divide = [&](double x) {
      const double b = static_cast<double>(beta[c]);
      return x / (layer.matrix.squares ? std::sqrt(b + own * x * x) : b + own * std::abs(x));
    };
    bounds.low.push_back(divide(input.low[c]));
    bounds.high.push_back(divide(input.high[c]));
  }
  return bounds;
}

}  // namespace

std::map<TensorKey, Bounds> BoundsFromWeights(const ModelFile& model, const ModelDocument& document,
                                              const std::vector<Layer>& layers) {
  const std::string name = "g_a";
  const Graph& graph = model.graphs().at(name);
  std::map<TensorKey, Bounds> bounds;
  const GraphInput& picture = graph.inputs[0];  // samples of 0 to 1, less the offset
  const size_t channels = static_cast<size_t>(picture.channels);
  const double offset = static_cast<double>(document.picture_offset);
  bounds[{name, picture.name}] = {std::vector<double>(channels, std::min(0.0, -offset)),
                                  std::vector<double>(channels, std::max(0.0, 1.0 - offset))};
  for (const Layer& layer : layers) {
    const auto input = bounds.find(layer.inputs[0]);
    const bool first = layer.inputs[0].tensor == picture.name;
    if (input == bounds.end() || (!layer.normalises() && !first)) continue;
    const std::vector<float> matrix = ReadMatrix(model, layer);
    const std::vector<float> bias =
        ReadVector(model, *layer.node, layer.matrix.bias, layer.out_channels);
    const std::optional<Bounds> output = layer.normalises()
                                             ? OfGdn(layer, matrix, bias, input->second)
                                             : OfConvolution(layer, matrix, bias, input->second);
    if (output) bounds[{name, layer.node->output}] = *output;
  }
  return bounds;
}

}  // namespace glint::quantiser
