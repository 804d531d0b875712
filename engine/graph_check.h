// Whether a graph is sound: names, order, weights, shapes, geometry. Sorts the nodes, and fills in
// what follows from them. Called by engine/model_file.cc.
// Thread rules: functions of their arguments.
#ifndef GLINT_ENGINE_GRAPH_CHECK_H_
#define GLINT_ENGINE_GRAPH_CHECK_H_

#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

// Bounds how often nodes share tensors, so that packed weights stay in proportion to the file. To
// be called before the graphs are checked.
Status CheckWeightUse(const TensorTable& tensors, const Graphs& graphs);

// Sorts graph->nodes topologically (keeping the file's order where it can), fills Graph::channels,
// Node::window and Node::matrix. Errors: kBadModel.
Status CheckGraph(const TensorTable& tensors, Graph* graph);

}  // namespace glint

#endif  // GLINT_ENGINE_GRAPH_CHECK_H_
