// The planner and the band executor against the oracle: every band height and thread count gives
// the same bits, close graphs lie within a bound of double, exact graphs equal the float chain on
// every target.

#include "engine/executor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "kernels/targets.h"
#include "tests/reference_graph.h"

namespace glint {
namespace {

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

  const ModelDocument& document() const override { return document_; }
  const ModelId& id() const override { return id_; }
  uint64_t file_bytes() const override { return 0; }
  const std::string& name() const override { return name_; }
  const TensorView* tensor(const std::string& name) const override {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
  }

 private:
  std::mt19937 random_;
  ModelDocument document_;
  ModelId id_{};
  std::string name_ = "test model";
  std::map<std::string, std::vector<float>> storage_;
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
  std::string Bottleneck(const std::string& in) {
    const int channels = graph_.channels[in];
    const std::string a = LeakyRelu(Conv(in, channels / 2, 1, 1), 0.125f);
    const std::string b = LeakyRelu(Conv(a, channels / 2, 3, 1), 0.125f);
    return Add(in, Conv(b, channels, 1, 1));
  }
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

Graph Analysis(TestModel* model) {
  GraphBuilder b(model, NumericClass::kClose);
  std::string x = b.Gdn(b.Conv(b.Input("x", 3), 16, 5, 2), false, GdnForm::kAbs);
  x = b.Bottleneck(b.Gain(b.Gdn(b.Conv(x, 20, 5, 2), false, GdnForm::kSqrt)));
  return b.Finish(b.Gain(b.Bottleneck(b.Conv(x, 24, 3, 2))));
}

Graph Synthesis(TestModel* model) {
  GraphBuilder b(model, NumericClass::kClose);
  std::string x = b.Bottleneck(b.Gain(b.Input("y", 24)));
  x = b.Gain(b.Gdn(b.Deconv(x, 20, 5), true, GdnForm::kAbs));
  x = b.Gdn(b.Deconv(b.Bottleneck(x), 18, 3), true, GdnForm::kSqrt);
  x = b.LeakyRelu(b.Concat({x, x}), 0.5f);  // a concatenation that has to be made
  return b.Finish(b.Deconv(x, 3, 4));
}

Graph HyperSynthesis(TestModel* model) {
  GraphBuilder b(model, NumericClass::kExact);
  const std::string v = b.LeakyRelu(b.Deconv(b.Input("z", 8), 12, 4), 0.125f);
  const std::string w = b.LeakyRelu(b.Deconv(v, 20, 4), 0.125f);
  return b.Finish(b.LeakyRelu(b.Conv(w, 20, 3, 1), 0.125f));
}

Graph ParameterNet(TestModel* model) {
  GraphBuilder b(model, NumericClass::kExact);
  const std::string psi = b.Input("psi", 20), y0 = b.Input("y0", 6), y1 = b.Input("y1", 10);
  const std::string k = b.Conv(y0, 12, 3, 1);
  const std::string c = b.Conv(y1, 14, 5, 1, ConvMask::kCheckerboard);
  const std::string h = b.LeakyRelu(b.Conv(b.Concat({psi, k, c}), 24, 1, 1), 0.125f);
  return b.Finish(b.Conv(h, 20, 1, 1));
}

ReferenceTensor RandomTensor(std::mt19937* random, int height, int width, int channels) {
  ReferenceTensor tensor(height, width, channels);
  std::normal_distribution<float> value(0.0f, 1.0f);
  for (double& v : tensor.data) v = static_cast<double>(value(*random));
  return tensor;
}

struct RunOptions {
  long band = 1;
  size_t threads = 1;
  Parity parity = Parity::kAll;
  int out_height = 0, out_width = 0;
};

// Runs a graph with the executor; compact outputs are spread to full rows, zeros elsewhere.
ReferenceTensor RunExecutor(const TestModel& model, const Graph& graph,
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
  options.band_rows = run.band;
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
  for (long end = 0; end < height;) {
    const long begin = end;
    end = std::min<long>(height, end + run.band);
    const long need = executor.InputEnd(end);
    for (; given < need; ++given) {
      for (size_t i = 0; i < graph.inputs.size(); ++i) {
        const ReferenceTensor& in = inputs.at(graph.inputs[i].name);
        float* row = executor.InputRow(i, given);
        for (int x = 0; x < in.width; ++x) {
          for (int c = 0; c < in.channels; ++c) {
            row[x * in.channels + c] = static_cast<float>(in.at(static_cast<int>(given), x, c));
          }
        }
      }
    }
    executor.Advance(end);
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

double WorstRelative(const ReferenceTensor& a, const ReferenceTensor& b) {
  double norm = 0, worst = 0;
  for (const double v : b.data) norm = std::max(norm, std::abs(v));
  for (size_t i = 0; i < a.data.size(); ++i)
    worst = std::max(worst, std::abs(a.data[i] - b.data[i]));
  return worst / norm;
}

void CheckClose(const Graph& graph, const TestModel& model, int height, int width, unsigned seed) {
  std::mt19937 random(seed);
  std::map<std::string, ReferenceTensor> inputs;
  inputs[graph.inputs[0].name] = RandomTensor(&random, height, width, graph.inputs[0].channels);
  const ReferenceTensor want = RunReference(model, graph, inputs, 0.3);
  RunOptions run;
  const ReferenceTensor got = RunExecutor(model, graph, inputs, 0.3, run);
  REQUIRE(got.data.size() == want.data.size());
  CHECK(WorstRelative(got, want) < 2e-5);
  for (const long band : {2L, 3L, 7L, 1000L}) {
    for (const size_t threads : {size_t{1}, size_t{2}, size_t{3}}) {
      run.band = band;
      run.threads = threads;
      const bool same = RunExecutor(model, graph, inputs, 0.3, run).data == got.data;
      CHECK_MESSAGE(same, "band ", band, " threads ", threads, " size ", width, "x", height);
    }
  }
}

}  // namespace

TEST_CASE("executor: transforms lie close to double, whatever the band and the threads") {
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    TestModel model(7);
    const Graph analysis = Analysis(&model);
    CheckClose(analysis, model, 32, 40, 1);
    CheckClose(analysis, model, 8, 8, 2);
    CheckClose(analysis, model, 21, 13, 3);
    CheckClose(analysis, model, 1, 1, 4);
    TestModel back(8);
    const Graph synthesis = Synthesis(&back);
    CheckClose(synthesis, back, 5, 6, 5);
    CheckClose(synthesis, back, 1, 1, 6);
    CheckClose(synthesis, back, 9, 1, 7);
  }
  kernels::SetTarget("");
}

TEST_CASE("executor: exact graphs give the float chain's bits on every target") {
  TestModel model(9);
  const Graph hyper = HyperSynthesis(&model);
  std::mt19937 random(10);
  const std::map<std::string, ReferenceTensor> inputs = {{"z", RandomTensor(&random, 4, 3, 8)}};
  const ReferenceTensor want = RunReference(model, hyper, inputs, 0, ReferenceMode::kFloatChain);
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    for (const long band : {1L, 3L, 100L}) {
      RunOptions run;
      run.band = band;
      run.threads = 2;
      run.out_height = 15;  // cropped
      run.out_width = 11;
      const ReferenceTensor got = RunExecutor(model, hyper, inputs, 0, run);
      size_t differ = 0;
      for (int y = 0; y < 15; ++y) {
        for (int x = 0; x < 11; ++x) {
          for (int c = 0; c < 20; ++c) differ += got.at(y, x, c) != want.at(y, x, c);
        }
      }
      CHECK_MESSAGE(differ == 0, target, " band ", band);
    }
  }
  kernels::SetTarget("");
}

TEST_CASE(
    "executor: on the checkerboard only the wanted positions are computed, to the same bits") {
  TestModel model(11);
  const Graph net = ParameterNet(&model);
  std::mt19937 random(12);
  for (const int width : {1, 2, 9, 16}) {
    std::map<std::string, ReferenceTensor> inputs;
    for (const GraphInput& input : net.inputs)
      inputs[input.name] = RandomTensor(&random, 7, width, input.channels);
    const ReferenceTensor want = RunReference(model, net, inputs, 0, ReferenceMode::kFloatChain);
    for (const std::string& target : kernels::SupportedTargets()) {
      REQUIRE(kernels::SetTarget(target));
      for (const Parity parity : {Parity::kAll, Parity::kEven, Parity::kOdd}) {
        RunOptions run;
        run.band = 2;
        run.parity = parity;
        const ReferenceTensor got = RunExecutor(model, net, inputs, 0, run);
        size_t differ = 0;
        for (int y = 0; y < 7; ++y) {
          for (int x = 0; x < width; ++x) {
            const bool wanted =
                parity == Parity::kAll || ((x + y) % 2 == 1) == (parity == Parity::kOdd);
            for (int c = 0; c < 20; ++c)
              differ += got.at(y, x, c) != (wanted ? want.at(y, x, c) : 0.0);
          }
        }
        CHECK_MESSAGE(differ == 0, target, " width ", width);
      }
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("executor: memory grows with the width, not with the height") {
  TestModel model(13);
  const Graph graph = Analysis(&model);
  auto plan = Plan::Make(model, graph);
  REQUIRE(plan.ok());
  ExecutorOptions options;
  options.in_width = 64;
  options.in_height = 256;
  options.band_rows = 2;
  const auto low = Executor::MemoryNeeded(*plan.value(), options);
  options.in_height = 4096;
  const auto high = Executor::MemoryNeeded(*plan.value(), options);
  options.in_width = 128;
  const auto wide = Executor::MemoryNeeded(*plan.value(), options);
  REQUIRE(low.ok());
  REQUIRE(high.ok());
  REQUIRE(wide.ok());
  CHECK(low.value() == high.value());
  CHECK(wide.value() > high.value());
  CHECK(wide.value() < 2 * high.value() + 4096);
}

}  // namespace glint
