// The geometry of operators against loops over every tap, for one axis and for whole graphs; and
// the order of matrices.
#include "engine/window.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/graph_rows.h"
#include "engine/matrix.h"

namespace glint {
namespace {

// Inputs that output o reads, from the definition.
std::set<int64_t> InputsRead(const Axis& axis, int64_t o, int64_t in_size) {
  std::set<int64_t> inputs;
  const int64_t first = o / axis.group() * axis.group();
  for (int64_t output = first; output < first + axis.group(); ++output) {
    for (int64_t i = 0; i < in_size; ++i) {
      for (int64_t k = 0; k < axis.kernel; ++k) {
        const bool hit = axis.transposed ? output == axis.stride * i - axis.padding + k
                                         : i == output * axis.stride - axis.padding + k;
        if (hit) inputs.insert(i);
      }
    }
  }
  return inputs;
}

std::vector<Axis> AllAxes() {
  std::vector<Axis> axes = {{}};
  for (const int stride : {1, 2}) {
    for (const int kernel : {1, 3, 5, 7, 11}) axes.push_back({kernel, stride, kernel / 2});
  }
  for (const bool grouped : {false, true}) {
    for (const int kernel : {3, 4, 5}) axes.push_back({kernel, 2, (kernel - 1) / 2, true, grouped});
    for (const int factor : {2, 4}) axes.push_back({factor, factor, 0, true, grouped});
  }
  return axes;
}

TEST_CASE("window: one axis against its definition") {
  for (const Axis& axis : AllAxes()) {
    CAPTURE(axis.kernel);
    CAPTURE(axis.stride);
    CAPTURE(axis.transposed);
    CAPTURE(axis.grouped);
    for (int64_t in_size = 1; in_size <= 12; ++in_size) {
      const int64_t out_size = axis.OutSize(in_size);
      int64_t needed = 0;
      std::vector<int64_t> ends = {0};  // by number of outputs
      for (int64_t o = 0; o < out_size; ++o) {
        const std::set<int64_t> inputs = InputsRead(axis, o, in_size);
        REQUIRE(!inputs.empty());
        CHECK(axis.InputBegin(o) <= *inputs.begin());
        CHECK(axis.InputBegin(o) >= *inputs.begin() - (axis.transposed ? 1 : 0));
        needed = std::max(needed, *inputs.rbegin() + 1);
        CHECK(axis.InputEnd(o + 1, in_size) == needed);
        ends.push_back(needed);
      }
      CHECK(axis.InputEnd(0, in_size) == 0);
      for (int64_t have = 0; have <= in_size; ++have) {
        int64_t most = 0;
        for (int64_t e = 0; e <= out_size; ++e) {
          if (ends[static_cast<size_t>(e)] <= have) most = e;
        }
        CHECK(axis.OutputEnd(have, in_size) == most);
      }
    }
  }
}

// The rows that issue from a kernel of k x l: each axis has its own.
TEST_CASE("window: kernels that are not square") {
  Window window;
  window.rows = {11, 1, 5};
  window.columns = {1, 1, 0};
  CHECK(window.taps() == 11);
  CHECK(window.rows.InputEnd(1, 100) == 6);
  CHECK(window.columns.InputEnd(1, 100) == 1);
  CHECK_FALSE(window.IsPointwise());
  CHECK(window.PositionsRead(kEvenPositions) == kAllPositions);
  window.live = {false, false, false, true, false, false, false, true, false, false, false};
  CHECK(window.PositionsRead(kEvenPositions) == kEvenPositions);  // 2 rows up and down
}

TEST_CASE("window: which positions are read") {
  CHECK(Window().IsPointwise());
  CHECK(Window().PositionsRead(kOddPositions) == kOddPositions);
  Window cross;
  cross.rows = cross.columns = {3, 1, 1};
  CHECK(cross.PositionsRead(kOddPositions) == kAllPositions);
  for (int tap = 0; tap < 9; ++tap) cross.live.push_back(tap % 2 == 1);
  CHECK(cross.PositionsRead(kOddPositions) == kEvenPositions);
  CHECK(cross.PositionsRead(kEvenPositions) == kOddPositions);
  CHECK(cross.PositionsRead(kNoPositions) == kNoPositions);
  Window up;
  up.rows = up.columns = {4, 2, 1, true};
  CHECK(up.PositionsRead(kOddPositions) == kAllPositions);
  CHECK(up.PositionsRead(kNoPositions) == kNoPositions);
}

Node Conv(const std::string& in, const std::string& out, int kernel, int stride) {
  Node node;
  node.name = node.output = out;
  node.inputs = {in};
  node.window.rows = node.window.columns = {kernel, stride, (kernel - 1) / 2};
  return node;
}

Node Deconv(const std::string& in, const std::string& out, int kernel) {
  Node node = Conv(in, out, kernel, 2);
  node.window.rows.transposed = node.window.columns.transposed = true;
  return node;
}

Node Add(const std::string& a, const std::string& b, const std::string& out) {
  Node node;
  node.name = node.output = out;
  node.inputs = {a, b};
  return node;
}

// Which input rows the output's first `out_end` rows read, tap by tap through the whole graph.
int64_t NeededByTaps(const Graph& graph, int64_t out_end, int64_t in_height) {
  std::map<std::string, TensorScale> scales = {{graph.inputs[0].name, {}}};
  for (const Node& node : graph.nodes)
    scales[node.output] = scales[node.inputs[0]].Behind(node.window);
  std::map<std::string, std::set<int64_t>> needed;
  for (int64_t o = 0; o < out_end; ++o) needed[graph.output].insert(o);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const Axis axis = node->window.Grouped().rows;
    for (const std::string& input : node->inputs) {
      for (const int64_t o : needed[node->output]) {
        const auto rows = InputsRead(axis, o, scales[input].Height(in_height));
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
  graph.output = nodes.back().output;
  graph.nodes = std::move(nodes);
  return graph;
}

TEST_CASE("window: whole graphs against taps") {
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
      std::vector<int64_t> needs, ends;
      for (int64_t e = 0; e <= rows.OutHeight(height); ++e) {
        needs.push_back(NeededByTaps(graph, e, height));
        rows.InputEnds(e, height, &ends);
        CHECK(ends == std::vector<int64_t>{needs.back()});
      }
      for (int64_t have = 0; have <= height; ++have) {
        const auto first_not = std::upper_bound(needs.begin(), needs.end(), have);
        CHECK(rows.OutputEnd({have}, height) == first_not - needs.begin() - 1);
      }
    }
  }
}

TEST_CASE("window: sizes of tensors") {
  Window down, up, wide;
  down.rows = down.columns = {3, 2, 1};
  up.rows = up.columns = {4, 2, 1, true};
  wide.rows = wide.columns = {4, 4, 0, true};
  const TensorScale quarter = TensorScale().Behind(down).Behind(down);
  CHECK(quarter == TensorScale{-2, -2});
  CHECK(quarter.Height(9) == 3);
  CHECK(quarter.Behind(up).Height(9) == 6);
  CHECK(quarter.Behind(up).Behind(up).Height(9) == 12);
  CHECK(quarter.Behind(wide) == quarter.Behind(up).Behind(up));
  CHECK(quarter.Behind(Window()) == quarter);
  CHECK(quarter.Behind(up) != TensorScale().Behind(down));
  CHECK(TensorScale().Behind(up).Behind(down) == TensorScale());
  CHECK(TensorScale().Behind(up).Height(9) == 18);
}

TEST_CASE("matrix: places and what they belong to, in every order") {
  for (const Matrix::Order order :
       {Matrix::Order::kOutputsFirst, Matrix::Order::kInputsFirst, Matrix::Order::kDepthwise}) {
    Matrix matrix;
    matrix.order = order;
    matrix.outputs = 3;
    matrix.inputs = order == Matrix::Order::kDepthwise ? 3 : 5;
    matrix.taps = 4;
    std::set<size_t> places;
    for (size_t o = 0; o < matrix.outputs; ++o) {
      const Matrix::Inputs range = matrix.InputsOf(o);
      CHECK(range.last - range.first == matrix.inputs_summed());
      for (size_t i = range.first; i < range.last; ++i) {
        for (size_t tap = 0; tap < matrix.taps; ++tap) {
          const size_t at = matrix.Index(o, i, tap);
          CHECK(places.insert(at).second);
          CHECK(matrix.OutputOf(at) == o);
          CHECK(matrix.InputOf(at) == i);
          CHECK(at % matrix.taps == tap);
        }
      }
    }
    CHECK(*places.rbegin() + 1 == places.size());  // without a gap
    CHECK(places.size() == (order == Matrix::Order::kDepthwise ? 12 : 60));
  }
}

}  // namespace
}  // namespace glint
