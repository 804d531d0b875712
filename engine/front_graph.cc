#include "engine/front_graph.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "engine/json.h"

namespace glint {
namespace {

class Builder {
 public:
  explicit Builder(const Graph& graph) : graph_(graph) {}

  Result<FrontGraph> Build() {
    GLINT_TRY(FindKernels());
    FrontGraph front;
    front.graph.name = graph_.name;
    front.graph.numeric_class = graph_.numeric_class;
    front.graph.output = graph_.output;
    front.graph.quantised = graph_.quantised;
    front.graph.channels = graph_.channels;
    for (const GraphInput& input : graph_.inputs) AddInput(input, &front);
    for (const Node& node : graph_.nodes) AddNode(node, &front.graph);
    return front;
  }

 private:
  static Status Unsupported(const std::string& what) {
    return Status::Error(StatusCode::kUnsupported, what);
  }

  // In which ways each tensor is read: a kernel, or 0 for the position itself.
  Status FindKernels() {
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      const bool causal = node->window.IsCausal();
      if (!causal && !node->window.IsPointwise()) {
        return Unsupported("node " + Quote(node->name) +
                           " reads other positions than its own, and is no causal convolution");
      }
      if (KernelOf(node->output) > 0) {
        return Unsupported("a causal convolution reads node " + Quote(node->name) +
                           ", not an input of the graph");
      }
      const int kernel = causal ? node->window.columns.kernel : 0;
      for (const std::string& input : node->inputs) {
        if (kernels_.try_emplace(input, kernel).first->second == kernel) continue;
        return Unsupported("tensor " + Quote(input) +
                           " is read by a causal convolution and in another way");
      }
    }
    return Status::Ok();
  }

  int KernelOf(const std::string& tensor) const {
    const auto found = kernels_.find(tensor);
    return found == kernels_.end() ? 0 : found->second;
  }

  void AddInput(GraphInput input, FrontGraph* front) {
    const FrontInput read{KernelOf(input.name)};
    front->inputs.push_back(read);
    if (read.kernel > 0) {
      front->lag = std::max(front->lag, (read.kernel + 1) / 2);
      // No tensor of a file has a space in its name.
      const std::string name = input.name + " taps";
      taps_[input.name] = name;
      const auto quantised = graph_.quantised.find(input.name);
      if (quantised != graph_.quantised.end()) front->graph.quantised[name] = quantised->second;
      input.name = name;
      input.channels *= static_cast<int>(read.taps());
      front->graph.channels[name] = input.channels;
    }
    front->graph.inputs.push_back(std::move(input));
  }

  void AddNode(Node node, Graph* graph) const {
    if (node.window.IsCausal()) {
      node.inputs = {taps_.at(node.inputs[0])};
      node.window = Window();
      node.gathered = true;
    }
    graph->nodes.push_back(std::move(node));
  }

  const Graph& graph_;
  std::map<std::string, int> kernels_;       // by tensor
  std::map<std::string, std::string> taps_;  // input -> what it is called when gathered
};

}  // namespace

Result<FrontGraph> MakeFrontGraph(const Graph& graph) { return Builder(graph).Build(); }

}  // namespace glint
