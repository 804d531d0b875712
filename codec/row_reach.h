// How far a graph looks around the rows that it computes: what a ring that it reads must hold.
// Called by codec/latent_coder. Thread rules: pure functions.
#ifndef GLINT_CODEC_ROW_REACH_H_
#define GLINT_CODEC_ROW_REACH_H_

#include <cstddef>
#include <vector>

#include "engine/graph.h"

namespace glint {

// Of one input, for output rows computed in bands of `band` rows, wherever they lie. Upper bounds.
struct RowReach {
  long held = 0;  // rows from the lowest that is still read to the end of what the next band needs
  long behind = 0;  // graphs of stride 1: rows read before output row o
  long ahead = 0;   // graphs of stride 1: rows needed beyond output row o
};

// One entry per input of the graph.
std::vector<RowReach> ReachOf(const Graph& graph, long band);

}  // namespace glint

#endif  // GLINT_CODEC_ROW_REACH_H_
