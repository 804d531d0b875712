// What an operator's checks see of a node (op.h): its graph, its weights, and how to say what is
// wrong. Called by engine/graph_check.cc and engine/ops/.
// Thread rules: values of one caller.
#ifndef GLINT_ENGINE_NODE_CHECK_H_
#define GLINT_ENGINE_NODE_CHECK_H_

#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

class NodeCheck {
 public:
  // All must outlive the check.
  NodeCheck(const TensorTable& tensors, const Graph& graph, const Node& node)
      : tensors_(tensors), graph_(graph), node_(node) {}

  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  // Of the input at this place.
  int64_t channels(size_t input) const { return graph_.channels.at(node_.inputs[input]); }
  // How a tensor is kept; nullptr: in float.
  const Quantisation* FormOf(const std::string& tensor) const;

  Status Fail(const std::string& what) const;
  // The same about a weight that exists.
  Status FailWeight(const std::string& role, const std::string& what) const;

  // A weight that exists, has the type that the node's precision wants, and is finite.
  Status FindWeight(const std::string& role, const TensorView** out) const;
  // And has this shape; `view`, when it is given, gets it.
  Status FindShaped(const std::string& role, const std::vector<int64_t>& shape,
                    const TensorView** view = nullptr) const;
  bool HasWeight(const std::string& role) const { return node_.weights.count(role) > 0; }

 private:
  Status CheckType(const std::string& role, const TensorView& view) const;

  const TensorTable& tensors_;
  const Graph& graph_;
  const Node& node_;
};

// Checks a node whose inputs' channels are known, and fills in what follows: Graph::channels of its
// output, Node::window, Node::matrix. Errors: kBadModel.
Status ResolveNode(const TensorTable& tensors, Graph* graph, Node* node);

}  // namespace glint

#endif  // GLINT_ENGINE_NODE_CHECK_H_
