#include "engine/graph_check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "engine/json.h"
#include "engine/model_file.h"
#include "engine/row_math.h"
#include "engine/safetensors.h"

namespace glint {
namespace {

constexpr int64_t kMaxChannels = 4096;
constexpr int64_t kMaxKernel = 15;
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
      GLINT_TRY(CheckScale(node));
      GLINT_TRY(CheckShape(&node));
    }
    GLINT_TRY(CheckQuantised());
    for (const Node& node : graph_.nodes) {
      if (node.op == OpType::kDigits) GLINT_TRY(CheckDigits(node));
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
    const std::string& output = graph_.outputs[0];
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

  Status CheckScale(const Node& node) {
    const TensorScale scale = scales_.at(node.inputs[0]);
    for (const std::string& input : node.inputs) {
      if (scales_.at(input) == scale) continue;
      return Fail(node, "its inputs " + Quote(node.inputs[0]) + " and " + Quote(input) +
                            " have different sizes");
    }
    const TensorScale out = OutputScale(node, scale);
    if (out.level < -kMaxLevel || out.level - out.lowest > kMaxLevel) {
      return Fail(node, "more than " + std::to_string(kMaxLevel) + " changes of size");
    }
    scales_[node.output] = out;
    return Status::Ok();
  }

  Status CheckShape(Node* node) {
    int64_t channels = graph_.channels.at(node->inputs[0]);
    switch (node->op) {
      case OpType::kConv2d:
      case OpType::kConvTranspose2d:
        GLINT_TRY(CheckConv(channels, node, &channels));
        break;
      case OpType::kGdn:
        if (graph_.numeric_class == NumericClass::kExact) {
          return Fail(*node, "gdn is not available in class exact");
        }
        GLINT_TRY(CheckGdn(*node, channels));
        break;
      case OpType::kGain:
        if (graph_.numeric_class == NumericClass::kExact) {
          return Fail(*node, "gain is not available in class exact");
        }
        GLINT_TRY(CheckGain(*node, channels));
        break;
      case OpType::kAdd:
        if (graph_.channels.at(node->inputs[1]) != channels) {
          return Fail(*node, "adds " + std::to_string(channels) + " and " +
                                 std::to_string(graph_.channels.at(node->inputs[1])) + " channels");
        }
        break;
      case OpType::kConcat:
        for (size_t i = 1; i < node->inputs.size(); ++i) {
          channels += graph_.channels.at(node->inputs[i]);
        }
        break;
      case OpType::kLeakyRelu:
        break;
      case OpType::kDigits:
        for (const std::vector<int>* list : {&node->low, &node->coarse}) {
          for (const int channel : *list) {
            if (channel >= graph_.channels.at(node->inputs[0])) {
              return Fail(*node, "its input has no channel " + std::to_string(channel));
            }
          }
          channels += static_cast<int64_t>(list->size());
        }
        break;
    }
    if (channels > kMaxChannels) {
      return Fail(*node, "has " + std::to_string(channels) + " channels, at most " +
                             std::to_string(kMaxChannels) + " are allowed");
    }
    graph_.channels[node->output] = static_cast<int>(channels);
    return Status::Ok();
  }

  Status CheckConv(int64_t in_channels, Node* node, int64_t* out_channels) const {
    const TensorView* weight = nullptr;
    GLINT_TRY(FindWeight(*node, "weight", &weight));
    const bool transposed = node->op == OpType::kConvTranspose2d;
    const auto fail = [&](const std::string& what) {
      return Fail(*node, "weight " + Quote(node->weights.at("weight")) + " has shape " +
                             ShapeText(*weight) + ": " + what);
    };
    if (weight->shape.size() != 4) return fail("4 dimensions are wanted");
    const int64_t kernel = weight->shape[2];
    const int64_t weight_in = weight->shape[transposed ? 0 : 1];
    *out_channels = weight->shape[transposed ? 1 : 0];
    if (kernel != weight->shape[3] || kernel < 1 || kernel > kMaxKernel) {
      return fail("the kernel is not square and 1 to " + std::to_string(kMaxKernel));
    }
    if (weight_in != in_channels) {
      return fail("the input has " + std::to_string(in_channels) + " channels");
    }
    if (*out_channels < 1 || *out_channels > kMaxChannels) {
      return fail("1 to " + std::to_string(kMaxChannels) + " output channels are allowed");
    }
    node->kernel = static_cast<int>(kernel);
    GLINT_TRY(transposed ? CheckTransposed(*node) : CheckSame(*node));
    const TensorView* view = nullptr;
    if (node->weights.count("scale") > 0) {
      GLINT_TRY(FindShaped(*node, "scale", {*out_channels}, &view));
    }
    if (node->weights.count("bias") == 0) return Status::Ok();
    return FindShaped(*node, "bias", {*out_channels}, &view);
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
        const float factor = At(view, i);
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

  // The tensors whose channels a node with one input reads: those of a concatenation one by one.
  std::vector<std::string> PartsOf(const std::string& tensor) const {
    if (graph_.quantised.count(tensor) > 0) return {tensor};
    for (const Node& node : graph_.nodes) {
      if (node.output == tensor && node.op == OpType::kConcat) return node.inputs;
    }
    return {tensor};
  }

  // From int16 to bytes of sixteen times the step, read by products of bytes alone.
  Status CheckDigits(const Node& node) const {
    const auto in = graph_.quantised.find(node.inputs[0]);
    const auto out = graph_.quantised.find(node.output);
    if (in == graph_.quantised.end() || in->second.element != kernels::Element::kI16 ||
        in->second.dynamic) {
      return Fail(node,
                  "its input " + Quote(node.inputs[0]) + " is not kept as i16 of given steps");
    }
    if (out == graph_.quantised.end() || out->second.element != kernels::Element::kU8 ||
        !out->second.factor.empty()) {
      return Fail(node, "its output is not kept as u8 without factors");
    }
    std::vector<double> steps = in->second.steps;
    for (double& step : steps) step *= kernels::kDigit;
    if (out->second.steps != steps) {
      return Fail(node, "the steps of its output are not 16 times those of its input");
    }
    const int zero = out->second.zero;
    if (!node.low.empty() && (zero < kernels::kDigit / 2 || zero > 256 - kernels::kDigit / 2)) {
      return Fail(node, "zero is " + std::to_string(zero) + ", too near an end for low digits");
    }
    const bool bytes_only =
        std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& reader) {
          return reader.precision == Precision::kI8 || reader.inputs[0] != node.output;
        });
    const bool first_input =
        std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& reader) {
          return std::find(reader.inputs.begin() + 1, reader.inputs.end(), node.output) ==
                 reader.inputs.end();
        });
    if (bytes_only && first_input && node.output != graph_.outputs[0]) return Status::Ok();
    return Fail(node, "its output is read by something else than products of precision i8");
  }

  // Integer products: inputs of the right type and one scale, and no sum that can leave int32.
  Status CheckInteger(const Node& node) const {
    const kernels::Element wanted =
        node.precision == Precision::kI8 ? kernels::Element::kU8 : kernels::Element::kI16;
    if (node.op == OpType::kGdn && node.gdn_form != GdnForm::kAbs) {
      return Fail(node, "form sqrt has no integer form");
    }
    std::vector<int64_t> largest;  // of each input channel
    const Quantisation* first = nullptr;
    for (const std::string& part : PartsOf(node.inputs[0])) {
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
      const int64_t most = wanted == kernels::Element::kU8 ? 2 * 255 : quantisation.max;
      largest.insert(largest.end(), static_cast<size_t>(graph_.channels.at(part)), most);
    }
    return CheckSums(node, largest);
  }

  Status CheckSums(const Node& node, const std::vector<int64_t>& largest) const {
    const TensorView& weight = tensors_.at(node.weights.at(MatrixRole(node)));
    const bool transposed = node.op == OpType::kConvTranspose2d;
    const size_t inputs = largest.size();
    const size_t outputs = static_cast<size_t>(weight.shape[transposed ? 1 : 0]);
    const size_t taps = weight.elements / (inputs * outputs);
    std::vector<float> values(taps);
    std::vector<int64_t> sums(outputs, 0);
    for (size_t o = 0; o < outputs; ++o) {
      for (size_t i = 0; i < inputs; ++i) {
        const size_t at = (transposed ? i * outputs + o : o * inputs + i) * taps;
        CopyAsFloat(weight, at, taps, values.data());
        for (const float v : values) {
          sums[o] += largest[i] * static_cast<int64_t>(v < 0 ? -v : v);
        }
      }
      if (sums[o] > INT32_MAX) {
        return Fail(node, "its sums for output channel " + std::to_string(o) + " can reach " +
                              std::to_string(sums[o]) + ", beyond 32 bits");
      }
    }
    return Status::Ok();
  }

  static const char* MatrixRole(const Node& node) {
    return node.op == OpType::kGdn ? "gamma" : "weight";
  }

  Status CheckSame(const Node& node) const {
    if (node.kernel % 2 == 0) {
      return Fail(node, "kernel " + std::to_string(node.kernel) + " is not odd");
    }
    if (node.padding != (node.kernel - 1) / 2) {
      return Fail(node, "padding is " + std::to_string(node.padding) + ", kernel " +
                            std::to_string(node.kernel) + " needs " +
                            std::to_string((node.kernel - 1) / 2));
    }
    if (node.mask == ConvMask::kCheckerboard && (node.kernel < 3 || node.stride != 1)) {
      return Fail(node, "mask checkerboard needs stride 1 and a kernel of at least 3");
    }
    return Status::Ok();
  }

  Status CheckTransposed(const Node& node) const {
    if (node.kernel < 3 || node.kernel > 5) {
      return Fail(node, "kernel " + std::to_string(node.kernel) + " is not 3, 4 or 5");
    }
    // (h - 1) * 2 - 2 padding + kernel + output_padding = 2 h
    if (node.kernel + node.output_padding != 2 * node.padding + 2) {
      return Fail(node, "kernel " + std::to_string(node.kernel) + ", padding " +
                            std::to_string(node.padding) + " and output_padding " +
                            std::to_string(node.output_padding) + " do not double the size");
    }
    return Status::Ok();
  }

  Status CheckGdn(const Node& node, int64_t channels) const {
    const TensorView *beta = nullptr, *gamma = nullptr;
    GLINT_TRY(FindShaped(node, "beta", {channels}, &beta));
    GLINT_TRY(FindShaped(node, "gamma", {channels, channels}, &gamma));
    for (size_t i = 0; i < beta->elements; ++i) {
      if (At(*beta, i) > 0) continue;
      return Fail(node, "beta " + Quote(node.weights.at("beta")) + " is " +
                            std::to_string(At(*beta, i)) + " at " + std::to_string(i) +
                            ", not positive");
    }
    std::vector<float> values(gamma->elements);
    CopyAsFloat(*gamma, 0, values.size(), values.data());
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] >= 0) continue;
      return Fail(node, "gamma " + Quote(node.weights.at("gamma")) + " is " +
                            std::to_string(values[i]) + " at " + std::to_string(i) +
                            ", which is negative");
    }
    if (node.weights.count("scale") == 0) return Status::Ok();
    const TensorView* scale = nullptr;
    GLINT_TRY(FindShaped(node, "scale", {channels}, &scale));
    for (size_t i = 0; i < scale->elements; ++i) {
      if (!(At(*scale, i) >= 0)) return Fail(node, "scale is negative at " + std::to_string(i));
    }
    return Status::Ok();
  }

  Status CheckGain(const Node& node, int64_t channels) const {
    const TensorView* view = nullptr;
    GLINT_TRY(FindWeight(node, "fc1.bias", &view));
    const int64_t hidden = view->shape.empty() ? 0 : view->shape[0];
    if (hidden < 1 || hidden > kMaxChannels) {
      return Fail(node, "fc1.bias has shape " + ShapeText(*view) + ", 1 to " +
                            std::to_string(kMaxChannels) + " hidden units are allowed");
    }
    GLINT_TRY(FindShaped(node, "fc1.bias", {hidden}, &view));
    GLINT_TRY(FindShaped(node, "fc1.weight", {hidden, 1}, &view));
    GLINT_TRY(FindShaped(node, "fc2.weight", {channels, hidden}, &view));
    return FindShaped(node, "fc2.bias", {channels}, &view);
  }

  static float At(const TensorView& view, size_t i) {
    float value = 0;
    std::memcpy(&value, view.data + 4 * i, 4);
    return value;
  }

  // A weight that exists, has the dtype of the node's precision, and is finite.
  Status FindWeight(const Node& node, const char* role, const TensorView** out) const {
    const std::string& name = node.weights.at(role);
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      return Fail(node, std::string(role) + " " + Quote(name) + " is not in the file");
    }
    const TensorView& view = found->second;
    GLINT_TRY(CheckType(node, role, view));
    std::vector<float> values(view.elements);
    CopyAsFloat(view, 0, values.size(), values.data());
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
      return Fail(node, std::string(role) + " " + Quote(name) + " is not finite everywhere");
    }
    *out = &view;
    return Status::Ok();
  }

  // The matrix has the precision's type, everything beside it is F32.
  Status CheckType(const Node& node, const std::string& role, const TensorView& view) const {
    DType wanted = DType::kF32, also = DType::kF32;
    const char* precision = "f32";
    if (role == MatrixRole(node)) {
      switch (node.precision) {
        case Precision::kF32:
          break;
        case Precision::kF16:
          wanted = also = DType::kF16;
          precision = "f16";
          break;
        case Precision::kI16:
          wanted = DType::kI16;
          also = DType::kI8;
          precision = "i16";
          break;
        case Precision::kI8:
          wanted = also = DType::kI8;
          precision = "i8";
          break;
      }
    }
    if (view.dtype == wanted || view.dtype == also) return Status::Ok();
    return Fail(node, role + " " + Quote(node.weights.at(role)) + " has dtype " +
                          NameOf(view.dtype) + ", precision " + precision + " needs " +
                          NameOf(wanted));
  }

  Status FindShaped(const Node& node, const char* role, const std::vector<int64_t>& shape,
                    const TensorView** out) const {
    GLINT_TRY(FindWeight(node, role, out));
    if ((*out)->shape == shape) return Status::Ok();
    TensorView wanted;
    wanted.shape = shape;
    return Fail(node, std::string(role) + " " + Quote(node.weights.at(role)) + " has shape " +
                          ShapeText(**out) + ", " + ShapeText(wanted) + " is wanted");
  }

  const TensorTable& tensors_;
  Graph& graph_;
  std::map<std::string, TensorScale> scales_;
};

struct Transform {
  const char* name;
  int in_channels, out_channels;
  TensorScale scale;
  std::string size;  // what the scale means
};

Status CheckTransform(const ModelDocument& document, const Transform& wanted) {
  const std::string place = std::string("graph '") + wanted.name + "'";
  const auto found = document.graphs.find(wanted.name);
  if (found == document.graphs.end()) return BadModel("graphs", place + " is missing");
  const Graph& graph = found->second;
  if (graph.inputs.size() != 1) {
    return BadModel(place, "has " + std::to_string(graph.inputs.size()) + " inputs, one is wanted");
  }
  if (graph.inputs[0].channels != wanted.in_channels) {
    return BadModel(place, "input " + Quote(graph.inputs[0].name) + " has " +
                               std::to_string(graph.inputs[0].channels) + " channels, " +
                               std::to_string(wanted.in_channels) + " are wanted");
  }
  const int channels = graph.channels.at(graph.outputs[0]);
  if (wanted.out_channels > 0 && channels != wanted.out_channels) {
    return BadModel(place, "output " + Quote(graph.outputs[0]) + " has " +
                               std::to_string(channels) + " channels, " +
                               std::to_string(wanted.out_channels) + " are wanted");
  }
  if (GraphRows(graph).output_scale() != wanted.scale) {
    return BadModel(place, "the size of its output is not that of its input " + wanted.size);
  }
  return Status::Ok();
}

}  // namespace

Status CheckWeightUse(const TensorTable& tensors, const ModelDocument& document) {
  uint64_t available = 0, used = 0;
  for (const auto& entry : tensors) available += entry.second.elements;
  for (const auto& graph : document.graphs) {
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

Status CheckTransforms(const ModelDocument& document) {
  const int picture = document.picture_channels, latent = document.latent_channels;
  const int hyper = document.hyper_channels;
  if (document.picture_stride % document.latent_stride != 0) {
    return BadModel("picture", "stride " + std::to_string(document.picture_stride) +
                                   " is no multiple of the latents' " +
                                   std::to_string(document.latent_stride));
  }
  if (document.hyper_stride % document.latent_stride != 0) {
    return BadModel("hyper", "stride " + std::to_string(document.hyper_stride) +
                                 " is no multiple of the latents' " +
                                 std::to_string(document.latent_stride));
  }
  const int hyper_ratio = document.hyper_stride / document.latent_stride;
  const int down = std::countr_zero(static_cast<unsigned>(document.latent_stride));
  const int hyper_down = std::countr_zero(static_cast<unsigned>(hyper_ratio));
  const std::string factor = std::to_string(document.latent_stride);
  const std::string hyper_factor = std::to_string(hyper_ratio);
  GLINT_TRY(CheckTransform(document, {"g_a", picture, latent, {-down, -down}, "/ " + factor}));
  GLINT_TRY(CheckTransform(document, {"g_s", latent, picture, {0, down}, "* " + factor}));
  GLINT_TRY(CheckTransform(
      document, {"h_a", latent, hyper, {-hyper_down, -hyper_down}, "/ " + hyper_factor}));
  GLINT_TRY(CheckTransform(document, {"h_s", hyper, 0, {0, hyper_down}, "* " + hyper_factor}));
  if (document.graphs.at("h_s").numeric_class != NumericClass::kExact) {
    return BadModel("graph 'h_s'", "class is close, the way to the symbols must be exact");
  }
  return Status::Ok();
}

}  // namespace glint
