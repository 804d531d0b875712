// What planner, schedule and executor know of a step of a plan, whatever operator it comes from:
// tensors, window, cost, memory, what may be fused into it, and how it runs. Operators make their
// steps in engine/ops/; conversions are the planner's own (convert_step.h). Internal to engine/.
// Thread rules: a Step is immutable once planned; a StepRun belongs to one executor, whose workers
// call RunItem at the same time.
#ifndef GLINT_ENGINE_STEP_H_
#define GLINT_ENGINE_STEP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph.h"
#include "engine/model_file.h"
#include "engine/op.h"
#include "engine/window.h"

namespace glint {

class PictureTensors;  // engine/picture_tensors.h

struct PlanTensor {
  std::string name;
  size_t channels = 0;
  int input = -1;        // index of the graph input, or -1
  bool compact = false;  // only the wanted positions, side by side
  int storage = 0;       // tensor whose ring this one lives in (itself, unless computed in place)
  size_t halo = 0;       // zero pixels that its readers need on either side
  bool chained = false;  // made and read within a chain (engine/chains.h)
  // How it is kept: kF32 without a quantisation, else that of the model or, for bytes on targets
  // whose byte products are slow, int16 with q - zero, which gives the same sums.
  kernels::Element element = kernels::Element::kF32;
  const Quantisation* quantisation = nullptr;  // in the model's document
  int zero() const { return element == kernels::Element::kU8 ? quantisation->zero : 0; }
  bool dynamic() const { return quantisation != nullptr && quantisation->dynamic; }
};

// What an operator plans a step from.
struct PlanContext {
  const ModelFile& model;  // outlives the plan, as does the graph
  const Graph& graph;
  std::span<const PlanTensor> tensors;
  // What the node reads: the parts of concatenations that are never made; float twins where the
  // node multiplies floats.
  std::vector<int> inputs;

  const PlanTensor& input(size_t i) const { return tensors[static_cast<size_t>(inputs[i])]; }
  size_t channels(const std::string& tensor) const {
    return static_cast<size_t>(graph.channels.at(tensor));
  }
  // A node's weight as floats, in the order of the file; empty where it has none of the role.
  std::vector<float> Weight(const Node& node, const std::string& role) const;
  bool is_exact() const { return graph.numeric_class == NumericClass::kExact; }
  Status Fail(const std::string& what) const {
    return Status::Error(StatusCode::kUnsupported,
                         model.name() + ": graph " + graph.name + " " + what);
  }
};

// A step at work in one executor: all that depends on the rate is evaluated.
class StepRun {
 public:
  virtual ~StepRun() = default;
  // Prepares output rows [begin, end), whole groups of them; returns in how many items they are
  // made.
  virtual size_t Begin(int64_t begin, int64_t end) = 0;
  virtual void RunItem(size_t item, size_t worker) = 0;
};

// One whose items are the rows.
class RowwiseRun : public StepRun {
 public:
  size_t Begin(int64_t begin, int64_t end) final {
    begin_ = begin;
    Prepare();
    return static_cast<size_t>(end - begin);
  }
  void RunItem(size_t item, size_t worker) final {
    RunRow(begin_ + static_cast<int64_t>(item), worker);
  }

 protected:
  virtual void Prepare() {}  // before the rows of a band
  virtual void RunRow(int64_t r, size_t worker) = 0;

 private:
  int64_t begin_ = 0;
};

class Step {
 public:
  Step(const PlanContext& context, const Node& node)
      : name(node.name), inputs(context.inputs), window(node.window) {}
  explicit Step(std::string its_name) : name(std::move(its_name)) {}
  virtual ~Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  std::string name;         // of its nodes, joined by '+'
  std::vector<int> inputs;  // read through the window
  int residual = -1;        // read at the output's position
  int output = 0;
  // As it is computed: where rows come in groups, they are made together.
  Window window;
  double macs_per_pixel = 0;  // of the output (compact: per position)

  // For people: "conv5x5/2 32>64", and what was fused.
  virtual std::string Kernel() const = 0;
  virtual std::string Notes() const { return {}; }

  // Whether it can store its output as this element; else a conversion follows.
  virtual bool Stores(kernels::Element /*element*/) const { return true; }
  // What it can do to its sums on the way out, in this order.
  virtual std::vector<Slot> Epilogue() const { return {}; }
  // Whether it can add a residual that is kept as this element; else it adds a float twin of it.
  virtual bool Adds(kernels::Element /*element*/) const { return true; }
  // `node` becomes part of it. Only what Epilogue() offers, each once.
  virtual void Fuse(const Node& /*node*/) {}

  // Pixels that it reads beyond either end of a row.
  virtual size_t Halo() const { return 0; }
  virtual size_t PackedBytes() const { return 0; }
  // Memory that each worker needs; and memory for each output row of a band, free between bands.
  virtual size_t ScratchFloats() const { return 0; }
  virtual size_t BandBytes() const { return 0; }
  virtual std::unique_ptr<StepRun> Start(PictureTensors* tensors) const = 0;
};

// Op::plan of an operator whose step is an S(context, node).
template <typename S>
Result<std::unique_ptr<Step>> PlanStep(const PlanContext& context, const Node& node) {
  return std::unique_ptr<Step>(std::make_unique<S>(context, node));
}

}  // namespace glint

#endif  // GLINT_ENGINE_STEP_H_
