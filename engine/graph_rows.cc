#include "engine/graph_rows.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace glint {

GraphRows::GraphRows(const Graph& graph) : inputs_(graph.inputs.size()) {
  std::map<std::string, size_t> ids;
  for (const GraphInput& input : graph.inputs) {
    ids[input.name] = scales_.size();
    scales_.emplace_back();
  }
  for (const Node& node : graph.nodes) {
    Step step;
    step.rows = node.window.Grouped().rows;
    for (const std::string& input : node.inputs) step.inputs.push_back(ids.at(input));
    step.output = scales_.size();
    scales_.push_back(scales_[step.inputs[0]].Behind(node.window));
    ids[node.output] = step.output;
    steps_.push_back(std::move(step));
  }
  output_ = ids.at(graph.output);
}

void GraphRows::InputEnds(int64_t out_end, int64_t in_height, std::vector<int64_t>* ends) const {
  ends->assign(scales_.size(), 0);
  (*ends)[output_] = std::clamp<int64_t>(out_end, 0, OutHeight(in_height));
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    for (const size_t input : step->inputs) {
      const int64_t need =
          step->rows.InputEnd((*ends)[step->output], scales_[input].Height(in_height));
      (*ends)[input] = std::max((*ends)[input], need);
    }
  }
  ends->resize(inputs_);
}

int64_t GraphRows::OutputEnd(const std::vector<int64_t>& input_ends, int64_t in_height) const {
  std::vector<int64_t> ends(input_ends);
  ends.resize(scales_.size(), 0);
  for (const Step& step : steps_) {
    int64_t end = scales_[step.output].Height(in_height);
    for (const size_t input : step.inputs) {
      end = std::min(end, step.rows.OutputEnd(ends[input], scales_[input].Height(in_height)));
    }
    ends[step.output] = end;
  }
  return ends[output_];
}

}  // namespace glint
