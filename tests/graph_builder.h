// For tests of planner and executor: graphs built by hand over a model in memory, and a run of the
// executor from whole tensor to whole tensor.
// Thread rules: a builder belongs to one test.
#ifndef GLINT_TESTS_GRAPH_BUILDER_H_
#define GLINT_TESTS_GRAPH_BUILDER_H_

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor.h"
#include "engine/json.h"
#include "engine/node_check.h"
#include "engine/op.h"
#include "kernels/conv.h"
#include "tests/reference_graph.h"
#include "tests/test_model.h"

namespace glint {

enum class GdnForm { kAbs, kSqrt };
using kernels::ConvMask;

class GraphBuilder {
 public:
  GraphBuilder(TestModel* model, NumericClass numeric_class) : model_(model) {
    graph_.name = "test";
    graph_.numeric_class = numeric_class;
  }
  std::string Input(const std::string& name, int channels) {
    graph_.inputs.push_back({name, channels});
    graph_.channels[name] = channels;
    return name;
  }
  // A node of any operator, read and checked as one of a file; weights are those that AddWeight has
  // made since the last. The name of its output.
  std::string Append(const std::string& op, const std::vector<std::string>& in,
                     const testing::Json& attributes = testing::Json::object()) {
    const std::span<const Op* const> operators = Operators();
    const auto found = std::find_if(operators.begin(), operators.end(), [&](const Op* entry) {
      return op == std::string(entry->name);
    });
    REQUIRE(found != operators.end());
    Node node;
    node.name = NextName();
    node.op = *found;
    node.inputs = in;
    node.output = node.name + "_out";
    node.weights = std::exchange(weights_, {});
    model_->attributes(node.name) = attributes;
    const Json as_read = testing::AsRead(attributes);
    ObjectReader reader(as_read, node.name);
    const Status read = node.op->read(&reader, &node);
    REQUIRE_MESSAGE(read.ok(), read.message());
    const Status all_read = reader.Finish();
    REQUIRE_MESSAGE(all_read.ok(), all_read.message());
    const Status checked = ResolveNode(model_->tensors(), &graph_, &node);
    REQUIRE_MESSAGE(checked.ok(), checked.message());
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back().output;
  }
  // For the next node.
  void AddWeight(const std::string& role, const std::vector<int64_t>& shape, float low,
                 float high) {
    weights_[role] = NextName() + "." + role;
    model_->Add(weights_[role], shape, low, high);
  }
  int channels(const std::string& tensor) const { return graph_.channels.at(tensor); }

  std::string Conv(const std::string& in, int out, int k, int stride,
                   ConvMask mask = ConvMask::kNone) {
    const float bound = 1.0f / std::sqrt(static_cast<float>(channels(in) * k * k));
    AddWeight("weight", {out, channels(in), k, k}, -bound, bound);
    AddWeight("bias", {out}, -0.1f, 0.1f);
    return Append("conv2d", {in},
                  {{"stride", stride},
                   {"padding", k / 2},
                   {"mask", mask == ConvMask::kNone           ? "none"
                            : mask == ConvMask::kCheckerboard ? "checkerboard"
                                                              : "causal"}});
  }
  std::string Deconv(const std::string& in, int out, int k) {
    const float bound = 2.0f / std::sqrt(static_cast<float>(channels(in) * k * k));
    AddWeight("weight", {channels(in), out, k, k}, -bound, bound);
    AddWeight("bias", {out}, -0.1f, 0.1f);
    return Append("conv_transpose2d", {in},
                  {{"stride", 2}, {"padding", k == 5 ? 2 : 1}, {"output_padding", k == 4 ? 0 : 1}});
  }
  std::string Gdn(const std::string& in, bool inverse, GdnForm form) {
    AddWeight("beta", {channels(in)}, 0.5f, 1.5f);
    AddWeight("gamma", {channels(in), channels(in)}, 0.0f, 0.05f);
    return Append("gdn", {in},
                  {{"inverse", inverse}, {"form", form == GdnForm::kAbs ? "abs" : "sqrt"}});
  }
  std::string Gain(const std::string& in) {
    AddWeight("fc1.weight", {4, 1}, -1, 1);
    AddWeight("fc1.bias", {4}, -1, 1);
    AddWeight("fc2.weight", {channels(in), 4}, -0.3f, 0.3f);
    AddWeight("fc2.bias", {channels(in)}, -0.3f, 0.3f);
    return Append("gain", {in});
  }
  std::string LeakyRelu(const std::string& in, float slope) {
    return Append("leaky_relu", {in}, {{"slope", slope}});
  }
  std::string Add(const std::string& a, const std::string& b) { return Append("add", {a, b}); }
  std::string Concat(const std::vector<std::string>& in) { return Append("concat", in); }
  std::string Digits(const std::string& in, const std::vector<int>& low,
                     const std::vector<int>& coarse) {
    return Append("digits", {in}, {{"low", low}, {"coarse", coarse}});
  }
  std::string Bottleneck(const std::string& in) {
    const int half = channels(in) / 2;
    const std::string a = LeakyRelu(Conv(in, half, 1, 1), 0.125f);
    const std::string b = LeakyRelu(Conv(a, half, 3, 1), 0.125f);
    return Add(in, Conv(b, channels(in), 1, 1));
  }
  Graph& graph() { return graph_; }
  Graph Finish(const std::string& output) {
    graph_.output = output;
    return graph_;
  }

 private:
  std::string NextName() const { return "n" + std::to_string(graph_.nodes.size()); }

  TestModel* model_;
  Graph graph_;
  std::map<std::string, std::string> weights_;  // of the next node
};

struct RunOptions {
  int64_t band = 1;
  size_t threads = 1;
  int64_t stop_every = 0, stop_ahead = 0;
  PositionSet wanted = kAllPositions;
  int out_height = 0, out_width = 0;
};

// Runs a graph with the executor; compact outputs are spread to full rows, zeros elsewhere.
inline ReferenceTensor RunExecutor(const ModelFile& model, const Graph& graph,
                                   const std::map<std::string, ReferenceTensor>& inputs, double t,
                                   const RunOptions& run) {
  auto plan = Plan::Make(model, graph, run.wanted);
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  ThreadPool pool(run.threads);
  ExecutorOptions options;
  const ReferenceTensor& first = inputs.at(graph.inputs[0].name);
  options.in_width = static_cast<size_t>(first.width);
  options.in_height = first.height;
  options.out_width = static_cast<size_t>(run.out_width);
  options.out_height = run.out_height;
  options.bands = {run.band, run.stop_every, run.stop_ahead};
  options.t = t;
  options.runner = run.threads > 1 ? pool.runner() : SerialRunner();
  auto made = Executor::Make(plan.value(), options);
  REQUIRE_MESSAGE(made.ok(), made.status().message());
  Executor& executor = *made.value();
  const int height = static_cast<int>(executor.out_height());
  const int width = static_cast<int>(executor.out_width());
  const int channels = graph.channels.at(graph.output);
  ReferenceTensor out(height, width, channels);
  int64_t given = 0;
  while (executor.end() < height) {
    const int64_t begin = executor.end(), end = executor.next_end();
    for (const int64_t need = executor.InputEnd(); given < need; ++given) {
      for (size_t i = 0; i < graph.inputs.size(); ++i) {
        const ReferenceTensor& in = inputs.at(graph.inputs[i].name);
        float* row = executor.InputRow(i, given);
        for (int x = 0; x < in.width; ++x) {
          for (int c = 0; c < in.channels; ++c) {
            row[static_cast<size_t>(x * in.channels + c)] =
                static_cast<float>(in.at(static_cast<int>(given), x, c));
          }
        }
        executor.StoreInput(i, given);
      }
    }
    executor.Advance();
    for (int64_t r = begin; r < end; ++r) {
      const float* row = executor.OutputRow(r);
      for (int x = 0, j = -1; x < width; ++x) {
        if ((run.wanted & PositionAt(r, x)) == 0) continue;
        ++j;
        for (int c = 0; c < channels; ++c) {
          out.at(static_cast<int>(r), x, c) =
              static_cast<double>(row[static_cast<size_t>(j) * executor.output_pixel_stride() +
                                      static_cast<size_t>(c)]);
        }
      }
    }
  }
  return out;
}

// An analysis transform of every kind of layer; `second`: the form of its second GDN.
inline Graph AnalysisGraph(TestModel* model, GdnForm second = GdnForm::kSqrt) {
  GraphBuilder b(model, NumericClass::kClose);
  std::string x = b.Gdn(b.Conv(b.Input("x", 3), 16, 5, 2), false, GdnForm::kAbs);
  x = b.Bottleneck(b.Gain(b.Gdn(b.Conv(x, 20, 5, 2), false, second)));
  return b.Finish(b.Gain(b.Bottleneck(b.Conv(x, 24, 3, 2))));
}

}  // namespace glint

#endif  // GLINT_TESTS_GRAPH_BUILDER_H_
