// What a model file says, as plain data: graphs of operators, coding steps, tables, rate control.
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

// Of a node's weights and products. kF16: half weights, sums in float. kI16: int16 inputs,
// int16 or int8 weights; kI8: uint8 inputs, int8 weights; both with int32 sums, and exact.
enum class Precision { kF32, kF16, kI16, kI8 };

constexpr bool IsInteger(Precision precision) {
  return precision == Precision::kI16 || precision == Precision::kI8;
}

inline constexpr int kMaxChannels = 4096;  // of a tensor
inline constexpr size_t kMaxNodeInputs = 64;

constexpr double kLeastStep = 1e-12, kMostStep = 1e12;  // of a Quantisation

// How a tensor is kept when not in float: value = (q - zero) * step(t) * factor[c].
struct Quantisation {
  kernels::Element element = kernels::Element::kI16;  // or kU8, kF16
  // step(t) at evenly spaced t from -1 to 1; between them its logarithm is linear, beyond constant.
  // kF16 has none: step is 1.
  std::vector<double> steps;
  // kI16: no steps; the step is the greatest magnitude over the whole tensor, by max (rate.h).
  bool dynamic = false;
  int zero = 0;        // kU8
  int max = 32767;     // kI16, kF16: q lies in -max..max
  std::string factor;  // tensor of positive factors per channel (kF16: powers of two), or empty

  int low() const { return element == kernels::Element::kU8 ? -zero : -max; }
  int high() const { return element == kernels::Element::kU8 ? 255 - zero : max; }
  // A dynamic tensor shares its scale with no other.
  bool SameScale(const Quantisation& other) const {
    return !dynamic && !other.dynamic && element == other.element && steps == other.steps &&
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

// Integer CDF tables: table i is cdf[start[i] .. start[i+1]), n + 1 cumulative counts from 0 to
// 65536, strictly increasing; symbol s of the table has the value min[i] + s, the last is the
// escape.
struct CdfTables {
  std::vector<uint32_t> cdf;
  std::vector<uint32_t> start;  // tables + 1 entries
  std::vector<int32_t> min;
  size_t count() const { return min.size(); }
};

enum class Parity { kAll, kEven, kOdd };  // of row + column

// Where a step graph's input comes from: psi, or a range of channels of the decoded latents.
struct StepInput {
  std::string name;
  bool is_psi = false;
  int channel_begin = 0;
  int channel_end = 0;
};

struct CodingStep {
  std::string graph;
  int channel_begin = 0;
  int channel_end = 0;
  Parity parity = Parity::kAll;
  int ahead = 0;  // rows beyond its segment that the step codes, for the contexts of later steps
  std::vector<StepInput> inputs;
};

struct Coding {
  int segment_rows = 64;
  int hyper_ahead = 0;            // rows of z beyond the segment's share
  CdfTables z;                    // one table per channel of z
  CdfTables y;                    // one table per scale level
  std::vector<float> thresholds;  // y.count() - 1, ascending: index = number of thresholds <= raw
  std::vector<CodingStep> steps;
};

struct RateControl {
  std::string parameter = "lrd";
  double min = 0, max = 0, default_value = 0;
  double suggested_min = 0, suggested_max = 0;
  // Training minimised bpp + lambda_per_lrd * lrd * MSE of 8-bit samples.
  double lambda_per_lrd = 0;
};

struct ModelDocument {
  int format = 0;
  std::string name;
  std::string form;  // "fp32", ...
  std::string architecture;
  int picture_channels = 3;
  // Pictures are padded to a multiple of it (edge pixels, right and bottom).
  int picture_stride = 16;
  float picture_offset = 0;  // subtracted from pixels in 0..1 before g_a, added after g_s
  int latent_channels = 0;
  int latent_stride = 16;
  int fraction_bits = 6;  // of y and y_hat as int16
  int hyper_channels = 0;
  int hyper_stride = 64;
  RateControl rate;
  std::map<std::string, Graph> graphs;  // g_a, h_a, h_s, g_s and the steps' parameter graphs
  Coding coding;
  std::string provenance;  // JSON text, for `glint info`
};

}  // namespace glint

#endif  // GLINT_ENGINE_GRAPH_H_
