// One operator is one record: all that checks, plans, quantiser and gradients ask about it. The
// records stand in engine/ops/, a file each, and in one table there. No field has a default: a
// record that leaves one out does not compile. Called by engine/ and codec/quantiser.
// Thread rules: records are constants.
#ifndef GLINT_ENGINE_OP_H_
#define GLINT_ENGINE_OP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

class GradientBuilder;  // engine/gradient_builder.h
class ModelFile;
class NodeCheck;      // engine/node_check.h
class ObjectReader;   // engine/json.h
class Step;           // engine/step.h
struct GradientNode;  // engine/gradient_builder.h
struct NamedTensor;   // engine/gradient_builder.h
struct PlanContext;   // engine/step.h

// A field that has to be given, and not as a null pointer.
template <typename T>
class Required {
 public:
  constexpr Required(T value) : value_(value) {}  // NOLINT(google-explicit-constructor)
  Required(std::nullptr_t) = delete;
  constexpr operator const T&() const { return value_; }  // NOLINT(google-explicit-constructor)
  constexpr const T* operator->() const { return &value_; }

 private:
  T value_;
};

class InputCount {
 public:
  consteval InputCount(size_t from, size_t to) : least(from), most(to) {
    if (least < 1 || most < least) throw "not 1 <= least <= most";
  }
  const size_t least, most;
};

// Roles of weights. That of a matrix of integers has a `scale` besides.
struct WeightRoles {
  std::span<const char*const> needed, optional;
};
inline constexpr WeightRoles kNoWeights = {};

// Which weight is the matrix: the one whose type the node's precision says. `describe` is called
// when the node has been checked.
class MatrixRole {
 public:
  using Describe = Matrix (*)(const Node& node, const TensorView& weight);
  constexpr MatrixRole(Required<const char*> its_role, Required<Describe> its_describe)
      : role(its_role), describe(its_describe) {}
  static constexpr MatrixRole None() { return {}; }

  const char* const role = nullptr;
  const Describe describe = nullptr;

 private:
  constexpr MatrixRole() = default;
};
inline constexpr MatrixRole kNoMatrix = MatrixRole::None();

// Whether graphs of class exact may have it: its results must then be the same bits on every
// target.
enum class Classes { kCloseOnly, kCloseAndExact };

// kMayOverwrite: an output row may take the place of the first input's.
enum class Placement { kOfItsOwn, kMayOverwrite };

// What a node can be instead of a step of its own: a part of the product that it follows; or, for
// kSources, nothing at all.
enum class Slot {
  kNone,
  kResidual,    // v + the other input
  kActivation,  // max(v, v * slope)
  kFactors,     // v * factor of the channel, which depends on the rate alone
  kSources,     // its inputs side by side: whoever reads it may read them instead
};
class Fusion {
 public:
  using Slope = float (*)(const Node& node);
  using Factors = std::vector<float> (*)(const ModelFile& model, const Node& node, double t);
  static constexpr Fusion None() { return {Slot::kNone, nullptr, nullptr}; }
  static constexpr Fusion Residual() { return {Slot::kResidual, nullptr, nullptr}; }
  static constexpr Fusion Sources() { return {Slot::kSources, nullptr, nullptr}; }
  static constexpr Fusion Activation(Required<Slope> its_slope) {
    return {Slot::kActivation, its_slope, nullptr};
  }
  static constexpr Fusion ChannelFactors(Required<Factors> its_factors) {
    return {Slot::kFactors, nullptr, its_factors};
  }

  const Slot slot;
  const Slope slope;      // of kActivation
  const Factors factors;  // of kFactors

 private:
  constexpr Fusion(Slot its_slot, Slope its_slope, Factors its_factors)
      : slot(its_slot), slope(its_slope), factors(its_factors) {}
};
inline constexpr Fusion kNotFused = Fusion::None();

// So much of a channel: what a column of a matrix of integers is multiplied by.
struct Column {
  size_t channel = 0;
  float share = 1;
};

// How the gradient of what a node reads follows from that of what it makes: as nodes of other
// operators (gradient_graph.h).
class Derivative {
 public:
  // Adds these nodes, and collects what they give for the node's inputs.
  using Backward = void (*)(const GradientNode& at, GradientBuilder* builder);
  // For a derivative that needs more than inputs and output: may make the output by other nodes,
  // and says which of their tensors Backward gets. If it gives none, the node is taken as it is.
  using Forward = std::vector<NamedTensor> (*)(const GradientNode& at, GradientBuilder* builder);
  // Of an operator that makes other integers of the same numbers: what columns that read its output
  // stand for in its input, which has so many channels. The gradient's graph leaves it out.
  using Columns = std::vector<Column> (*)(const Node& node, size_t channels);
  static constexpr Derivative None() { return {nullptr, nullptr, nullptr}; }
  static constexpr Derivative Of(Required<Backward> its_backward) {
    return {nullptr, its_backward, nullptr};
  }
  static constexpr Derivative Of(Required<Forward> its_forward, Required<Backward> its_backward) {
    return {its_forward, its_backward, nullptr};
  }
  static constexpr Derivative OfDigits(Required<Columns> its_columns) {
    return {nullptr, nullptr, its_columns};
  }

  const Forward forward;
  const Backward backward;  // nullptr: not known
  const Columns columns;    // of OfDigits

 private:
  constexpr Derivative(Forward its_forward, Backward its_backward, Columns its_columns)
      : forward(its_forward), backward(its_backward), columns(its_columns) {}
};
inline constexpr Derivative kNoDerivative = Derivative::None();

struct Op {
  Required<const char*> name;
  Required<InputCount> inputs;
  Required<WeightRoles> weights;
  Required<MatrixRole> matrix;
  Required<Classes> classes;
  Required<Placement> placement;
  Required<Fusion> fusion;
  Required<Derivative> derivative;
  // Attributes of a node's JSON object to Node::attributes. NoAttributes.
  Required<Status (*)(ObjectReader* reader, Node* node)> read;
  // Weights, shapes, what attributes have to do with them: the channels of the output. AsInput.
  Required<Result<int64_t> (*)(const NodeCheck& check)> check;
  // How its tensors are kept: called when all of the graph's shapes and forms are known. AnyForms.
  Required<Status (*)(const NodeCheck& check)> check_forms;
  // Of a checked node; `matrix`: nullptr where it has none. Pointwise.
  Required<Window (*)(const Node& node, const TensorView* matrix)> window;
  // How many tensors it can read side by side as one input. OneSource.
  Required<size_t (*)(const Node& node)> sources;
  Required<Result<std::unique_ptr<Step>> (*)(const PlanContext& context, const Node& node)> plan;
};

Status NoAttributes(ObjectReader* reader, Node* node);
Result<int64_t> AsInput(const NodeCheck& check);
// Of two inputs that have the same channels; `verb`: what is done to them, for the message.
Result<int64_t> AsBothInputs(const NodeCheck& check, const char* verb);
Status AnyForms(const NodeCheck& check);
Window Pointwise(const Node& node, const TensorView* matrix);
size_t OneSource(const Node& node);

// All there are (engine/ops/table.h).
std::span<const Op* const> Operators();

// Whether a concatenation is never made: all that read it take its inputs in its place, and it is
// not kept in a form of its own.
bool IsReadInParts(const Graph& graph, const Node& node);
// The inputs of the concatenation that makes `tensor`, if it is read in parts. Else the tensor.
std::vector<std::string> PartsOf(const Graph& graph, const std::string& tensor);

}  // namespace glint

#endif  // GLINT_ENGINE_OP_H_
