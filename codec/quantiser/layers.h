// What there is to quantise: the layers of a model that multiply by a matrix, the tensors that they
// read, and what they cost. Called by codec/quantiser only.
// Thread rules: immutable once listed.
#ifndef GLINT_CODEC_QUANTISER_LAYERS_H_
#define GLINT_CODEC_QUANTISER_LAYERS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "codec/model/model_impl.h"
#include "engine/model_file.h"
#include "glint/quantise.hpp"
#include "kernels/element.h"

namespace glint::quantiser {

// A tensor of a graph.
struct TensorKey {
  std::string graph;
  std::string tensor;
  auto operator<=>(const TensorKey&) const = default;
};

constexpr bool IsInteger(LayerPrecision precision) { return precision >= LayerPrecision::kW16A16; }
// Time of a multiply-add, u8 x i8 on a target with fast bytes being 1 (docs/DESIGN.md).
double RelativeCost(LayerPrecision precision);

struct Layer {
  std::string graph;
  const Node* node = nullptr;
  std::vector<TensorKey> inputs;    // the parts, when it reads a concatenation that is never made
  std::vector<size_t> in_channels;  // of each input
  size_t out_channels = 0;
  double macs_per_pixel = 0;  // of the picture
  double input_pixels = 0;    // for one of the picture
  Matrix matrix;              // inputs and outputs as above
  std::string weight;         // name of its tensor
  std::string name() const { return graph + "/" + node->name; }
  size_t channels() const;  // all inputs together
  size_t taps() const { return matrix.taps; }
  // Calls visit(in, tap, index) for every element that output `out` multiplies; index: its place in
  // the order of the file.
  template <typename Visit>
  void ForElements(size_t out, const Visit& visit) const {
    const Matrix::Inputs range = matrix.InputsOf(out);
    for (size_t in = range.first; in < range.last; ++in) {
      for (size_t tap = 0; tap < taps(); ++tap) {
        if (matrix.IsLive(tap)) visit(in, tap, matrix.Index(out, in, tap));
      }
    }
  }
  // Each output has an input of its own: then there are no products of several channels, whose
  // errors could make up for each other, and no channels to add for digits.
  bool is_depthwise() const { return matrix.order == Matrix::Order::kDepthwise; }
  // Divides or multiplies what it reads by its sums, as a GDN does.
  bool normalises() const { return matrix.normalises(); }
};

// Channels of a layer's input that have two digits (op digits in docs/MODEL_FORMAT.md). `low`: the
// second digit holds what 8 bits lose of the activation. `coarse`: it is multiplied by what 8 bits
// lose of the weights.
struct Split {
  std::vector<size_t> low, coarse;
  size_t channels() const { return low.size() + coarse.size(); }
};
constexpr float kDigitBase = kernels::kDigit;
// The layer as it is in the file: its digits are input channels, behind the others.
Layer WithDigits(const Layer& layer, const Split& split);

// The matrix of a layer as floats, in the order of the file.
std::vector<float> ReadMatrix(const ModelFile& model, const Layer& layer);

// Every node with a matrix, graph by graph, in the order of the document; but not of the graphs for
// shrunk pictures, which are fitted to what becomes of the others.
std::vector<Layer> ListLayers(const Model::Impl& model);
// Of those graphs.
std::vector<Layer> ListShrunkLayers(const Model::Impl& model);

// The graphs between z and the symbols, and h_a.
bool IsEntropyGraph(const std::string& graph);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_LAYERS_H_
