// From a validated graph to steps: which nodes run together, where tensors live, packed weights.

#include "engine/plan.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "engine/chains.h"
#include "engine/convert_step.h"
#include "engine/op.h"
#include "kernels/targets.h"

namespace glint {
namespace {

uint64_t WorkOf(const Node& node) {
  if (!node.matrix) return 1;
  return 1 + uint64_t{node.matrix->outputs} * node.matrix->inputs_summed() * node.matrix->taps;
}

class Planner {
 public:
  Planner(const ModelFile& model, const Graph& graph, PositionSet wanted,
          const PlanOptions& options)
      : model_(model), graph_(graph), options_(options), plan_(std::make_shared<PlanImpl>()) {
    plan_->model = &model;
    plan_->observer = options.observer;
    plan_->graph_name = graph.name;
    plan_->numeric_class = graph.numeric_class;
    plan_->wanted = wanted;
  }

  Result<std::shared_ptr<const Plan>> Make() {
    for (const GraphInput& input : graph_.inputs) {
      const int id = AddTensor(input.name);
      plan_->tensors[static_cast<size_t>(id)].input = static_cast<int>(plan_->input_tensors.size());
      plan_->input_tensors.push_back(id);
    }
    for (const Node& node : graph_.nodes) {
      for (const std::string& input : node.inputs) consumers_[input].push_back(&node);
    }
    FindCompact();
    done_.resize(graph_.nodes.size(), false);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!done_[i]) GLINT_TRY(AddStep(i));
    }
    const auto output = ids_.find(graph_.output);
    if (output == ids_.end() || plan_->steps.empty()) return Fail("computes nothing");
    plan_->output_tensor = output->second;
    if (plan_->steps.back()->output != plan_->output_tensor) {
      return Fail("has nodes behind its output");
    }
    SetHalos();
    FindChains(plan_.get());
    packed_.Keep();
    return std::shared_ptr<const Plan>(plan_);
  }

 private:
  Status Fail(const std::string& what) const {
    return Status::Error(StatusCode::kUnsupported,
                         model_.name() + ": graph " + graph_.name + " " + what);
  }

  int AddTensor(const std::string& name) {
    PlanTensor tensor;
    tensor.name = name;
    tensor.channels = static_cast<size_t>(graph_.channels.at(name));
    tensor.storage = static_cast<int>(plan_->tensors.size());
    tensor.compact = compact_.count(name) > 0;
    const auto quantised = graph_.quantised.find(name);
    if (quantised != graph_.quantised.end()) {
      tensor.quantisation = &quantised->second;
      tensor.element = quantised->second.element;
      plan_->whole = plan_->whole || tensor.dynamic();
      if (tensor.element == kernels::Element::kU8 && !fast_bytes_) {
        tensor.element = kernels::Element::kI16;
      }
    }
    plan_->tensors.push_back(tensor);
    ids_[name] = tensor.storage;
    return tensor.storage;
  }

  // Where not all positions are wanted, a tensor is compact when everything that reads it is.
  void FindCompact() {
    if (plan_->wanted == kAllPositions) return;
    compact_.insert(graph_.output);
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (node->output == graph_.output) continue;
      const std::vector<const Node*>& readers = consumers_[node->output];
      const bool all = std::all_of(readers.begin(), readers.end(), [&](const Node* reader) {
        return reader->window.IsPointwise() && compact_.count(reader->output) > 0;
      });
      if (all && !readers.empty()) compact_.insert(node->output);
    }
  }

  // The one node that reads `tensor` and may be fused with its producer. None for a quantised
  // tensor: it is always made, because rounding it is part of what the graph says.
  const Node* OnlyReader(const std::string& tensor) const {
    return graph_.quantised.count(tensor) > 0 ? nullptr : SingleReader(tensor);
  }

  // The one node that reads `tensor`, if there is only one and the tensor is no output of the
  // graph. With an observer there is none, so that every tensor is made.
  const Node* SingleReader(const std::string& tensor) const {
    if (tensor == graph_.output || plan_->observer != nullptr) return nullptr;
    const auto readers = consumers_.find(tensor);
    if (readers == consumers_.end() || readers->second.size() != 1) return nullptr;
    return readers->second[0];
  }

  // A float tensor beside `id`, for steps that do not read or write integers.
  int AddFloatTwin(int id) {
    PlanTensor twin = Tensor(id);
    twin.name += ".f32";
    twin.input = -1;
    twin.storage = static_cast<int>(plan_->tensors.size());
    twin.element = kernels::Element::kF32;
    twin.quantisation = nullptr;
    plan_->tensors.push_back(twin);
    return twin.storage;
  }

  bool IsFloat16(int id) const { return Tensor(id).element == kernels::Element::kF16; }

  int FloatTwin(int id) {
    if (Tensor(id).quantisation == nullptr) return id;
    const auto [entry, is_new] = twins_.try_emplace(id, 0);
    if (is_new) {
      entry->second = AddFloatTwin(id);
      AddConversion(id, entry->second);
    }
    return entry->second;
  }

  void AddConversion(int from, int to) { plan_->steps.push_back(MakeConvertStep(from, to)); }

  size_t IndexOf(const Node* node) const { return static_cast<size_t>(node - graph_.nodes.data()); }

  Status AddStep(size_t index) {
    const Node& node = graph_.nodes[index];
    done_[index] = true;
    if (IsReadInParts(graph_, node)) return Status::Ok();
    if (graph_.numeric_class == NumericClass::kExact && node.op->classes == Classes::kCloseOnly) {
      return Fail("is exact, but " + node.name + " is a " + std::string(node.op->name) +
                  ", which is not");
    }
    PlanContext context{model_, graph_, {}, InputsOf(node)};
    context.tensors = plan_->tensors;
    GLINT_TRY(CheckIntegerInputs(node, context));
    const uint64_t most = MostPackedBytes(node);
    const std::string what = model_.name() + ": graph " + graph_.name + ", node " + node.name;
    GLINT_TRY(packed_.Take(most, what));
    GLINT_ASSIGN(std::unique_ptr<Step> step, node.op->plan(context, node));
    const uint64_t packed = step->PackedBytes();
#ifdef GLINT_CHECK_ROWS
    if (packed > most) return Fail("packs more than was thought: " + node.name);
#endif
    // At once, so that nobody takes in between what this step holds.
    packed_.GiveBack(most - std::min(most, packed));
    std::string last = node.output;
    FuseReaders(step.get(), &last);
    step->output = AddTensor(last);
    // The scale of a dynamic tensor is known only when all of it is there.
    const int wanted = step->output;
    const bool apart = Tensor(wanted).dynamic() || !step->Stores(Tensor(wanted).element);
    if (apart) {
      step->output = AddFloatTwin(wanted);
    } else if (node.op->placement == Placement::kMayOverwrite) {
      PlaceInPlace(node, *step);
    } else if (step->residual >= 0) {
      PlaceOnResidual(*step);
    }
    plan_->steps.push_back(std::move(step));
    if (apart) AddConversion(plan_->steps.back()->output, wanted);
    if (options_.progress == nullptr) return Status::Ok();
    return options_.progress->Done(options_.share * static_cast<double>(WorkOf(node)));
  }

  // What packing a node's weights takes at most: lanes of 64 outputs, runs of four inputs, words of
  // four bytes, twice where rows are made in pairs; and the matrix as it is read and sorted.
  static uint64_t MostPackedBytes(const Node& node) {
    constexpr uint64_t kWord = sizeof(float), kLanes = 64, kRun = 4;
    if (!node.matrix) return 0;
    const Matrix& matrix = *node.matrix;
    const uint64_t outputs = (matrix.outputs + kLanes - 1) / kLanes * kLanes;
    const uint64_t inputs = (matrix.inputs_summed() + kRun - 1) / kRun * kRun;
    const uint64_t packed = 2 * kWord * outputs * (inputs * matrix.taps + 2);
    return packed + 3 * kWord * uint64_t{matrix.outputs} * matrix.inputs_summed() * matrix.taps;
  }

  // The tensors that a node reads.
  std::vector<int> InputsOf(const Node& node) {
    std::vector<int> inputs;
    for (const std::string& input : node.inputs) {
      for (const std::string& part : PartsOf(graph_, input)) inputs.push_back(ids_.at(part));
    }
    if (!node.matrix || IsInteger(node.precision)) return inputs;
    // Float16 is read as it is, but all sources of a sum are of one kind.
    if (std::all_of(inputs.begin(), inputs.end(), [&](int id) { return IsFloat16(id); })) {
      return inputs;
    }
    for (int& input : inputs) input = FloatTwin(input);
    return inputs;
  }

  // A concatenation that has to be made must itself be quantised.
  Status CheckIntegerInputs(const Node& node, const PlanContext& context) const {
    for (const int input : context.inputs) {
      if (IsInteger(node.precision) && Tensor(input).quantisation == nullptr) {
        return Fail("has node " + node.name + " of integers, whose input " + Tensor(input).name +
                    " is made in float");
      }
    }
    return Status::Ok();
  }

  // Fuses readers into the step, one after the other, while they fit the order of its epilogue.
  void FuseReaders(Step* step, std::string* last) {
    const std::vector<Slot> order = step->Epilogue();
    auto free = order.begin();
    while (const Node* next = OnlyReader(*last)) {
      free = std::find(free, order.end(), next->op->fusion->slot);
      if (free == order.end()) return;
      if (*free == Slot::kResidual && !FuseResidual(step, *next, *last)) return;
      step->Fuse(*next);
      done_[IndexOf(next)] = true;
      step->name += "+" + next->name;
      *last = next->output;
      ++free;
    }
  }

  // The other input must be there already, and is added as it is when the step can.
  bool FuseResidual(Step* step, const Node& node, const std::string& last) {
    if (node.inputs[0] == node.inputs[1]) return false;
    const auto other = ids_.find(node.inputs[0] == last ? node.inputs[1] : node.inputs[0]);
    if (other == ids_.end()) return false;
    const int id = other->second;
    step->residual = step->Adds(Tensor(id).element) ? id : FloatTwin(id);
    return true;
  }

  // A step overwrites its input where nobody else reads it. The last step does not: its output may
  // be cropped, and may be in a ring of the caller's.
  void PlaceInPlace(const Node& node, const Step& step) {
    const PlanTensor& input = Tensor(step.inputs[0]);
    PlanTensor& output = plan_->tensors[static_cast<size_t>(step.output)];
    if (output.name == graph_.output || input.input >= 0 ||
        SingleReader(node.inputs[0]) == nullptr || input.compact != output.compact ||
        input.element != output.element || input.zero() != output.zero()) {
      return;
    }
    output.storage = input.storage;
  }

  // A product overwrites what it adds, which is in the cache then, unless somebody will still read
  // that: all other readers come before, read nothing but the row at hand, and have made all rows
  // that this step makes, for it waits for theirs.
  void PlaceOnResidual(const Step& step) {
    const PlanTensor& residual = Tensor(step.residual);
    PlanTensor& output = plan_->tensors[static_cast<size_t>(step.output)];
    if (plan_->observer != nullptr || output.name == graph_.output || residual.input >= 0 ||
        residual.compact != output.compact || residual.element != output.element ||
        residual.zero() != output.zero() || residual.dynamic() || IsTwin(step.residual)) {
      return;
    }
    // The product itself reads around the row, or what other blocks of outputs have overwritten.
    if (std::find(step.inputs.begin(), step.inputs.end(), step.residual) != step.inputs.end()) {
      return;
    }
    for (const Node* reader : consumers_[residual.name]) {
      if (!done_[IndexOf(reader)] || reader->op->fusion->slot == Slot::kSources) return;
    }
    for (size_t s = 0; s < plan_->steps.size(); ++s) {
      const Step& other = *plan_->steps[s];
      const bool reads = Reads(other, step.residual);
      if (reads && (!other.window.IsPointwise() || !WaitsFor(step, s))) return;
    }
    output.storage = residual.storage;
  }

  // A tensor that is a float twin, or has one.
  bool IsTwin(int id) const {
    return twins_.count(id) > 0 || std::any_of(twins_.begin(), twins_.end(),
                                               [id](const auto& t) { return t.second == id; });
  }

  static bool Reads(const Step& step, int tensor) {
    return step.residual == tensor ||
           std::find(step.inputs.begin(), step.inputs.end(), tensor) != step.inputs.end();
  }

  // Whether `step`, the next to be added, makes a row only when step number `before` has made it.
  bool WaitsFor(const Step& step, size_t before) const {
    std::set<int> waited = {plan_->steps[before]->output};
    const auto waits = [&](const Step& other) {
      const Axis& rows = other.window.rows;
      // It reads its own row, and perhaps some behind it.
      const bool looks_ahead = !rows.transposed && rows.stride == 1 && rows.padding < rows.kernel;
      return waited.count(other.residual) > 0 ||
             (looks_ahead && std::any_of(other.inputs.begin(), other.inputs.end(),
                                         [&](int input) { return waited.count(input) > 0; }));
    };
    for (size_t s = before + 1; s < plan_->steps.size(); ++s) {
      if (waits(*plan_->steps[s])) waited.insert(plan_->steps[s]->output);
    }
    return waits(step);
  }

  void SetHalos() {
    for (const auto& step : plan_->steps) {
      for (const int input : step->inputs) {
        for (const int id : {input, Tensor(input).storage}) {
          size_t& have = plan_->tensors[static_cast<size_t>(id)].halo;
          have = std::max(have, step->Halo());
        }
      }
    }
  }

  const PlanTensor& Tensor(int id) const { return plan_->tensors[static_cast<size_t>(id)]; }

  const ModelFile& model_;
  const Graph& graph_;
  const PlanOptions options_;
  MemoryBudget unlimited_;
  BudgetShare packed_{options_.budget == nullptr ? &unlimited_ : options_.budget};
  std::shared_ptr<PlanImpl> plan_;
  std::map<std::string, std::vector<const Node*>> consumers_;
  std::map<std::string, int> ids_;  // tensors that exist, by name
  std::set<std::string> compact_;
  std::map<int, int> twins_;  // quantised tensor -> its float version
  std::vector<bool> done_;
  const bool fast_bytes_ = kernels::HasFastBytes();
};

}  // namespace

size_t PlanImpl::packed_bytes() const {
  size_t bytes = 0;
  for (const auto& step : steps) bytes += step->PackedBytes();
  return bytes;
}

std::string PlanImpl::Describe() const {
  std::string text = "graph " + graph_name +
                     (numeric_class == NumericClass::kExact ? " (exact" : " (close") +
                     (wanted == kAllPositions ? "" : ", " + NameOf(wanted) + " positions") +
                     (whole ? ", whole picture" : "") + ")\n";
  for (const auto& step : steps) {
    const PlanTensor& output = tensors[static_cast<size_t>(step->output)];
    std::string from;
    for (const int input : step->inputs) {
      from += (from.empty() ? "" : ",") + tensors[static_cast<size_t>(input)].name;
    }
    if (step->residual >= 0) from += " + " + tensors[static_cast<size_t>(step->residual)].name;
    std::string more = step->Notes();
    if (output.compact) more += " compact";
    if (output.dynamic()) more += " dynamic";
    if (output.storage != step->output) more += " in-place";
    char line[256];
    std::snprintf(line, sizeof(line), "  %-22s %-24s %10.0f MAC/px  %s > %s%s\n",
                  step->name.c_str(), step->Kernel().c_str(), step->macs_per_pixel, from.c_str(),
                  output.name.c_str(), more.c_str());
    text += line;
  }
  return text;
}

uint64_t Plan::Work(const Graph& graph) {
  uint64_t work = 0;
  for (const Node& node : graph.nodes) work += WorkOf(node);
  return work;
}

Result<std::shared_ptr<const Plan>> Plan::Make(const ModelFile& model, const Graph& graph,
                                               PositionSet wanted, const PlanOptions& options) {
  return Planner(model, graph, wanted, options).Make();
}

}  // namespace glint
