// A graph that reads what it has helped to decode (wavefront steps, docs/BITSTREAM.md section 6) in
// a form that runs on fronts: positions that do not depend on each other, side by side as one row.
// What a causal convolution reads around a position is gathered into one pixel, and so every node
// reads its own position alone. Called by codec/model.
// Thread rules: pure functions.
#ifndef GLINT_ENGINE_FRONT_GRAPH_H_
#define GLINT_ENGINE_FRONT_GRAPH_H_

#include <cstddef>
#include <vector>

#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

struct FrontInput {
  // 0: a pixel of the front is that of the position. Else those under the live taps of a causal
  // kernel of this size, one after the other.
  int kernel = 0;
  size_t taps() const { return static_cast<size_t>(kernel) * static_cast<size_t>(kernel) / 2; }
};

struct FrontGraph {
  Graph graph;
  std::vector<FrontInput> inputs;  // of `graph`, in the order of the original's
  // A row of positions may be this many columns behind the one above it, and no less.
  int lag = 1;
};

// kUnsupported when a node is neither pointwise nor a causal convolution of an input, or when an
// input is read by causal convolutions and in another way. Weights stay those of the model file.
Result<FrontGraph> MakeFrontGraph(const Graph& graph);

}  // namespace glint

#endif  // GLINT_ENGINE_FRONT_GRAPH_H_
