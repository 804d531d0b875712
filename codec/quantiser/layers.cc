#include "codec/quantiser/layers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/op.h"
#include "engine/window.h"

namespace glint::quantiser {
namespace {

// Picture pixels for one pixel of a graph's input.
double InputArea(const ModelDocument& document, const std::string& graph) {
  const double stride = graph == "g_a"   ? 1.0
                        : graph == "h_s" ? document.hyper_stride
                                         : document.latent_stride;
  return stride * stride;
}

double PositionShare(const ModelDocument& document, const std::string& graph) {
  for (const CodingStep& step : document.coding.steps) {
    if (step.graph == graph) return ShareOf(step.positions());
  }
  return 1.0;
}

size_t LiveTaps(const Matrix& matrix) {
  size_t live = 0;
  for (size_t tap = 0; tap < matrix.taps; ++tap) live += matrix.IsLive(tap) ? 1 : 0;
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
  layer.matrix = *node.matrix;
  layer.weight = node.weights.at(layer.matrix.role);
  return layer;
}

bool IsShrunkGraph(const ModelDocument& document, const std::string& graph) {
  return std::any_of(document.shrunk.begin(), document.shrunk.end(),
                     [&](const auto& entry) { return entry.second.graph == graph; });
}

void AppendLayers(const ModelDocument& document, const Graph& graph, std::vector<Layer>* layers) {
  std::map<std::string, TensorScale> scales;
  for (const GraphInput& input : graph.inputs) scales[input.name] = TensorScale();
  const double area = InputArea(document, graph.name);
  const double share = PositionShare(document, graph.name) / area;
  for (const Node& node : graph.nodes) {
    const TensorScale before = scales.at(node.inputs[0]);
    const TensorScale scale = before.Behind(node.window);
    scales[node.output] = scale;
    if (!node.matrix) continue;
    Layer layer = MakeLayer(graph, node);
    layer.input_pixels = std::pow(4.0, before.level) / area;
    const double taps =
        static_cast<double>(LiveTaps(layer.matrix)) / static_cast<double>(layer.matrix.phases);
    layer.macs_per_pixel = taps *
                           static_cast<double>(layer.matrix.inputs_summed() * layer.out_channels) *
                           share * std::pow(4.0, scale.level);
    layers->push_back(std::move(layer));
  }
}

std::vector<Layer> ListLayersOf(const Model::Impl& model, bool shrunk) {
  std::vector<Layer> layers;
  for (const auto& [name, graph] : model.graphs()) {
    if (IsShrunkGraph(model.document, name) == shrunk) AppendLayers(model.document, graph, &layers);
  }
  return layers;
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
  widened.matrix.inputs += split.channels();
  return widened;
}

std::vector<float> ReadMatrix(const ModelFile& model, const Layer& layer) {
  const TensorView* view = model.tensor(layer.weight);
  std::vector<float> values(view->elements);
  CopyAsFloat(*view, 0, values.size(), values.data());
  return values;
}

std::vector<Layer> ListLayers(const Model::Impl& model) { return ListLayersOf(model, false); }

std::vector<Layer> ListShrunkLayers(const Model::Impl& model) { return ListLayersOf(model, true); }

bool IsEntropyGraph(const std::string& graph) { return graph != "g_a" && graph != "g_s"; }

}  // namespace glint::quantiser
