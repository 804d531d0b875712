#include "engine/graph_check.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include "engine/json.h"
#include "engine/model_file.h"
#include "engine/node_check.h"
#include "engine/op.h"
#include "engine/safetensors.h"

namespace glint {
namespace {

constexpr uint64_t kMaxShare = 8;
constexpr int kMaxLevel = 12;  // halvings or doublings from the graph's input

class GraphChecker {
 public:
  GraphChecker(const TensorTable& tensors, Graph* graph) : tensors_(tensors), graph_(*graph) {}

  Status Check() {
    GLINT_TRY(CheckNames());
    GLINT_TRY(Sort());
    for (const GraphInput& input : graph_.inputs) {
      graph_.channels[input.name] = input.channels;
      scales_[input.name] = TensorScale();
    }
    for (Node& node : graph_.nodes) {
      GLINT_TRY(CheckSizes(node));
      GLINT_TRY(ResolveNode(tensors_, &graph_, &node));
      GLINT_TRY(CheckScale(node));
    }
    GLINT_TRY(CheckQuantised());
    for (const Node& node : graph_.nodes) {
      GLINT_TRY(node.op->check_forms(NodeCheck(tensors_, graph_, node)));
      if (IsInteger(node.precision)) GLINT_TRY(CheckInteger(node));
    }
    return Status::Ok();
  }

 private:
  std::string Place() const { return "graph " + Quote(graph_.name); }
  Status Fail(const std::string& what) const { return BadModel(Place(), what); }
  Status Fail(const Node& node, const std::string& what) const {
    return BadModel(Place() + ", node " + Quote(node.name), what);
  }

  // Every name once; everything that is made or given is used; what is used exists.
  Status CheckNames() const {
    std::set<std::string> made, nodes, used;
    for (const GraphInput& input : graph_.inputs) {
      if (!made.insert(input.name).second) {
        return Fail("tensor " + Quote(input.name) + " is an input twice");
      }
    }
    for (const Node& node : graph_.nodes) {
      if (!nodes.insert(node.name).second) return Fail(node, "the name occurs twice");
      if (!made.insert(node.output).second) {
        return Fail(node, "its output " + Quote(node.output) + " exists already");
      }
      used.insert(node.inputs.begin(), node.inputs.end());
    }
    for (const Node& node : graph_.nodes) {
      for (const std::string& input : node.inputs) {
        if (made.count(input) == 0) {
          return Fail(node, "its input " + Quote(input) + " does not exist");
        }
      }
    }
    const std::string& output = graph_.output;
    if (made.count(output) == 0) return Fail("output " + Quote(output) + " does not exist");
    for (const GraphInput& input : graph_.inputs) {
      if (input.name == output) return Fail("output " + Quote(output) + " is an input");
    }
    for (const std::string& tensor : made) {
      if (tensor != output && used.count(tensor) == 0) {
        return Fail("tensor " + Quote(tensor) + " is never used");
      }
    }
    return Status::Ok();
  }

  // Repeatedly takes the first node whose inputs are all there. Every node leads to the output
  // (none is unused), so the output's node comes last.
  Status Sort() {
    std::map<std::string, std::vector<size_t>> readers;
    std::vector<size_t> missing(graph_.nodes.size());
    std::set<std::string> given;
    for (const GraphInput& input : graph_.inputs) given.insert(input.name);
    std::set<size_t> ready;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const std::string& input : graph_.nodes[i].inputs) {
        if (given.count(input) > 0) continue;
        readers[input].push_back(i);
        ++missing[i];
      }
      if (missing[i] == 0) ready.insert(i);
    }
    std::vector<Node> sorted;
    std::vector<bool> taken(graph_.nodes.size());
    while (!ready.empty()) {
      const size_t next = *ready.begin();
      ready.erase(ready.begin());
      taken[next] = true;
      sorted.push_back(graph_.nodes[next]);
      for (const size_t reader : readers[graph_.nodes[next].output]) {
        if (--missing[reader] == 0) ready.insert(reader);
      }
    }
    for (size_t i = 0; i < taken.size(); ++i) {
      if (!taken[i]) return Fail(graph_.nodes[i], "is part of a cycle or behind one");
    }
    graph_.nodes = std::move(sorted);
    return Status::Ok();
  }

  Status CheckSizes(const Node& node) const {
    for (const std::string& input : node.inputs) {
      if (scales_.at(input) == scales_.at(node.inputs[0])) continue;
      return Fail(node, "its inputs " + Quote(node.inputs[0]) + " and " + Quote(input) +
                            " have different sizes");
    }
    return Status::Ok();
  }

  Status CheckScale(const Node& node) {
    const TensorScale out = scales_.at(node.inputs[0]).Behind(node.window);
    if (out.level < -kMaxLevel || out.level - out.lowest > kMaxLevel) {
      return Fail(node, "more than " + std::to_string(kMaxLevel) + " changes of size");
    }
    scales_[node.output] = out;
    return Status::Ok();
  }

  // Factors have a channel each; every quantised name is a tensor.
  Status CheckQuantised() const {
    for (const auto& [name, quantisation] : graph_.quantised) {
      const std::string place = Place() + ", tensor " + Quote(name);
      const auto channels = graph_.channels.find(name);
      if (channels == graph_.channels.end()) return BadModel(place, "does not exist");
      if (quantisation.factor.empty()) continue;
      const auto found = tensors_.find(quantisation.factor);
      if (found == tensors_.end()) {
        return BadModel(place, "factor " + Quote(quantisation.factor) + " is not in the file");
      }
      const TensorView& view = found->second;
      if (view.dtype != DType::kF32 || view.shape != std::vector<int64_t>{channels->second}) {
        return BadModel(place, "factor " + Quote(quantisation.factor) + " is " +
                                   NameOf(view.dtype) + " of shape " + ShapeText(view) +
                                   ", F32 of one value per channel is wanted");
      }
      for (size_t i = 0; i < view.elements; ++i) {
        float factor = 0;
        CopyAsFloat(view, i, 1, &factor);
        if (!(factor >= 1e-12f && factor <= 1e12f)) {
          return BadModel(place, "factor " + Quote(quantisation.factor) +
                                     " is not within 1e-12 to 1e12 at " + std::to_string(i));
        }
        int exponent = 0;
        if (quantisation.element == kernels::Element::kF16 &&
            std::frexp(factor, &exponent) != 0.5f) {
          return BadModel(place, "factor " + Quote(quantisation.factor) +
                                     " is no power of two at " + std::to_string(i));
        }
      }
    }
    return Status::Ok();
  }

  // Integer products: inputs of the right type and one scale, and no sum that can leave int32.
  Status CheckInteger(const Node& node) const {
    const kernels::Element wanted =
        node.precision == Precision::kI8 ? kernels::Element::kU8 : kernels::Element::kI16;
    std::vector<int64_t> largest;  // of each input channel
    const Quantisation* first = nullptr;
    for (const std::string& part : PartsOf(graph_, node.inputs[0])) {
      const auto found = graph_.quantised.find(part);
      if (found == graph_.quantised.end() || found->second.element != wanted) {
        return Fail(node, "its input " + Quote(part) + " is not kept as " +
                              (wanted == kernels::Element::kU8 ? "u8" : "i16"));
      }
      const Quantisation& quantisation = found->second;
      if (first == nullptr) first = &quantisation;
      if (first != &quantisation && !first->SameScale(quantisation)) {
        return Fail(node, "its inputs have different scales");
      }
      // Unsigned bytes are summed as they are, and what stands for zero is taken off first.
      const int64_t most = node.matrix->squares              ? kernels::kMostSquare
                           : wanted == kernels::Element::kU8 ? 2 * 255
                                                             : quantisation.max;
      largest.insert(largest.end(), static_cast<size_t>(graph_.channels.at(part)), most);
    }
    return CheckSums(node, largest);
  }

  Status CheckSums(const Node& node, const std::vector<int64_t>& largest) const {
    const Matrix& matrix = *node.matrix;
    const std::vector<int16_t> weight = ReadAsInt16(tensors_.at(node.weights.at(matrix.role)));
    const size_t step = matrix.Index(0, 1, 0) - matrix.Index(0, 0, 0);  // between inputs
    std::vector<int64_t> sums(matrix.outputs, 0);
    for (size_t o = 0; o < sums.size(); ++o) {
      const Matrix::Inputs range = matrix.InputsOf(o);
      const int16_t* taps = weight.data() + matrix.Index(o, range.first, 0);
      for (size_t i = range.first; i < range.last; ++i, taps += step) {
        int sum = 0;  // of 15 x 15 taps at most
        for (size_t tap = 0; tap < matrix.taps; ++tap) sum += std::abs(int{taps[tap]});
        sums[o] += largest[i] * sum;
      }
    }
    for (size_t o = 0; o < sums.size(); ++o) {
      if (sums[o] <= INT32_MAX) continue;
      return Fail(node, "its sums for output channel " + std::to_string(o) + " can reach " +
                            std::to_string(sums[o]) + ", beyond 32 bits");
    }
    return Status::Ok();
  }

  const TensorTable& tensors_;
  Graph& graph_;
  std::map<std::string, TensorScale> scales_;
};

}  // namespace

Status CheckWeightUse(const TensorTable& tensors, const Graphs& graphs) {
  uint64_t available = 0, used = 0;
  for (const auto& entry : tensors) available += entry.second.elements;
  for (const auto& graph : graphs) {
    for (const Node& node : graph.second.nodes) {
      for (const auto& weight : node.weights) {
        const auto found = tensors.find(weight.second);
        if (found != tensors.end()) used += found->second.elements;
      }
    }
  }
  if (used <= kMaxShare * available) return Status::Ok();
  return BadModel("graphs", "nodes use " + std::to_string(used) + " weights, more than " +
                                std::to_string(kMaxShare) + " times the " +
                                std::to_string(available) + " in the file");
}

Status CheckGraph(const TensorTable& tensors, Graph* graph) {
  return GraphChecker(tensors, graph).Check();
}

}  // namespace glint
