#include "codec/quantiser/layers.h"

#include <cmath>
#include <map>
#include <numeric>

#include "engine/row_math.h"

namespace glint::quantiser {
namespace {

bool HasMatrix(const Node& node) {
  return node.op == OpType::kConv2d || node.op == OpType::kConvTranspose2d ||
         node.op == OpType::kGdn;
}

// Picture pixels for one pixel of a graph's input.
double InputArea(const ModelDocument& document, const std::string& graph) {
  const double stride = graph == "g_a"   ? 1.0
                        : graph == "h_s" ? document.hyper_stride
                                         : document.latent_stride;
  return stride * stride;
}

double PositionShare(const ModelDocument& document, const std::string& graph) {
  for (const CodingStep& step : document.coding.steps) {
    if (step.graph == graph && step.parity != Parity::kAll) return 0.5;
  }
  return 1.0;
}

// The tensors behind a name: a concatenation that is only a list of its parts, else itself.
std::vector<std::string> PartsOf(const Graph& graph, const std::string& tensor) {
  for (const Node& node : graph.nodes) {
    if (node.output == tensor && node.op == OpType::kConcat) return node.inputs;
  }
  return {tensor};
}

size_t LiveTaps(const Layer& layer) {
  size_t live = 0;
  for (size_t tap = 0; tap < layer.taps(); ++tap) live += IsLiveTap(layer, tap) ? 1 : 0;
  return live;
}

Layer MakeLayer(const Graph& graph, const Node& node) {
  Layer layer;
  layer.graph = graph.name;
  layer.node = &node;
  for (const std::string& part : PartsOf(graph, node.inputs[0])) {
    layer.inputs.push_back({graph.name, part});
    layer.in_channels.push_back(static_cast<size_t>(graph.channels.at(part)));
  }
  layer.out_channels = static_cast<size_t>(graph.channels.at(node.output));
  layer.matrix = node.weights.at(layer.is_gdn() ? "gamma" : "weight");
  return layer;
}

}  // namespace

double RelativeCost(LayerPrecision precision) {
  return precision == LayerPrecision::kW8A8 ? 1.0 : IsInteger(precision) ? 2.0 : 4.0;
}

size_t Layer::channels() const {
  return std::accumulate(in_channels.begin(), in_channels.end(), size_t{0});
}

Layer WithDigits(const Layer& layer, const Split& split) {
  Layer widened = layer;
  widened.in_channels[0] += split.channels();
  return widened;
}

std::vector<float> ReadMatrix(const ModelFile& model, const Layer& layer) {
  const TensorView* view = model.tensor(layer.matrix);
  std::vector<float> values(view->elements);
  CopyAsFloat(*view, 0, values.size(), values.data());
  return values;
}

size_t MatrixIndex(const Layer& layer, size_t out, size_t in, size_t tap) {
  const bool transposed = layer.node->op == OpType::kConvTranspose2d;
  const size_t row = transposed ? in * layer.out_channels + out : out * layer.channels() + in;
  return row * layer.taps() + tap;
}

bool IsLiveTap(const Layer& layer, size_t tap) {
  if (layer.node->mask == ConvMask::kNone) return true;
  const size_t kernel = static_cast<size_t>(layer.node->kernel);
  return (tap / kernel + tap % kernel) % 2 == 1;
}

std::vector<Layer> ListLayers(const ModelFile& model) {
  std::vector<Layer> layers;
  const ModelDocument& document = model.document();
  for (const auto& [name, graph] : document.graphs) {
    std::map<std::string, TensorScale> scales;
    for (const GraphInput& input : graph.inputs) scales[input.name] = TensorScale();
    const double share = PositionShare(document, name) / InputArea(document, name);
    for (const Node& node : graph.nodes) {
      const TensorScale scale = OutputScale(node, scales.at(node.inputs[0]));
      scales[node.output] = scale;
      if (!HasMatrix(node)) continue;
      Layer layer = MakeLayer(graph, node);
      const double taps =
          static_cast<double>(LiveTaps(layer)) / (node.op == OpType::kConvTranspose2d ? 4.0 : 1.0);
      layer.macs_per_pixel = taps * static_cast<double>(layer.channels() * layer.out_channels) *
                             share * std::pow(4.0, scale.level);
      layers.push_back(std::move(layer));
    }
  }
  return layers;
}

bool IsEntropyGraph(const std::string& graph) { return graph != "g_a" && graph != "g_s"; }

}  // namespace glint::quantiser
