#include "engine/op.h"

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

std::vector<std::string> PartsOf(const Graph& graph, const std::string& tensor) {
  if (graph.quantised.count(tensor) > 0) return {tensor};
  for (const Node& node : graph.nodes) {
    if (node.output == tensor && node.op->fusion->slot == Slot::kSources) return node.inputs;
  }
  return {tensor};
}

}  // namespace glint
