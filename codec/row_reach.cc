#include "codec/row_reach.h"

#include <algorithm>
#include <map>
#include <string>

#include "engine/row_math.h"

namespace glint {
namespace {

// Far from both ends of a tensor of any size, so that nothing is clamped.
constexpr int64_t kFar = int64_t{1} << 30;
constexpr int64_t kEndless = int64_t{1} << 40;

RowRule RuleOf(const Node& node) {
  RowRule rule = RowRule::Of(node);
  rule.pairs = rule.transposed;  // an executor may compute rows in pairs
  return rule;
}

using Ends = std::map<std::string, int64_t>;

// Rows [0, end) of every tensor that output rows [0, out_end) need.
Ends NeedEnds(const Graph& graph, int64_t out_end) {
  Ends ends;
  ends[graph.outputs[0]] = out_end;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const RowRule rule = RuleOf(*node);
    int64_t& end = ends[node->output];
    if (rule.pairs) end += end & 1;
    for (const std::string& input : node->inputs) {
      ends[input] = std::max(ends[input], rule.InputEnd(end, kEndless));
    }
  }
  return ends;
}

// The lowest row of `input` that is read when the tensors go on from `ends`.
int64_t LowestRead(const Graph& graph, const Ends& ends, const std::string& input) {
  int64_t lowest = ends.at(input);
  for (const Node& node : graph.nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), input) == node.inputs.end()) continue;
    lowest = std::min(lowest, RuleOf(node).InputBegin(ends.at(node.output)));
  }
  return lowest;
}

// Output rows after which the pattern of rows repeats.
int64_t PeriodOf(const Graph& graph) {
  int64_t period = 1;
  for (const Node& node : graph.nodes) {
    if (node.op == OpType::kConvTranspose2d) period = std::min<int64_t>(4096, period * 2);
  }
  return period;
}

}  // namespace

std::vector<RowReach> ReachOf(const Graph& graph, long band) {
  std::vector<RowReach> reaches(graph.inputs.size());
  const int64_t period = PeriodOf(graph);
  for (int64_t row = kFar; row < kFar + period; ++row) {
    const Ends now = NeedEnds(graph, row);
    const Ends next = NeedEnds(graph, row + band);
    for (size_t i = 0; i < reaches.size(); ++i) {
      const std::string& input = graph.inputs[i].name;
      const int64_t lowest = LowestRead(graph, now, input);
      RowReach& reach = reaches[i];
      reach.held = std::max(reach.held, static_cast<long>(next.at(input) - lowest));
      reach.behind = std::max(reach.behind, static_cast<long>(row - lowest));
      reach.ahead = std::max(reach.ahead, static_cast<long>(now.at(input) - row));
    }
  }
  return reaches;
}

}  // namespace glint
