// Which rows of a graph's inputs belong to which rows of its output. Called by engine/ (validation)
// and codec/ (which rows a segment needs).
// Thread rules: values, immutable after construction.
#ifndef GLINT_ENGINE_GRAPH_ROWS_H_
#define GLINT_ENGINE_GRAPH_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/graph.h"
#include "engine/window.h"

namespace glint {

// The graph must be valid (engine/graph_check.h). Outputs of transposed windows are counted in
// whole groups of rows: an implementation may compute them at once.
class GraphRows {
 public:
  // An input height that no clamping reaches.
  static constexpr int64_t kEndless = int64_t{1} << 40;

  explicit GraphRows(const Graph& graph);

  size_t input_count() const { return inputs_; }
  TensorScale output_scale() const { return scales_[output_]; }
  int64_t OutHeight(int64_t in_height) const { return output_scale().Height(in_height); }
  // Sets (*ends)[i] so that output rows [0, out_end) need rows [0, (*ends)[i]) of input i. The
  // vector is working memory too: passing the same one again saves an allocation.
  void InputEnds(int64_t out_end, int64_t in_height, std::vector<int64_t>* ends) const;
  // The most output rows [0, result) when rows [0, input_ends[i]) of input i are there.
  int64_t OutputEnd(const std::vector<int64_t>& input_ends, int64_t in_height) const;

 private:
  struct Step {
    Axis rows;
    std::vector<size_t> inputs;  // tensors
    size_t output = 0;
  };

  size_t inputs_ = 0;  // tensors 0 .. inputs_ - 1 are the graph's inputs, in order
  size_t output_ = 0;
  std::vector<Step> steps_;
  std::vector<TensorScale> scales_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_GRAPH_ROWS_H_
