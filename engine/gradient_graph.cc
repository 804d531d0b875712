#include "engine/gradient_graph.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/graph_rows.h"
#include "engine/json.h"
#include "engine/op.h"
#include "engine/rate.h"

namespace glint {
namespace {

constexpr const char* kScaleRole = "scale";  // beside matrices of integers

// Forwards through a graph, and back.
class Walk {
 public:
  // `document`: of the graph.
  Walk(const ModelFile& model, const Graph& graph, const Json& document)
      : model_(model), graph_(graph), builder_(model, document) {
    for (const Json& node : document.at("nodes").array()) {
      documents_[node.at("name").string()] = &node;
    }
  }

  Result<std::shared_ptr<const ModelFile>> Run(const std::optional<OutputRange>& range) {
    if (graph_.inputs.size() != 1) return Unsupported("it has more than one input");
    const GraphRows rows(graph_);
    if (rows.output_scale().lowest < 0) return Unsupported("a tensor is smaller than its input");
    for (const Node& node : graph_.nodes) GLINT_TRY(Forward(node));
    GLINT_ASSIGN(const NamedTensor target, Compare(TargetFactors(rows.OutHeight(1)), range));
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      GLINT_TRY(Backward(*node));
    }
    const NamedTensor input = Of(graph_.inputs[0].name);
    const NamedTensor* gradient = builder_.GradientOf(input.name);
    if (gradient == nullptr) return Unsupported("its output does not depend on its input");
    auto made = builder_.Finish(kGradientGraph, {input, target}, *gradient);
    // A sound graph may be beyond some limit when it is more than twice as long.
    return made.ok()
               ? made
               : Unsupported("its gradient would not do as a graph: " + made.status().message());
  }

 private:
  struct Digits {
    NamedTensor of;
    std::vector<Column> columns;
  };

  Status Unsupported(const std::string& what) const {
    return Status::Error(StatusCode::kUnsupported, "graph " + Quote(graph_.name) + ": " + what);
  }
  Status Unsupported(const Node& node, const std::string& what) const {
    return Unsupported("node " + Quote(node.name) + ": " + what);
  }

  // The tensor that digits were made of; others as they are.
  NamedTensor Of(const std::string& tensor) const {
    const auto found = digits_.find(tensor);
    return found == digits_.end() ? NamedTensor{tensor, graph_.channels.at(tensor)}
                                  : found->second.of;
  }

  // ---- matrices

  // By column of a matrix that reads `tensor`, of integers: the factors of channels, which the file
  // has multiplied in, are taken out.
  Result<std::vector<Column>> ColumnsOf(const Node& node, const std::string& tensor) const {
    const auto digits = digits_.find(tensor);
    std::vector<float> factors;
    for (const std::string& part : PartsOf(graph_, Of(tensor).name)) {
      const auto kept = graph_.quantised.find(part);
      if (kept == graph_.quantised.end()) return Unsupported(node, "its input has no scale");
      const std::vector<float> of_part =
          ReadFactors(model_, kept->second, static_cast<size_t>(graph_.channels.at(part)));
      factors.insert(factors.end(), of_part.begin(), of_part.end());
    }
    std::vector<Column> columns;
    if (digits != digits_.end()) {
      columns = digits->second.columns;
    } else {
      for (size_t c = 0; c < factors.size(); ++c) columns.push_back({c, 1.0f});
    }
    for (Column& column : columns) {
      const float factor = factors[column.channel];
      column.share /= node.matrix->squares ? factor * factor : factor;
    }
    return columns;
  }

  // A node's matrix as the float32 numbers that it stands for.
  Result<FloatMatrix> MatrixOf(const Node& node) const {
    const std::string& name = node.weights.at(node.op->matrix->role);
    const Matrix& kept = *node.matrix;
    FloatMatrix matrix{model_.tensor(name)->shape, builder_.Values(name)};
    for (size_t i = 0; i < matrix.values.size(); ++i) {
      if (!kept.IsLive(i % kept.taps)) matrix.values[i] = 0;
    }
    if (!IsInteger(node.precision)) return matrix;

    GLINT_ASSIGN(const std::vector<Column> columns, ColumnsOf(node, node.inputs[0]));
    Matrix whole = kept;
    whole.inputs = static_cast<size_t>(Of(node.inputs[0]).channels);
    if (kept.order != Matrix::Order::kDepthwise) {
      matrix.shape[kept.InputDimension()] = static_cast<int64_t>(whole.inputs);
    } else if (whole.inputs != kept.inputs) {
      return Unsupported(node, "it is depthwise, of digits");
    }
    const std::vector<float> integers = std::move(matrix.values);
    const std::vector<float> scale = builder_.Values(node.weights.at(kScaleRole));
    matrix.values.assign(integers.size() / kept.inputs * whole.inputs, 0.0f);
    for (size_t i = 0; i < integers.size(); ++i) {
      const size_t output = kept.OutputOf(i);
      const Column& column = columns[kept.InputOf(i)];
      matrix.values[whole.Index(output, column.channel, i % kept.taps)] +=
          integers[i] * scale[output] * column.share;
    }
    return matrix;
  }

  // ---- forwards

  Result<GradientNode> See(const Node& node) const {
    GradientNode seen{node, {}, Of(node.output), {}, {}, {}};
    for (const std::string& input : node.inputs) seen.inputs.push_back(Of(input));
    if (node.matrix) {
      GLINT_ASSIGN(seen.matrix, MatrixOf(node));
    }
    return seen;
  }

  Status Forward(const Node& node) {
    const Derivative& derivative = node.op->derivative;
    if (derivative.columns != nullptr) {
      const NamedTensor of = Of(node.inputs[0]);
      const auto channels = static_cast<size_t>(of.channels);
      digits_[node.output] = {of, derivative.columns(node, channels)};
      return Status::Ok();
    }
    GLINT_ASSIGN(const GradientNode seen, See(node));
    const char* matrix_role = node.op->matrix->role;
    GradientBuilder::Weights weights;
    for (const auto& [role, weight] : node.weights) {
      if (role == kScaleRole || (node.matrix && role == matrix_role)) continue;
      builder_.Take(weight);
      weights[role] = weight;
    }
    if (derivative.forward != nullptr) kept_[node.name] = derivative.forward(seen, &builder_);
    if (!kept_[node.name].empty()) return Status::Ok();
    if (node.matrix) weights[matrix_role] = builder_.AddWeight(seen.matrix);
    Json copy = *documents_.at(node.name);
    for (Json& input : copy["inputs"].array()) input = Of(input.string()).name;
    copy["precision"] = "f32";
    if (!weights.empty()) copy["weights"] = Json::Object(weights.begin(), weights.end());
    builder_.Append(std::move(copy));
    return Status::Ok();
  }

  // The output less the target is the first gradient.
  Result<NamedTensor> Compare(const std::vector<int>& factors,
                              const std::optional<OutputRange>& range) {
    const NamedTensor output = Of(graph_.output);
    NamedTensor target{builder_.NewName(), output.channels};
    for (const int factor : factors) target.channels *= factor * factor;
    if (target.channels > kMaxChannels) {
      return Unsupported("a target would have " + std::to_string(target.channels) + " channels");
    }
    NamedTensor shuffled = target;
    for (auto factor = factors.rbegin(); factor != factors.rend(); ++factor) {
      shuffled = builder_.Add("pixel_shuffle", {shuffled}, shuffled.channels / (*factor * *factor),
                              {}, {{"factor", *factor}});
    }
    const NamedTensor made = range ? Limited(output, *range) : output;
    builder_.Collect(output, builder_.Sum(made, builder_.Scaled(shuffled, -1)));
    return target;
  }

  // low + relu(x - low) - relu(x - high).
  NamedTensor Limited(const NamedTensor& x, const OutputRange& range) {
    const auto above = [&](float border) {
      return builder_.Add("relu", {builder_.Scaled(x, 1, -border)}, x.channels);
    };
    return builder_.Sum(builder_.Scaled(above(range.low), 1, range.low),
                        builder_.Scaled(above(range.high), -1));
  }

  // ---- backwards

  Status Backward(const Node& node) {
    const NamedTensor* gradient = builder_.GradientOf(node.output);
    if (gradient == nullptr || digits_.count(node.output) > 0) return Status::Ok();
    const Derivative& derivative = node.op->derivative;
    if (derivative.backward == nullptr) {
      return Unsupported(node, "no derivative of " + std::string(node.op->name) + " is known");
    }
    GLINT_ASSIGN(GradientNode seen, See(node));
    seen.gradient = *gradient;
    seen.kept = kept_.at(node.name);
    derivative.backward(seen, &builder_);
    return Status::Ok();
  }

  const ModelFile& model_;
  const Graph& graph_;
  GradientBuilder builder_;
  std::map<std::string, const Json*> documents_;          // of nodes, by name
  std::map<std::string, Digits> digits_;                  // by their tensor
  std::map<std::string, std::vector<NamedTensor>> kept_;  // by node
};

}  // namespace

std::vector<int> TargetFactors(int64_t rows) {
  std::vector<int> factors;
  for (; rows > 1; rows /= factors.back()) {
    factors.push_back(static_cast<int>(std::min<int64_t>(rows, 8)));
  }
  return factors;
}

Result<std::shared_ptr<const ModelFile>> MakeGradientModel(
    const ModelFile& model, const std::string& name, const std::optional<OutputRange>& range) {
  GLINT_ASSIGN(const Json document, ParseJson(model.document_text(), model.name()));
  return Walk(model, model.graphs().at(name), document.at("graphs").at(name)).Run(range);
}

}  // namespace glint
