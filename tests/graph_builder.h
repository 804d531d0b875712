// For tests of planner and executor: graphs built by hand over a model in memory, and a run of the
// executor from whole tensor to whole tensor.
#ifndef GLINT_TESTS_GRAPH_BUILDER_H_
#define GLINT_TESTS_GRAPH_BUILDER_H_

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "tests/reference_graph.h"

namespace glint {

// A model in memory with just the tensors that a test's graph names.
class TestModel final : public ModelFile {
 public:
  explicit TestModel(unsigned seed) : random_(seed) {}

  void Add(const std::string& name, const std::vector<int64_t>& shape, float low, float high) {
    size_t count = 1;
    for (const int64_t n : shape) count *= static_cast<size_t>(n);
    std::vector<float>& data = storage_[name];
    data.resize(count);
    std::uniform_real_distribution<float> value(low, high);
    for (float& v : data) v = value(random_);
    TensorView view;
    view.shape = shape;
    view.data = reinterpret_cast<const uint8_t*>(data.data());
    view.elements = count;
    tensors_[name] = view;
  }

  template <typename T>
  void AddIntegers(const std::string& name, DType dtype, const std::vector<int64_t>& shape,
                   const std::vector<T>& values) {
    std::vector<uint8_t>& data = bytes_[name];
    data.resize(values.size() * sizeof(T));
    std::memcpy(data.data(), values.data(), data.size());
    tensors_[name] = {dtype, shape, data.data(), values.size()};
  }

  const ModelDocument& document() const override { return document_; }
  const ModelId& id() const override { return id_; }
  uint64_t file_bytes() const override { return 0; }
  const std::string& name() const override { return name_; }
  const TensorView* tensor(const std::string& name) const override {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::string& document_text() const override { return text_; }

 private:
  std::mt19937 random_;
  ModelDocument document_;
  std::string text_;
  ModelId id_{};
  std::string name_ = "test model";
  std::map<std::string, std::vector<float>> storage_;
  std::map<std::string, std::vector<uint8_t>> bytes_;
  std::map<std::string, TensorView> tensors_;
};

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
  std::string Conv(const std::string& in, int out, int k, int stride,
                   ConvMask mask = ConvMask::kNone) {
    Node& node = New(OpType::kConv2d, {in}, out);
    node.stride = stride;
    node.kernel = k;
    node.padding = k / 2;
    node.mask = mask;
    const int channels = graph_.channels[in];
    const float bound = 1.0f / std::sqrt(static_cast<float>(channels * k * k));
    model_->Add(node.name + ".weight", {out, channels, k, k}, -bound, bound);
    model_->Add(node.name + ".bias", {out}, -0.1f, 0.1f);
    node.weights = {{"weight", node.name + ".weight"}, {"bias", node.name + ".bias"}};
    return node.output;
  }
  std::string Deconv(const std::string& in, int out, int k) {
    Node& node = New(OpType::kConvTranspose2d, {in}, out);
    node.stride = 2;
    node.kernel = k;
    node.padding = k == 5 ? 2 : 1;
    node.output_padding = k == 4 ? 0 : 1;
    const int channels = graph_.channels[in];
    const float bound = 2.0f / std::sqrt(static_cast<float>(channels * k * k));
    model_->Add(node.name + ".weight", {channels, out, k, k}, -bound, bound);
    model_->Add(node.name + ".bias", {out}, -0.1f, 0.1f);
    node.weights = {{"weight", node.name + ".weight"}, {"bias", node.name + ".bias"}};
    return node.output;
  }
  std::string Gdn(const std::string& in, bool inverse, GdnForm form) {
    const int channels = graph_.channels[in];
    Node& node = New(OpType::kGdn, {in}, channels);
    node.inverse = inverse;
    node.gdn_form = form;
    model_->Add(node.name + ".beta", {channels}, 0.5f, 1.5f);
    model_->Add(node.name + ".gamma", {channels, channels}, 0.0f, 0.05f);
    node.weights = {{"beta", node.name + ".beta"}, {"gamma", node.name + ".gamma"}};
    return node.output;
  }
  std::string Gain(const std::string& in) {
    const int channels = graph_.channels[in];
    Node& node = New(OpType::kGain, {in}, channels);
    for (const char* role : {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}) {
      node.weights[role] = node.name + "." + role;
    }
    model_->Add(node.name + ".fc1.weight", {4, 1}, -1, 1);
    model_->Add(node.name + ".fc1.bias", {4}, -1, 1);
    model_->Add(node.name + ".fc2.weight", {channels, 4}, -0.3f, 0.3f);
    model_->Add(node.name + ".fc2.bias", {channels}, -0.3f, 0.3f);
    return node.output;
  }
  std::string LeakyRelu(const std::string& in, float slope) {
    Node& node = New(OpType::kLeakyRelu, {in}, graph_.channels[in]);
    node.slope = slope;
    return node.output;
  }
  std::string Add(const std::string& a, const std::string& b) {
    return New(OpType::kAdd, {a, b}, graph_.channels[a]).output;
  }
  std::string Concat(const std::vector<std::string>& in) {
    int channels = 0;
    for (const std::string& name : in) channels += graph_.channels[name];
    return New(OpType::kConcat, in, channels).output;
  }
  std::string Digits(const std::string& in, const std::vector<int>& low,
                     const std::vector<int>& coarse) {
    Node& node = New(OpType::kDigits, {in},
                     graph_.channels[in] + static_cast<int>(low.size() + coarse.size()));
    node.low = low;
    node.coarse = coarse;
    return node.output;
  }
  std::string Bottleneck(const std::string& in) {
    const int channels = graph_.channels[in];
    const std::string a = LeakyRelu(Conv(in, channels / 2, 1, 1), 0.125f);
    const std::string b = LeakyRelu(Conv(a, channels / 2, 3, 1), 0.125f);
    return Add(in, Conv(b, channels, 1, 1));
  }
  Graph& graph() { return graph_; }
  Graph Finish(const std::string& output) {
    graph_.outputs = {output};
    return graph_;
  }

 private:
  Node& New(OpType op, const std::vector<std::string>& in, int channels) {
    Node node;
    node.name = "n" + std::to_string(graph_.nodes.size());
    node.op = op;
    node.inputs = in;
    node.output = node.name + "_out";
    graph_.channels[node.output] = channels;
    graph_.nodes.push_back(node);
    return graph_.nodes.back();
  }

  TestModel* model_;
  Graph graph_;
};

struct RunOptions {
  long band = 1;
  size_t threads = 1;
  long stop_every = 0, stop_ahead = 0;
  Parity parity = Parity::kAll;
  int out_height = 0, out_width = 0;
};

// Runs a graph with the executor; compact outputs are spread to full rows, zeros elsewhere.
inline ReferenceTensor RunExecutor(const TestModel& model, const Graph& graph,
                                   const std::map<std::string, ReferenceTensor>& inputs, double t,
                                   const RunOptions& run) {
  auto plan = Plan::Make(model, graph, run.parity);
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
  const int channels = graph.channels.at(graph.outputs[0]);
  ReferenceTensor out(height, width, channels);
  long given = 0;
  while (executor.end() < height) {
    const long begin = executor.end(), end = executor.next_end();
    for (const long need = executor.InputEnd(); given < need; ++given) {
      for (size_t i = 0; i < graph.inputs.size(); ++i) {
        const ReferenceTensor& in = inputs.at(graph.inputs[i].name);
        std::vector<float> row(static_cast<size_t>(in.width * in.channels));
        for (int x = 0; x < in.width; ++x) {
          for (int c = 0; c < in.channels; ++c) {
            row[static_cast<size_t>(x * in.channels + c)] =
                static_cast<float>(in.at(static_cast<int>(given), x, c));
          }
        }
        executor.WriteInput(i, given, row.data());
      }
    }
    executor.Advance();
    for (long r = begin; r < end; ++r) {
      const float* row = executor.OutputRow(r);
      const int first_column =
          run.parity == Parity::kAll ? 0 : static_cast<int>(r & 1) ^ (run.parity == Parity::kOdd);
      const int step = run.parity == Parity::kAll ? 1 : 2;
      for (int x = first_column, j = 0; x < width; x += step, ++j) {
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
