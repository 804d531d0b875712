// The graphs of a model file, as plain data: operators, tensors, how they are kept.
// Filled and fully validated by engine/model_file.h; read by the planner and the codec.
// Thread rules: immutable after loading, shared freely.
#ifndef GLINT_ENGINE_GRAPH_H_
#define GLINT_ENGINE_GRAPH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/matrix.h"
#include "engine/window.h"
#include "kernels/element.h"

namespace glint {

enum class DType { kF32, kF16, kI32, kI16, kI8, kU8 };

// A tensor of the model file. `data` points into the mapped file and may be unaligned.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  const uint8_t* data = nullptr;
  size_t elements = 0;
};

using TensorTable = std::map<std::string, TensorView>;  // by name

// Of a node's weights and products. kF16: half weights, sums in float. kI16: int16 inputs,
// int16 or int8 weights; kI8: uint8 inputs, int8 weights; both with int32 sums, and exact.
enum class Precision { kF32, kF16, kI16, kI8 };

constexpr bool IsInteger(Precision precision) {
  return precision == Precision::kI16 || precision == Precision::kI8;
}

inline constexpr int kMaxChannels = 4096;  // of a tensor
inline constexpr size_t kMaxNodes = 4096;  // of a graph
inline constexpr size_t kMaxNodeInputs = 64;

constexpr double kLeastScale = 1e-12, kMostScale = 1e12;  // of a Quantisation

// How a tensor is kept when not in float: value = (q - zero) * scale(t) * factor[c].
struct Quantisation {
  kernels::Element element = kernels::Element::kI16;  // or kU8, kF16
  // scale(t) at evenly spaced t from -1 to 1; between them its logarithm is linear, beyond
  // constant. kF16 has none: the scale is 1.
  std::vector<double> scales;
  // kI16: no scales; the scale is the greatest magnitude over the whole tensor, by max (rate.h).
  bool dynamic = false;
  int zero = 0;        // kU8
  int max = 32767;     // kI16, kF16: q lies in -max..max
  std::string factor;  // tensor of positive factors per channel (kF16: powers of two), or empty

  int low() const { return element == kernels::Element::kU8 ? -zero : -max; }
  int high() const { return element == kernels::Element::kU8 ? 255 - zero : max; }
  // A dynamic tensor shares its scale with no other.
  bool SameScale(const Quantisation& other) const {
    return !dynamic && !other.dynamic && element == other.element && scales == other.scales &&
           zero == other.zero;
  }
  bool operator==(const Quantisation&) const = default;
};

// Exact: the same bits on every target, thread count and band height. Close: within tolerance.
enum class NumericClass { kExact, kClose };

struct Op;  // engine/op.h

// What an operator has besides inputs and weights: a struct of its own that it alone reads.
struct Attributes {
  virtual ~Attributes() = default;
};

struct Node {
  std::string name;
  const Op* op = nullptr;
  std::vector<std::string> inputs;
  std::string output;
  std::map<std::string, std::string> weights;    // role ("weight", "bias", "beta", ...) -> tensor
  std::shared_ptr<const Attributes> attributes;  // nullptr where the operator has none
  Precision precision = Precision::kF32;
  // Filled in when the graph is checked.
  Window window;
  std::optional<Matrix> matrix;
  // Of a causal convolution in a graph of fronts (front_graph.h): each pixel of its input has what
  // the live taps read, one tap after the other.
  bool gathered = false;
};

struct GraphInput {
  std::string name;
  int channels = 0;
};

struct Graph {
  std::string name;
  NumericClass numeric_class = NumericClass::kClose;
  std::vector<GraphInput> inputs;
  std::string output;
  std::vector<Node> nodes;  // in an order in which every input comes before its use
  std::map<std::string, Quantisation> quantised;  // tensors that are not kept in float
  std::map<std::string, int> channels;  // of every tensor, by name (from shape inference at load)
};

using Graphs = std::map<std::string, Graph>;  // by name

}  // namespace glint

#endif  // GLINT_ENGINE_GRAPH_H_
