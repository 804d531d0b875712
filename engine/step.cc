#include "engine/step.h"

namespace glint {

std::vector<float> PlanContext::Weight(const Node& node, const std::string& role) const {
  const auto name = node.weights.find(role);
  if (name == node.weights.end()) return {};
  const TensorView* view = model.tensor(name->second);
  std::vector<float> values(view->elements);
  CopyAsFloat(*view, 0, values.size(), values.data());
  return values;
}

}  // namespace glint
