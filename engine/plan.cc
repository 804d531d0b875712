// From a validated graph to steps: which nodes run together, where tensors live, packed weights.

#include "engine/plan.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <set>

#include "kernels/targets.h"

namespace glint {
namespace {

std::vector<float> ReadTensor(const ModelFile& model, const Node& node, const char* role) {
  const auto name = node.weights.find(role);
  if (name == node.weights.end()) return {};
  const TensorView* view = model.tensor(name->second);
  std::vector<float> out(view->elements);
  CopyAsFloat(*view, 0, out.size(), out.data());
  return out;
}

const char* NameOf(kernels::Element element) {
  return element == kernels::Element::kU8    ? "u8"
         : element == kernels::Element::kI16 ? "i16"
         : element == kernels::Element::kF16 ? "f16"
                                             : "f32";
}

// Reads and writes only the same position.
bool IsPointwise(const Node& node) {
  if (node.op == OpType::kConvTranspose2d) return false;
  if (node.op == OpType::kConv2d) return node.stride == 1 && node.kernel == 1;
  return true;
}

class Planner {
 public:
  Planner(const ModelFile& model, const Graph& graph, Parity parity, TensorObserver* observer)
      : model_(model), graph_(graph), plan_(std::make_shared<PlanImpl>()) {
    plan_->model = &model;
    plan_->observer = observer;
    plan_->graph_name = graph.name;
    plan_->numeric_class = graph.numeric_class;
    plan_->wanted = parity;
  }

  Result<std::shared_ptr<const Plan>> Make() {
    if (graph_.outputs.size() != 1) return Fail("has more than one output");
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
    const auto output = ids_.find(graph_.outputs[0]);
    if (output == ids_.end() || plan_->steps.empty()) return Fail("computes nothing");
    plan_->output_tensor = output->second;
    if (plan_->steps.back().output != plan_->output_tensor) {
      return Fail("has nodes behind its output");
    }
    SetHalos();
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

  // With a parity wanted, a tensor is compact when everything that reads it is.
  void FindCompact() {
    if (plan_->wanted == Parity::kAll) return;
    compact_.insert(graph_.outputs[0]);
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (node->output == graph_.outputs[0]) continue;
      const std::vector<const Node*>& readers = consumers_[node->output];
      const bool all = std::all_of(readers.begin(), readers.end(), [&](const Node* reader) {
        return IsPointwise(*reader) && compact_.count(reader->output) > 0;
      });
      if (all && !readers.empty()) compact_.insert(node->output);
    }
  }

  // The one node that reads `tensor` and may take it over: a quantised tensor is always made, for
  // rounding it is part of what the graph says.
  const Node* OnlyReader(const std::string& tensor) const {
    return graph_.quantised.count(tensor) > 0 ? nullptr : SingleReader(tensor);
  }

  // The one node that reads `tensor`, if there is only one and it is no output of the graph. What
  // is observed stays as it is made.
  const Node* SingleReader(const std::string& tensor) const {
    if (tensor == graph_.outputs[0] || plan_->observer != nullptr) return nullptr;
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

  bool IsHalf(int id) const { return Tensor(id).element == kernels::Element::kF16; }

  int FloatTwin(int id) {
    if (Tensor(id).quantisation == nullptr) return id;
    const auto [entry, is_new] = twins_.try_emplace(id, 0);
    if (is_new) {
      entry->second = AddFloatTwin(id);
      AddConversion(id, entry->second);
    }
    return entry->second;
  }

  void AddConversion(int from, int to) {
    PlanStep step;
    step.kind = StepKind::kConvert;
    step.name = "convert";
    step.inputs = {from};
    step.output = to;
    plan_->steps.push_back(std::move(step));
  }

  size_t IndexOf(const Node* node) const { return static_cast<size_t>(node - graph_.nodes.data()); }

  void Absorb(PlanStep* step, const Node* node, std::string* last) {
    done_[IndexOf(node)] = true;
    step->name += "+" + node->name;
    *last = node->output;
  }

  // Concatenations whose readers all take several sources are never made.
  bool ConcatIsFree(const Node& node) const {
    if (node.output == graph_.outputs[0] || node.inputs.size() > kernels::kMaxSources ||
        graph_.quantised.count(node.output) > 0) {
      return false;
    }
    const auto readers = consumers_.find(node.output);
    if (readers == consumers_.end()) return false;
    return std::all_of(readers->second.begin(), readers->second.end(), [&](const Node* reader) {
      return reader->op == OpType::kConv2d && IsPointwise(*reader);
    });
  }

  Status AddStep(size_t index) {
    const Node& node = graph_.nodes[index];
    done_[index] = true;
    if (node.op == OpType::kConcat && ConcatIsFree(node)) {
      free_concats_[node.output] = &node;
      return Status::Ok();
    }
    PlanStep step;
    step.name = node.name;
    std::string last = node.output;
    FillInputs(node, &step);
    switch (node.op) {
      case OpType::kConv2d:
      case OpType::kConvTranspose2d:
        step.kind = StepKind::kConv;
        GLINT_TRY(CheckIntegerInputs(node, step));
        MakeConv(node, &step);
        FuseIntoConv(&step, &last);
        break;
      case OpType::kGdn:
        if (graph_.numeric_class == NumericClass::kExact) {
          return Fail("is exact, but " + node.name + " is a gdn, which is not");
        }
        step.kind = StepKind::kGdn;
        MakeGdn(node, &step);
        FuseGain(&step, &last);
        break;
      case OpType::kLeakyRelu:
        step.kind = StepKind::kLeakyRelu;
        step.slope = node.slope;
        break;
      case OpType::kAdd:
        step.kind = StepKind::kAdd;
        break;
      case OpType::kGain:
        step.kind = StepKind::kGain;
        step.gain = &node;
        break;
      case OpType::kConcat:
        step.kind = StepKind::kConcat;
        break;
      case OpType::kDigits:
        step.kind = StepKind::kDigits;
        step.digits = &node;
        break;
    }
    step.output = AddTensor(last);
    // The step of a dynamic tensor is known only when all of it is there.
    const bool dynamic = Tensor(step.output).dynamic();
    if (dynamic || ((step.conv || step.gdn) && !Stores(step, Tensor(step.output).element))) {
      const int quantised = step.output;
      step.output = AddFloatTwin(quantised);
      plan_->steps.push_back(std::move(step));
      AddConversion(plan_->steps.back().output, quantised);
      return Status::Ok();
    }
    if (step.kind != StepKind::kConv && step.kind != StepKind::kConcat &&
        step.kind != StepKind::kDigits) {
      PlaceInPlace(node, &step);
    }
    plan_->steps.push_back(std::move(step));
    return Status::Ok();
  }

  // Products of floats are stored as floats or halves, those of integers as floats or integers,
  // paired rows as floats.
  static bool Stores(const PlanStep& step, kernels::Element element) {
    if (element == kernels::Element::kF32) return true;
    return kernels::IsInteger(element) == step.integer() && !step.paired_rows();
  }

  void FillInputs(const Node& node, PlanStep* step) {
    const bool matrix = node.op == OpType::kConv2d || node.op == OpType::kConvTranspose2d ||
                        node.op == OpType::kGdn;
    const auto add = [&](const std::string& input) { step->inputs.push_back(ids_.at(input)); };
    for (const std::string& input : node.inputs) {
      const auto concat = free_concats_.find(input);
      if (concat == free_concats_.end()) {
        add(input);
      } else {
        for (const std::string& part : concat->second->inputs) add(part);
      }
    }
    if (!matrix || IsInteger(node.precision)) return;
    // Halves are read as they are, but all sources of a sum are of one kind.
    std::vector<int>& inputs = step->inputs;
    if (std::all_of(inputs.begin(), inputs.end(), [&](int id) { return IsHalf(id); })) return;
    for (int& input : inputs) input = FloatTwin(input);
  }

  // The weights of a sum of halves take the factors of its inputs: powers of two, so nothing is
  // rounded.
  void TakeFactors(const Node& node, const PlanStep& step, std::vector<float>* weight) const {
    std::vector<float> factors;
    for (const int input : step.inputs) {
      const PlanTensor& tensor = Tensor(input);
      std::vector<float> own(tensor.channels, 1.0f);
      if (tensor.quantisation != nullptr && !tensor.quantisation->factor.empty()) {
        CopyAsFloat(*model_.tensor(tensor.quantisation->factor), 0, own.size(), own.data());
      }
      factors.insert(factors.end(), own.begin(), own.end());
    }
    if (node.op == OpType::kGdn && node.gdn_form == GdnForm::kSqrt) {
      for (float& factor : factors) factor *= factor;
    }
    const bool transposed = node.op == OpType::kConvTranspose2d;
    const size_t outputs = static_cast<size_t>(graph_.channels.at(node.output));
    const size_t taps = weight->size() / factors.size() / outputs;
    const size_t run = transposed ? taps * outputs : taps;  // of one input
    for (size_t i = 0; i < weight->size(); ++i) (*weight)[i] *= factors[i / run % factors.size()];
  }

  // The largest half that the step can read, for products of halves.
  float MostInput(const Node& node, const PlanStep& step) const {
    if (node.precision != Precision::kF16 || !IsHalf(step.inputs[0])) return 0.0f;
    int most = 0;
    for (const int input : step.inputs) most = std::max(most, Tensor(input).quantisation->max);
    return static_cast<float>(most);
  }

  kernels::Element KeptAs(const Node& node) const {
    return node.precision == Precision::kF16 && fast_halves_ ? kernels::Element::kF16
                                                             : kernels::Element::kF32;
  }

  std::vector<int16_t> ReadIntegers(const Node& node, const char* role) const {
    const std::vector<float> values = ReadTensor(model_, node, role);
    return std::vector<int16_t>(values.begin(), values.end());
  }

  // What an integer step needs beside its weights; paired rows have four phases of the outputs.
  void SetScales(const Node& node, const char* bias, size_t channels, PlanStep* step) const {
    const std::vector<float> scale = ReadTensor(model_, node, "scale");
    const std::vector<float> add = ReadTensor(model_, node, bias);
    const size_t copies = step->paired_rows() ? 4 : 1;
    step->scale.assign(kernels::PaddedChannels(copies * channels), 0.0f);
    step->bias.assign(step->scale.size(), 0.0f);
    for (size_t c = 0; c < copies * channels; ++c) {
      step->scale[c] = scale[c % channels];
      if (!add.empty()) step->bias[c] = add[c % channels];
    }
  }

  // A concatenation that has to be made must itself be quantised.
  Status CheckIntegerInputs(const Node& node, const PlanStep& step) const {
    for (const int input : step.inputs) {
      if (IsInteger(node.precision) && Tensor(input).quantisation == nullptr) {
        return Fail("has node " + node.name + " of integers, whose input " + Tensor(input).name +
                    " is made in float");
      }
    }
    return Status::Ok();
  }

  void MakeConv(const Node& node, PlanStep* step) {
    kernels::ConvSpec spec;
    spec.kind = node.op == OpType::kConv2d ? kernels::ConvSpec::Kind::kConv
                                           : kernels::ConvSpec::Kind::kTranspose;
    spec.kernel = static_cast<size_t>(node.kernel);
    spec.stride = static_cast<size_t>(node.stride);
    spec.padding = static_cast<size_t>(node.padding);
    spec.checkerboard = node.mask == ConvMask::kCheckerboard;
    spec.sources = step->inputs.size();
    for (size_t s = 0; s < spec.sources; ++s)
      spec.in_channels[s] = Tensor(step->inputs[s]).channels;
    spec.out_channels = static_cast<size_t>(graph_.channels.at(node.output));
    const bool integer = IsInteger(node.precision);
    // Integer sums are exact in any order.
    spec.numerics = graph_.numeric_class == NumericClass::kExact && !integer
                        ? kernels::Numerics::kExact
                        : kernels::Numerics::kClose;
    if (integer) {
      // Paired rows are stored as floats.
      if (graph_.quantised.count(node.output) > 0) spec.numerics = kernels::Numerics::kExact;
      const PlanTensor& input = Tensor(step->inputs[0]);
      step->conv.emplace(spec, input.element, ReadIntegers(node, "weight").data(), input.zero());
      SetScales(node, "bias", spec.out_channels, step);
    } else {
      std::vector<float> weight = ReadTensor(model_, node, "weight");
      TakeFactors(node, *step, &weight);
      const std::vector<float> bias = ReadTensor(model_, node, "bias");
      step->conv.emplace(spec, weight.data(), bias.empty() ? nullptr : bias.data(),
                         Tensor(step->inputs[0]).element, KeptAs(node), MostInput(node, *step));
      step->half = node.precision == Precision::kF16;
    }
    step->macs_per_pixel = step->conv->MacsPerPixel();
    step->rows = RowRule::Of(node);
    step->rows.pairs = spec.paired_rows();
  }

  void MakeGdn(const Node& node, PlanStep* step) {
    const std::vector<float> beta = ReadTensor(model_, node, "beta");
    if (IsInteger(node.precision)) {
      const PlanTensor& input = Tensor(step->inputs[0]);
      step->gdn.emplace(beta.size(), input.element, input.zero(), node.inverse,
                        ReadIntegers(node, "gamma").data());
      SetScales(node, "beta", beta.size(), step);
    } else {
      std::vector<float> gamma = ReadTensor(model_, node, "gamma");
      TakeFactors(node, *step, &gamma);
      const auto form =
          node.gdn_form == GdnForm::kAbs ? kernels::Gdn::Form::kAbs : kernels::Gdn::Form::kSqrt;
      step->gdn.emplace(beta.size(), form, node.inverse, beta.data(), gamma.data(),
                        Tensor(step->inputs[0]).element, KeptAs(node));
      step->half = node.precision == Precision::kF16;
    }
    step->macs_per_pixel = step->gdn->MacsPerPixel();
  }

  // residual, then activation, then gain: the order of the kernels' epilogue. Paired rows have
  // none.
  void FuseIntoConv(PlanStep* step, std::string* last) {
    if (step->paired_rows()) return;
    const Node* next = OnlyReader(*last);
    if (next != nullptr && next->op == OpType::kAdd && next->inputs[0] != next->inputs[1]) {
      const std::string& other = next->inputs[0] == *last ? next->inputs[1] : next->inputs[0];
      const auto ready = ids_.find(other);
      if (ready != ids_.end()) {
        // Added as it is when it is of the products' kind.
        const bool as_it_is = step->integer() != IsHalf(ready->second);
        step->residual = as_it_is ? ready->second : FloatTwin(ready->second);
        Absorb(step, next, last);
        next = OnlyReader(*last);
      }
    }
    if (next != nullptr && next->op == OpType::kLeakyRelu) {
      step->leaky_relu = true;
      step->slope = next->slope;
      Absorb(step, next, last);
    }
    FuseGain(step, last);
  }

  void FuseGain(PlanStep* step, std::string* last) {
    const Node* next = OnlyReader(*last);
    if (next == nullptr || next->op != OpType::kGain) return;
    step->gain = next;
    Absorb(step, next, last);
  }

  // A step whose input nobody else reads overwrites it. Not the last: its output may be cropped,
  // and in a ring of the caller's.
  void PlaceInPlace(const Node& node, PlanStep* step) {
    const PlanTensor& input = Tensor(step->inputs[0]);
    PlanTensor& output = plan_->tensors[static_cast<size_t>(step->output)];
    if (output.name == graph_.outputs[0] || input.input >= 0 ||
        SingleReader(node.inputs[0]) == nullptr || input.compact != output.compact ||
        input.element != output.element || input.zero() != output.zero()) {
      return;
    }
    output.storage = input.storage;
  }

  void SetHalos() {
    for (const PlanStep& step : plan_->steps) {
      if (!step.conv) continue;
      const size_t halo = std::max(step.conv->ReadsLeft(), step.conv->ReadsRight());
      for (const int input : step.inputs) {
        const int storage = Tensor(input).storage;
        for (const int id : {input, storage}) {
          size_t& have = plan_->tensors[static_cast<size_t>(id)].halo;
          have = std::max(have, halo);
        }
      }
    }
  }

  const PlanTensor& Tensor(int id) const { return plan_->tensors[static_cast<size_t>(id)]; }

  const ModelFile& model_;
  const Graph& graph_;
  std::shared_ptr<PlanImpl> plan_;
  std::map<std::string, std::vector<const Node*>> consumers_;
  std::map<std::string, int> ids_;  // tensors that exist, by name
  std::map<std::string, const Node*> free_concats_;
  std::set<std::string> compact_;
  std::map<int, int> twins_;  // quantised tensor -> its float version
  std::vector<bool> done_;
  const bool fast_bytes_ = kernels::HasFastBytes();
  const bool fast_halves_ = kernels::HasFastHalves();
};

}  // namespace

std::string PlanStep::KernelName() const {
  switch (kind) {
    case StepKind::kConv: {
      const kernels::ConvSpec& spec = conv->spec();
      std::string text = transposed() ? "deconv" : spec.checkerboard ? "checkerboard" : "conv";
      if (integer()) text = NameOf(conv->input()) + (" " + text);
      if (half) text = (conv->half_sums() ? "f16 sums " : "f16 ") + text;
      text += std::to_string(spec.kernel) + "x" + std::to_string(spec.kernel);
      if (spec.stride > 1) text += "/" + std::to_string(spec.stride);
      const size_t in = std::accumulate(spec.in_channels.begin(),
                                        spec.in_channels.begin() + spec.sources, size_t{0});
      return text + " " + std::to_string(in) + ">" + std::to_string(spec.out_channels);
    }
    case StepKind::kGdn:
      return integer() ? NameOf(gdn->input()) + std::string(" gdn") : half ? "f16 gdn" : "gdn";
    case StepKind::kLeakyRelu:
      return "leaky_relu";
    case StepKind::kAdd:
      return "add";
    case StepKind::kGain:
      return "gain";
    case StepKind::kConcat:
      return "concat";
    case StepKind::kConvert:
      return "convert";
    case StepKind::kDigits:
      return "digits";
  }
  return "";
}

size_t PlanImpl::packed_bytes() const {
  size_t bytes = 0;
  for (const PlanStep& step : steps) bytes += step.conv ? step.conv->packed_bytes() : 0;
  return bytes;
}

std::string PlanImpl::Describe() const {
  std::string text = "graph " + graph_name +
                     (numeric_class == NumericClass::kExact ? " (exact" : " (close") +
                     (wanted == Parity::kEven  ? ", even positions"
                      : wanted == Parity::kOdd ? ", odd positions"
                                               : "") +
                     (whole ? ", whole picture" : "") + ")\n";
  for (const PlanStep& step : steps) {
    const PlanTensor& output = tensors[static_cast<size_t>(step.output)];
    std::string from;
    for (const int input : step.inputs) {
      from += (from.empty() ? "" : ",") + tensors[static_cast<size_t>(input)].name;
    }
    if (step.residual >= 0) from += " + " + tensors[static_cast<size_t>(step.residual)].name;
    std::string more;
    if (step.kind == StepKind::kConv && step.leaky_relu) more += " leaky_relu";
    if (step.kind != StepKind::kGain && step.gain != nullptr) more += " gain";
    if (output.compact) more += " compact";
    if (output.dynamic()) more += " dynamic";
    if (output.storage != step.output) more += " in-place";
    char line[256];
    std::snprintf(line, sizeof(line), "  %-22s %-24s %10.0f MAC/px  %s > %s%s\n", step.name.c_str(),
                  step.KernelName().c_str(), step.macs_per_pixel, from.c_str(), output.name.c_str(),
                  more.c_str());
    text += line;
  }
  return text;
}

Result<std::shared_ptr<const Plan>> Plan::Make(const ModelFile& model, const Graph& graph,
                                               Parity parity, TensorObserver* observer) {
  return Planner(model, graph, parity, observer).Make();
}

}  // namespace glint
