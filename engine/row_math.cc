#include "engine/row_math.h"

#include <algorithm>
#include <map>

namespace glint {
namespace {

// For a >= 0 or a < 0 alike.
int64_t FloorHalf(int64_t a) { return a >= 0 ? a / 2 : -((1 - a) / 2); }

}  // namespace

RowRule RowRule::Of(const Node& node) {
  RowRule rule;
  if (node.op != OpType::kConv2d && node.op != OpType::kConvTranspose2d) return rule;
  rule.kernel = node.kernel;
  rule.stride = node.stride;
  rule.padding = node.padding;
  rule.transposed = node.op == OpType::kConvTranspose2d;
  return rule;
}

int64_t RowRule::OutHeight(int64_t in_height) const {
  if (transposed) return in_height * stride;
  return (in_height + stride - 1) / stride;
}

int64_t RowRule::InputBegin(int64_t o) const {
  if (!transposed) return std::max<int64_t>(0, o * stride - padding);
  const int64_t first = pairs ? o - o % 2 : o;
  // The smallest i with 2 i >= first + padding - (kernel - 1).
  return std::max<int64_t>(0, FloorHalf(first + padding - kernel + 2));
}

int64_t RowRule::InputEnd(int64_t out_end, int64_t in_height) const {
  if (out_end <= 0) return 0;
  const int64_t last = transposed && pairs ? (out_end - 1) | 1 : out_end - 1;
  const int64_t end = transposed ? FloorHalf(last + padding) + 1 : last * stride - padding + kernel;
  return std::clamp<int64_t>(end, 0, in_height);
}

int64_t RowRule::OutputEnd(int64_t in_end, int64_t in_height) const {
  const int64_t out_height = OutHeight(in_height);
  if (in_end >= in_height) return out_height;
  if (in_end <= 0) return 0;
  int64_t end = 0;
  if (transposed) {
    end = 2 * in_end - padding;
    if (pairs) end -= end & 1;
  } else if (in_end + padding >= kernel) {
    end = (in_end + padding - kernel) / stride + 1;
  }
  return std::clamp<int64_t>(end, 0, out_height);
}

TensorScale TensorScale::Down() const { return {std::min(lowest, level - 1), level - 1}; }

TensorScale TensorScale::Up() const { return {lowest, level + 1}; }

int64_t TensorScale::Height(int64_t in_height) const {
  const int64_t unit = int64_t{1} << -lowest;
  return (in_height + unit - 1) / unit * (int64_t{1} << (level - lowest));
}

TensorScale OutputScale(const Node& node, TensorScale input) {
  if (node.op == OpType::kConvTranspose2d) return input.Up();
  return node.op == OpType::kConv2d && node.stride == 2 ? input.Down() : input;
}

GraphRows::GraphRows(const Graph& graph) : inputs_(graph.inputs.size()) {
  std::map<std::string, size_t> ids;
  for (const GraphInput& input : graph.inputs) {
    ids[input.name] = scales_.size();
    scales_.emplace_back();
  }
  for (const Node& node : graph.nodes) {
    Step step;
    step.rule = RowRule::Of(node);
    step.rule.pairs = step.rule.transposed;
    for (const std::string& input : node.inputs) step.inputs.push_back(ids.at(input));
    step.output = scales_.size();
    scales_.push_back(OutputScale(node, scales_[step.inputs[0]]));
    ids[node.output] = step.output;
    steps_.push_back(std::move(step));
  }
  output_ = ids.at(graph.outputs[0]);
}

std::vector<int64_t> GraphRows::InputEnds(int64_t out_end, int64_t in_height) const {
  std::vector<int64_t> ends(scales_.size(), 0);
  ends[output_] = std::clamp<int64_t>(out_end, 0, OutHeight(in_height));
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    for (const size_t input : step->inputs) {
      const int64_t need =
          step->rule.InputEnd(ends[step->output], scales_[input].Height(in_height));
      ends[input] = std::max(ends[input], need);
    }
  }
  ends.resize(inputs_);
  return ends;
}

int64_t GraphRows::OutputEnd(const std::vector<int64_t>& input_ends, int64_t in_height) const {
  std::vector<int64_t> ends(input_ends);
  ends.resize(scales_.size(), 0);
  for (const Step& step : steps_) {
    int64_t end = scales_[step.output].Height(in_height);
    for (const size_t input : step.inputs) {
      end = std::min(end, step.rule.OutputEnd(ends[input], scales_[input].Height(in_height)));
    }
    ends[step.output] = end;
  }
  return ends[output_];
}

}  // namespace glint
