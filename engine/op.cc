#include "engine/op.h"

#include <algorithm>
#include <string>

#include "engine/node_check.h"
#include "engine/ops/table.h"

namespace glint {

Status NoAttributes(ObjectReader* /*reader*/, Node* /*node*/) { return Status::Ok(); }

Result<int64_t> AsInput(const NodeCheck& check) { return check.channels(0); }

Result<int64_t> AsBothInputs(const NodeCheck& check, const char* verb) {
  if (check.channels(0) == check.channels(1)) return check.channels(0);
  return check.Fail(std::string(verb) + " " + std::to_string(check.channels(0)) + " and " +
                    std::to_string(check.channels(1)) + " channels");
}

Status AnyForms(const NodeCheck& /*check*/) { return Status::Ok(); }

Window Pointwise(const Node& /*node*/, const TensorView* /*matrix*/) { return {}; }

size_t OneSource(const Node& /*node*/) { return 1; }

std::span<const Op* const> Operators() { return ops::kTable; }

bool IsReadInParts(const Graph& graph, const Node& node) {
  if (node.op->fusion->slot != Slot::kSources || node.output == graph.output ||
      graph.quantised.count(node.output) > 0) {
    return false;
  }
  return std::all_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& reader) {
    return std::count(reader.inputs.begin(), reader.inputs.end(), node.output) == 0 ||
           node.inputs.size() <= reader.op->sources(reader);
  });
}

std::vector<std::string> PartsOf(const Graph& graph, const std::string& tensor) {
  for (const Node& node : graph.nodes) {
    if (node.output == tensor && IsReadInParts(graph, node)) return node.inputs;
  }
  return {tensor};
}

}  // namespace glint
