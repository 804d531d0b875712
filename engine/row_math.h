// Which rows of a tensor belong to which rows of another: strides, kernels, padding, whole graphs.
// Called by engine/ (validation, executor) and codec/ (which rows a segment needs).
// Thread rules: values, immutable after construction.
#ifndef GLINT_ENGINE_ROW_MATH_H_
#define GLINT_ENGINE_ROW_MATH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/graph.h"

namespace glint {

// Rows of one operator. Row ranges are [0, end), clamped to the tensors.
//   conv2d             output row o reads input rows o * stride - padding .. + kernel - 1
//   conv_transpose2d   output row o reads input rows i with o = 2 i - padding + ky, 0 <= ky <
//   kernel all others         output row o reads input row o
struct RowRule {
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  bool transposed = false;
  // Transposed only: output rows 2m and 2m + 1 are computed together.
  bool pairs = false;

  static RowRule Of(const Node& node);

  int64_t OutHeight(int64_t in_height) const;
  // First input row that output row `o` reads, clamped at 0.
  int64_t InputBegin(int64_t o) const;
  // Input rows [0, result) that output rows [0, out_end) read.
  int64_t InputEnd(int64_t out_end, int64_t in_height) const;
  // The most output rows [0, result) that input rows [0, in_end) suffice for.
  int64_t OutputEnd(int64_t in_end, int64_t in_height) const;
};

// Height of a tensor as a function of the graph's input height h: ceil(h / 2^-lowest) * 2^(level -
// lowest). `lowest` <= 0 is the smallest level on the way.
struct TensorScale {
  int lowest = 0;
  int level = 0;

  bool operator==(const TensorScale&) const = default;
  TensorScale Down() const;
  TensorScale Up() const;
  int64_t Height(int64_t in_height) const;
};

// Scale of a node's output from that of its inputs.
TensorScale OutputScale(const Node& node, TensorScale input);

// Rows of a whole graph with one output. The graph must be valid (engine/graph_check.h). Transposed
// convolutions are counted in pairs of rows: an implementation may compute two at once.
class GraphRows {
 public:
  // An input height that no clamping reaches.
  static constexpr int64_t kEndless = int64_t{1} << 40;

  explicit GraphRows(const Graph& graph);

  size_t input_count() const { return inputs_; }
  TensorScale output_scale() const { return scales_[output_]; }
  int64_t OutHeight(int64_t in_height) const { return output_scale().Height(in_height); }
  // Rows [0, result[i]) of input i that output rows [0, out_end) need.
  std::vector<int64_t> InputEnds(int64_t out_end, int64_t in_height) const;
  // The most output rows [0, result) when rows [0, input_ends[i]) of input i are there.
  int64_t OutputEnd(const std::vector<int64_t>& input_ends, int64_t in_height) const;

 private:
  struct Step {
    RowRule rule;
    std::vector<size_t> inputs;  // tensors
    size_t output = 0;
  };

  size_t inputs_ = 0;  // tensors 0 .. inputs_ - 1 are the graph's inputs, in order
  size_t output_ = 0;
  std::vector<Step> steps_;
  std::vector<TensorScale> scales_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_ROW_MATH_H_
