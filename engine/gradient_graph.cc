#include "engine/gradient_graph.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "engine/graph_document.h"
#include "engine/graph_rows.h"
#include "engine/json.h"
#include "engine/model_writer.h"
#include "engine/op.h"

namespace glint {
namespace {

// sigmoid(x times this) is 1 for what is above 0, and 0 below.
constexpr float kSteep = 1e20f;

class Builder {
 public:
  Builder(const ModelFile& model, const std::string& name)
      : model_(model), graph_(model.graphs().at(name)) {}

  Result<std::shared_ptr<const ModelFile>> Build() {
    GLINT_ASSIGN(const Json document, ParseJson(model_.document_text(), model_.name()));
    for (const Json& node : document.at("graphs").at(graph_.name).at("nodes")) {
      documents_[node.at("name").get<std::string>()] = node;
      names_.insert(node.at("output").get<std::string>());
    }
    for (const GraphInput& input : graph_.inputs) names_.insert(input.name);
    if (graph_.inputs.size() != 1) return Unsupported("it has more than one input");
    for (const Node& node : graph_.nodes) GLINT_TRY(Forward(node));
    GLINT_TRY(Compare());
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (sources_.count(node->output) > 0) continue;
      const auto gradient = gradients_.find(node->output);
      if (gradient != gradients_.end()) GLINT_TRY(Backward(*node, std::string(gradient->second)));
    }
    const auto found = gradients_.find(graph_.inputs[0].name);
    if (found == gradients_.end()) return Unsupported("its output does not depend on its input");

    Json graph;
    graph["class"] = "close";
    graph["inputs"] = {{{"name", graph_.inputs[0].name}, {"channels", graph_.inputs[0].channels}},
                       {{"name", target_}, {"channels", target_channels_}}};
    graph["output"] = found->second;
    graph["nodes"] = std::move(nodes_);
    Json made;
    made["format"] = kModelFormat;
    made["graphs"][kGradientGraph] = std::move(graph);
    return ModelFile::FromMemory(writer_.Finish(made.dump()), model_.name());
  }

 private:
  using Weights = std::map<std::string, std::string>;  // role -> tensor
  static constexpr const char* kScaleRole = "scale";   // beside matrices of integers
  struct FloatMatrix {
    std::vector<int64_t> shape;
    std::vector<float> values;
  };
  struct Digits {
    std::string tensor;    // that they are of
    const Json* document;  // of their node
  };

  Status Unsupported(const std::string& what) const {
    return Status::Error(StatusCode::kUnsupported, "graph " + Quote(graph_.name) + ": " + what);
  }

  const Json& Document(const Node& node) const { return documents_.at(node.name); }
  int Channels(const std::string& tensor) const { return graph_.channels.at(tensor); }

  // For a tensor or a weight of this builder's own.
  std::string NewName() {
    std::string name;
    do {
      name = "gradient." + std::to_string(made_++);
    } while (!names_.insert(name).second || model_.tensor(name) != nullptr);
    return name;
  }

  // ---- weights

  std::vector<float> Values(const std::string& weight) const {
    const TensorView& view = *model_.tensor(weight);
    std::vector<float> values(view.elements);
    CopyAsFloat(view, 0, values.size(), values.data());
    return values;
  }

  std::string AddWeight(const std::vector<int64_t>& shape, const std::vector<float>& values) {
    const std::string name = NewName();
    writer_.Set(name, DType::kF32, shape, values.data());
    return name;
  }
  std::string AddWeight(int channels, float value) {
    return AddWeight({channels}, std::vector<float>(static_cast<size_t>(channels), value));
  }

  // A node's matrix as the float32 numbers that it stands for. Of integers: without the factors of
  // the input, which the file has multiplied in; and where digits are read, a channel's own numbers
  // with what a coarse digit adds to them. A low digit has a sixteenth of its channel's numbers,
  // which say nothing new.
  Result<FloatMatrix> MatrixOf(const Node& node) const {
    const std::string& name = node.weights.at(node.op->matrix->role);
    FloatMatrix matrix{model_.tensor(name)->shape, Values(name)};
    if (!IsInteger(node.precision)) return matrix;
    if (node.matrix->order == Matrix::Order::kDepthwise) {
      return Unsupported("node " + Quote(node.name) + " is depthwise, in integers");
    }
    const auto source = sources_.find(node.inputs[0]);
    const bool has_digits = source != sources_.end();
    const std::string& x = has_digits ? source->second.tensor : node.inputs[0];
    const auto kept = graph_.quantised.find(x);
    if (kept == graph_.quantised.end()) {
      return Unsupported("node " + Quote(node.name) + " reads integers of several tensors");
    }
    const size_t in_place = node.matrix->order == Matrix::Order::kInputsFirst ? 0 : 1;
    const auto columns = static_cast<size_t>(matrix.shape[in_place]);
    const auto inputs = static_cast<size_t>(Channels(x));
    const auto outputs = static_cast<size_t>(matrix.shape[1 - in_place]);
    const size_t taps = matrix.values.size() / columns / outputs;
    const std::vector<float> scale = Values(node.weights.at(kScaleRole));
    const std::vector<float> factor = kept->second.factor.empty() ? std::vector<float>(inputs, 1.0f)
                                                                  : Values(kept->second.factor);
    const std::vector<size_t> coarse =
        has_digits ? source->second.document->at("coarse").get<std::vector<size_t>>()
                   : std::vector<size_t>();
    const size_t first_coarse = columns - coarse.size();

    std::vector<float> values(inputs * outputs * taps);
    const auto at = [&](size_t count, size_t in, size_t out) {
      return (in_place == 0 ? in * outputs + out : out * count + in) * taps;
    };
    const auto add = [&](size_t column, size_t in, float share) {
      for (size_t out = 0; out < outputs; ++out) {
        for (size_t tap = 0; tap < taps; ++tap) {
          values[at(inputs, in, out) + tap] +=
              matrix.values[at(columns, column, out) + tap] * scale[out] * share / factor[in];
        }
      }
    };
    for (size_t in = 0; in < inputs; ++in) add(in, in, 1);
    for (size_t i = 0; i < coarse.size(); ++i) add(first_coarse + i, coarse[i], 1.0f / 16);
    matrix.shape[in_place] = static_cast<int64_t>(inputs);
    matrix.values = std::move(values);
    return matrix;
  }

  // The model's weight, in float32.
  std::string CopyWeight(const std::string& name) {
    writer_.Set(name, DType::kF32, model_.tensor(name)->shape, Values(name).data());
    return name;
  }

  // ---- nodes

  std::string Add(const std::string& op, const std::vector<std::string>& inputs,
                  const Weights& weights = {}, Json attributes = Json::object(),
                  std::string output = {}) {
    if (output.empty()) output = NewName();
    attributes["name"] = output;
    attributes["op"] = op;
    attributes["inputs"] = inputs;
    attributes["output"] = output;
    attributes["precision"] = "f32";
    if (!weights.empty()) attributes["weights"] = weights;
    nodes_.push_back(std::move(attributes));
    return output;
  }

  // 1x1 by `matrix` [channels][channels].
  std::string Product(const std::string& input, int channels, const std::vector<float>& matrix,
                      const std::string& bias, const std::string& output = {}) {
    Weights weights = {{"weight", AddWeight({channels, channels, 1, 1}, matrix)}};
    if (!bias.empty()) weights["bias"] = bias;
    return Add("conv2d", {input}, weights, {{"stride", 1}, {"padding", 0}}, output);
  }

  // low where x < 0, high where x > 0.
  std::string Switch(const std::string& x, int channels, float low, float high) {
    const std::string far = Add("affine", {x}, {{"factor", AddWeight(channels, kSteep)}});
    return Add("affine", {Add("sigmoid", {far})},
               {{"factor", AddWeight(channels, high - low)}, {"shift", AddWeight(channels, low)}});
  }

  // ---- forwards

  Status Forward(const Node& node) {
    const Json& document = Document(node);
    if (document.at("op") == "digits") {
      sources_[node.output] = {Of(node.inputs[0]), &document};
      return Status::Ok();
    }
    if (IsInverseGdn(node)) {
      const std::string x = Of(node.inputs[0]);
      const int channels = Channels(node.output);
      GLINT_ASSIGN(const FloatMatrix gamma, MatrixOf(node));
      const std::string norm =
          Product(Add("abs", {x}), channels, gamma.values, CopyWeight(node.weights.at("beta")));
      norms_[node.name] = norm;
      Add("multiply", {x, norm}, {}, Json::object(), node.output);
      return Status::Ok();
    }
    Weights weights = node.weights;
    weights.erase(kScaleRole);
    if (node.matrix) {
      GLINT_ASSIGN(const FloatMatrix matrix, MatrixOf(node));
      weights[node.op->matrix->role] = AddWeight(matrix.shape, matrix.values);
    }
    for (const auto& [role, weight] : weights) {
      if (!node.matrix || role != node.op->matrix->role) CopyWeight(weight);
    }
    Json copy = document;
    for (Json& input : copy.at("inputs")) input = Of(input.get<std::string>());
    copy["precision"] = "f32";
    if (!weights.empty()) copy["weights"] = weights;
    nodes_.push_back(std::move(copy));
    return Status::Ok();
  }

  // The tensor that digits were made of; others as they are.
  std::string Of(const std::string& tensor) const {
    const auto found = sources_.find(tensor);
    return found == sources_.end() ? tensor : found->second.tensor;
  }

  bool IsInverseGdn(const Node& node) const {
    const Json& document = Document(node);
    return document.at("op") == "gdn" && document.at("inverse") == true &&
           document.at("form") == "abs";
  }

  // The output less the target is the first gradient.
  Status Compare() {
    target_ = NewName();
    const std::vector<int> factors = TargetFactors(GraphRows(graph_).OutHeight(1));
    target_channels_ = Channels(graph_.output);
    for (const int factor : factors) target_channels_ *= factor * factor;
    if (target_channels_ > kMaxChannels) {
      return Unsupported("a target would have " + std::to_string(target_channels_) + " channels");
    }
    std::string target = target_;
    for (auto factor = factors.rbegin(); factor != factors.rend(); ++factor) {
      target = Add("pixel_shuffle", {target}, {}, {{"factor", *factor}});
    }
    const std::string negative =
        Add("affine", {target}, {{"factor", AddWeight(Channels(graph_.output), -1)}});
    gradients_[graph_.output] = Add("add", {graph_.output, negative});
    return Status::Ok();
  }

  // ---- backwards

  // Another part of the gradient of `tensor`.
  void Collect(const std::string& tensor, const std::string& gradient) {
    const auto [place, is_new] = gradients_.try_emplace(tensor, gradient);
    if (!is_new) place->second = Add("add", {place->second, gradient});
  }

  Status Backward(const Node& node, const std::string& gradient) {
    const Json& document = Document(node);
    const std::string op = document.at("op");
    const std::string x = Of(node.inputs[0]);
    const int channels = Channels(x);
    if (op == "add") {
      for (const std::string& input : node.inputs) Collect(Of(input), gradient);
    } else if (op == "multiply") {
      const std::string other = Of(node.inputs[1]);
      Collect(x, Add("multiply", {gradient, other}));
      Collect(other, Add("multiply", {gradient, x}));
    } else if (op == "gain") {
      Collect(x, Add("gain", {gradient}, node.weights));
    } else if (op == "affine") {
      const auto factor = node.weights.find("factor");
      Collect(x, factor == node.weights.end()
                     ? gradient
                     : Add("affine", {gradient}, {{"factor", factor->second}}));
    } else if (op == "leaky_relu" || op == "relu") {
      const float slope = op == "relu" ? 0.0f : document.at("slope").get<float>();
      Collect(x, Add("multiply", {gradient, Switch(x, channels, slope, 1)}));
    } else if (op == "sigmoid") {
      const std::string rest =
          Add("affine", {node.output},
              {{"factor", AddWeight(channels, -1)}, {"shift", AddWeight(channels, 1)}});
      Collect(x, Add("multiply", {gradient, Add("multiply", {node.output, rest})}));
    } else if (op == "pixel_shuffle" && document.value("order", "crd") == "crd") {
      Collect(x, Add("pixel_unshuffle", {gradient}, {}, {{"factor", document.at("factor")}}));
    } else if (op == "conv2d" && document.at("stride") == 1 &&
               document.value("mask", "none") == "none") {
      GLINT_ASSIGN(const FloatMatrix matrix, MatrixOf(node));
      Collect(x, BackwardConv(matrix, gradient));
    } else if (op == "conv_transpose2d") {
      GLINT_ASSIGN(FloatMatrix matrix, MatrixOf(node));
      Collect(x, BackwardTransposed(std::move(matrix), gradient));
    } else if (IsInverseGdn(node)) {
      GLINT_ASSIGN(const FloatMatrix gamma, MatrixOf(node));
      BackwardGdn(x, norms_.at(node.name), gamma, gradient);
    } else {
      return Unsupported("node " + Quote(node.name) + ": no derivative of " + op +
                         (op == "conv2d" || op == "gdn" || op == "pixel_shuffle"
                              ? " of this form is known"
                              : " is known"));
    }
    return Status::Ok();
  }

  // A correlation with the kernel turned around, outputs being inputs.
  std::string BackwardConv(const FloatMatrix& matrix, const std::string& gradient) {
    const std::vector<int64_t>& shape = matrix.shape;
    const auto out = static_cast<size_t>(shape[0]), in = static_cast<size_t>(shape[1]);
    const auto taps = static_cast<size_t>(shape[2] * shape[3]);
    std::vector<float> turned(matrix.values.size());
    for (size_t o = 0; o < out; ++o) {
      for (size_t i = 0; i < in; ++i) {
        for (size_t tap = 0; tap < taps; ++tap) {
          turned[(i * out + o) * taps + taps - 1 - tap] = matrix.values[(o * in + i) * taps + tap];
        }
      }
    }
    return Add("conv2d", {gradient},
               {{"weight", AddWeight({shape[1], shape[0], shape[2], shape[3]}, turned)}},
               {{"stride", 1}, {"padding", (shape[2] - 1) / 2}});
  }

  // A correlation of stride 2 with the same kernel; one of 4 gets a row and a column of zeros
  // before the others, so that its padding of 1 becomes the 2 of a kernel of 5.
  std::string BackwardTransposed(FloatMatrix matrix, const std::string& gradient) {
    std::vector<int64_t>& shape = matrix.shape;
    if (shape[2] == 4) {
      std::vector<float> wide(static_cast<size_t>(shape[0] * shape[1]) * 25);
      for (size_t i = 0; i < matrix.values.size(); ++i) {
        wide[i / 16 * 25 + (i % 16 / 4 + 1) * 5 + i % 4 + 1] = matrix.values[i];
      }
      matrix.values = std::move(wide);
      shape[2] = shape[3] = 5;
    }
    return Add("conv2d", {gradient}, {{"weight", AddWeight(shape, matrix.values)}},
               {{"stride", 2}, {"padding", (shape[2] - 1) / 2}});
  }

  // y = x n, n = beta + gamma |x|: g n + sign(x) * (gamma^T (g x)).
  void BackwardGdn(const std::string& x, const std::string& norm, const FloatMatrix& gamma,
                   const std::string& gradient) {
    const int channels = Channels(x);
    const auto count = static_cast<size_t>(channels);
    std::vector<float> transposed(gamma.values.size());
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < count; ++j) transposed[j * count + i] = gamma.values[i * count + j];
    }
    Collect(x, Add("multiply", {gradient, norm}));
    const std::string of_magnitudes =
        Product(Add("multiply", {gradient, x}), channels, transposed, {});
    Collect(x, Add("multiply", {of_magnitudes, Switch(x, channels, -1, 1)}));
  }

  const ModelFile& model_;
  const Graph& graph_;
  std::map<std::string, Json> documents_;         // of nodes, by name
  std::set<std::string> names_;                   // of tensors
  std::map<std::string, Digits> sources_;         // by their tensor
  std::map<std::string, std::string> norms_;      // of inverse gdn nodes
  std::map<std::string, std::string> gradients_;  // tensor -> its gradient so far
  std::string target_;
  int target_channels_ = 0;
  int made_ = 0;
  ModelWriter writer_;
  Json nodes_ = Json::array();
};

}  // namespace

std::vector<int> TargetFactors(int64_t rows) {
  std::vector<int> factors;
  for (; rows > 1; rows /= factors.back()) {
    factors.push_back(static_cast<int>(std::min<int64_t>(rows, 8)));
  }
  return factors;
}

Result<std::shared_ptr<const ModelFile>> MakeGradientModel(const ModelFile& model,
                                                           const std::string& name) {
  return Builder(model, name).Build();
}

}  // namespace glint
