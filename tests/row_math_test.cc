// Row arithmetic against loops over every tap, for single operators and for whole graphs.
#include "engine/row_math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace glint {
namespace {

// Rows of the input that output row o reads, from the definition.
std::set<int64_t> RowsRead(const RowRule& rule, int64_t o, int64_t in_height) {
  std::set<int64_t> rows;
  const int64_t first = rule.pairs ? o / 2 * 2 : o;
  for (int64_t row = first; row <= (rule.pairs ? first + 1 : first); ++row) {
    for (int64_t i = 0; i < in_height; ++i) {
      for (int64_t ky = 0; ky < rule.kernel; ++ky) {
        const bool hit = rule.transposed ? row == 2 * i - rule.padding + ky
                                         : i == row * rule.stride - rule.padding + ky;
        if (hit) rows.insert(i);
      }
    }
  }
  return rows;
}

TEST_CASE("row math: one operator against its definition") {
  std::vector<RowRule> rules = {{1, 1, 0, false, false}};
  for (const int stride : {1, 2}) {
    for (const int kernel : {1, 3, 5, 7})
      rules.push_back({kernel, stride, kernel / 2, false, false});
  }
  for (const int kernel : {3, 4, 5}) {
    rules.push_back({kernel, 2, (kernel - 1) / 2, true, false});
    rules.push_back({kernel, 2, (kernel - 1) / 2, true, true});
  }
  for (const RowRule& rule : rules) {
    CAPTURE(rule.kernel);
    CAPTURE(rule.stride);
    CAPTURE(rule.transposed);
    CAPTURE(rule.pairs);
    for (int64_t in_height = 1; in_height <= 12; ++in_height) {
      const int64_t out_height = rule.OutHeight(in_height);
      int64_t needed = 0;
      std::vector<int64_t> ends = {0};  // by number of output rows
      for (int64_t o = 0; o < out_height; ++o) {
        const std::set<int64_t> rows = RowsRead(rule, o, in_height);
        REQUIRE(!rows.empty());
        CHECK(rule.InputBegin(o) <= *rows.begin());
        CHECK(rule.InputBegin(o) >= *rows.begin() - (rule.transposed ? 1 : 0));
        needed = std::max(needed, *rows.rbegin() + 1);
        CHECK(rule.InputEnd(o + 1, in_height) == needed);
        ends.push_back(needed);
      }
      CHECK(rule.InputEnd(0, in_height) == 0);
      for (int64_t have = 0; have <= in_height; ++have) {
        int64_t most = 0;
        for (int64_t e = 0; e <= out_height; ++e) {
          if (ends[static_cast<size_t>(e)] <= have) most = e;
        }
        CHECK(rule.OutputEnd(have, in_height) == most);
      }
    }
  }
}

Node Conv(const std::string& in, const std::string& out, int kernel, int stride) {
  Node node;
  node.name = node.output = out;
  node.inputs = {in};
  node.kernel = kernel;
  node.stride = stride;
  node.padding = (kernel - 1) / 2;
  return node;
}

Node Deconv(const std::string& in, const std::string& out, int kernel) {
  Node node = Conv(in, out, kernel, 2);
  node.op = OpType::kConvTranspose2d;
  return node;
}

Node Add(const std::string& a, const std::string& b, const std::string& out) {
  Node node;
  node.op = OpType::kAdd;
  node.name = node.output = out;
  node.inputs = {a, b};
  return node;
}

// Which input rows the output's first `out_end` rows read, tap by tap through the whole graph.
int64_t NeededByTaps(const Graph& graph, int64_t out_end, int64_t in_height) {
  std::map<std::string, TensorScale> scales = {{graph.inputs[0].name, {}}};
  for (const Node& node : graph.nodes)
    scales[node.output] = OutputScale(node, scales[node.inputs[0]]);
  std::map<std::string, std::set<int64_t>> needed;
  for (int64_t o = 0; o < out_end; ++o) needed[graph.outputs[0]].insert(o);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    RowRule rule = RowRule::Of(*node);
    rule.pairs = rule.transposed;
    for (const std::string& input : node->inputs) {
      for (const int64_t o : needed[node->output]) {
        const auto rows = RowsRead(rule, o, scales[input].Height(in_height));
        needed[input].insert(rows.begin(), rows.end());
      }
    }
  }
  const std::set<int64_t>& rows = needed[graph.inputs[0].name];
  return rows.empty() ? 0 : *rows.rbegin() + 1;
}

Graph MakeGraph(std::vector<Node> nodes) {
  Graph graph;
  graph.inputs = {{"x", 1}};
  graph.outputs = {nodes.back().output};
  graph.nodes = std::move(nodes);
  return graph;
}

TEST_CASE("row math: whole graphs against taps") {
  const std::vector<Graph> graphs = {
      MakeGraph({Conv("x", "a", 5, 2), Conv("a", "b", 1, 1), Conv("b", "c", 3, 1),
                 Add("a", "c", "d"), Conv("d", "e", 5, 2)}),
      MakeGraph({Deconv("x", "a", 4), Deconv("a", "b", 4), Conv("b", "c", 3, 1)}),
      MakeGraph(
          {Deconv("x", "a", 5), Conv("a", "b", 7, 1), Add("b", "a", "c"), Deconv("c", "d", 3)}),
      MakeGraph({Conv("x", "a", 3, 2), Deconv("a", "b", 5), Conv("b", "c", 5, 2)}),
  };
  for (const Graph& graph : graphs) {
    const GraphRows rows(graph);
    for (int64_t height = 1; height <= 21; ++height) {
      std::vector<int64_t> needs;
      for (int64_t e = 0; e <= rows.OutHeight(height); ++e) {
        needs.push_back(NeededByTaps(graph, e, height));
        CHECK(rows.InputEnds(e, height) == std::vector<int64_t>{needs.back()});
      }
      for (int64_t have = 0; have <= height; ++have) {
        const auto first_not = std::upper_bound(needs.begin(), needs.end(), have);
        CHECK(rows.OutputEnd({have}, height) == first_not - needs.begin() - 1);
      }
    }
  }
}

TEST_CASE("row math: sizes") {
  const TensorScale down = TensorScale().Down().Down();
  CHECK(down == TensorScale{-2, -2});
  CHECK(down.Height(9) == 3);
  CHECK(down.Up().Height(9) == 6);
  CHECK(down.Up().Up().Height(9) == 12);
  CHECK(down.Up() != TensorScale().Down());
  CHECK(TensorScale().Up().Down() == TensorScale());
  CHECK(TensorScale().Up().Height(9) == 18);
}

}  // namespace
}  // namespace glint
