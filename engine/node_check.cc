#include "engine/node_check.h"

#include "engine/json.h"
#include "engine/model_file.h"
#include "engine/op.h"
#include "engine/safetensors.h"

namespace glint {

const Quantisation* NodeCheck::FormOf(const std::string& tensor) const {
  const auto found = graph_.quantised.find(tensor);
  return found == graph_.quantised.end() ? nullptr : &found->second;
}

Status NodeCheck::Fail(const std::string& what) const {
  return BadModel("graph " + Quote(graph_.name) + ", node " + Quote(node_.name), what);
}

Status NodeCheck::FailWeight(const std::string& role, const std::string& what) const {
  return Fail(role + " " + Quote(node_.weights.at(role)) + " " + what);
}

Status NodeCheck::FindWeight(const std::string& role, const TensorView** out) const {
  const auto found = tensors_.find(node_.weights.at(role));
  if (found == tensors_.end()) return FailWeight(role, "is not in the file");
  const TensorView& view = found->second;
  GLINT_TRY(CheckType(role, view));
  if (!IsFinite(view)) return FailWeight(role, "is not finite everywhere");
  *out = &view;
  return Status::Ok();
}

Status NodeCheck::FindShaped(const std::string& role, const std::vector<int64_t>& shape,
                             const TensorView** view) const {
  const TensorView* found = nullptr;
  GLINT_TRY(FindWeight(role, &found));
  if (found->shape != shape) {
    TensorView wanted;
    wanted.shape = shape;
    return FailWeight(role,
                      "has shape " + ShapeText(*found) + ", " + ShapeText(wanted) + " is wanted");
  }
  if (view != nullptr) *view = found;
  return Status::Ok();
}

// The matrix has the precision's type, everything beside it is F32.
Status NodeCheck::CheckType(const std::string& role, const TensorView& view) const {
  struct Types {
    const char* precision;
    DType wanted, also;
  };
  constexpr Types kTypes[] = {{"f32", DType::kF32, DType::kF32},
                              {"f16", DType::kF16, DType::kF16},
                              {"i16", DType::kI16, DType::kI8},
                              {"i8", DType::kI8, DType::kI8}};
  const char* matrix = node_.op->matrix->role;
  const bool is_matrix = matrix != nullptr && role == matrix;
  const Types& types = kTypes[is_matrix ? static_cast<size_t>(node_.precision) : 0];
  if (view.dtype == types.wanted || view.dtype == types.also) return Status::Ok();
  return FailWeight(role, std::string("has dtype ") + NameOf(view.dtype) + ", precision " +
                              types.precision + " needs " + NameOf(types.wanted));
}

Status ResolveNode(const TensorTable& tensors, Graph* graph, Node* node) {
  const NodeCheck check(tensors, *graph, *node);
  const Op& op = *node->op;
  if (graph->numeric_class == NumericClass::kExact && op.classes != Classes::kCloseAndExact) {
    return check.Fail(std::string(op.name) + " is not available in class exact");
  }
  GLINT_ASSIGN(const int64_t channels, op.check(check));
  if (channels > kMaxChannels) {
    return check.Fail("has " + std::to_string(channels) + " channels, at most " +
                      std::to_string(kMaxChannels) + " are allowed");
  }
  graph->channels[node->output] = static_cast<int>(channels);
  const TensorView* matrix = nullptr;
  if (op.matrix->role != nullptr) matrix = &tensors.at(node->weights.at(op.matrix->role));
  node->window = op.window(*node, matrix);
  node->matrix.reset();
  if (matrix == nullptr) return Status::Ok();
  node->matrix = op.matrix->describe(*node, *matrix);
  node->matrix->role = op.matrix->role;
  return Status::Ok();
}

}  // namespace glint
