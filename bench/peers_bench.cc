// bench_peers: the convolutions of a model beside those of oneDNN, layer by layer: Glint's as they
// run inside whole codings of a picture, by the library's own profile; oneDNN's one after the other
// in the model's order, each on tensors of its own, so what it reads was not just written and comes
// from further away where layers are small. One thread, both alternating, after a round that does
// not count; the best round of each counts. Layers that oneDNN does not have (GDN,
// products of int16) are left out of the sums on both sides, and named. Built where oneDNN is
// found. Thread rules: one thread.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/peers/onednn.h"
#include "bench/synthetic_picture.h"
#include "codec/model/model_impl.h"
#include "engine/op.h"
#include "glint/glint.hpp"
#include "tools/common/console.h"
#include "tools/common/json_output.h"
#include "tools/common/machine.h"
#include "tools/common/models.h"
#include "tools/common/output.h"
#include "tools/common/table.h"
#include "tools/common/text.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

using bench::After;
using bench::OneDnnLayer;
using bench::ProductLayer;

constexpr const char* kTool = "bench_peers";
constexpr double kNotYet = 1e9;  // seconds

struct Flags {
  std::string model, size = "768x512", target, json;
  int rounds = 10;
};

// ---- layers of a model -------------------------------------------------------------------------

struct Size {
  int64_t height = 0, width = 0;
};
using Sizes = std::map<std::string, Size>;  // by tensor

// The graphs of a picture's way, and the direction in which their layers are profiled.
struct Stage {
  const char* graph;
  bool decoding;
};
constexpr Stage kStages[] = {{"g_a", false}, {"h_a", false}, {"h_s", true}, {"g_s", true}};

Sizes SizesOf(const Graph& graph, const Size& input) {
  Sizes sizes;
  for (const GraphInput& in : graph.inputs) sizes[in.name] = input;
  for (const Node& node : graph.nodes) {
    const Size& from = sizes.at(node.inputs.front());
    sizes[node.output] = {node.window.rows.OutSize(from.height),
                          node.window.columns.OutSize(from.width)};
  }
  return sizes;
}

// The nodes that became one step, whose name has theirs with '+' between.
std::vector<const Node*> NodesOf(const Graph& graph, const std::string& step) {
  std::vector<const Node*> nodes;
  for (size_t begin = 0; begin <= step.size();) {
    const size_t end = std::min(step.find('+', begin), step.size());
    const std::string name = step.substr(begin, end - begin);
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [&](const Node& n) { return n.name == name; });
    if (node == graph.nodes.end()) return {};
    nodes.push_back(&*node);
    begin = end + 1;
  }
  return nodes;
}

bool IsProduct(const Node& node) {
  return node.matrix && !node.matrix->normalises() &&
         node.matrix->order != Matrix::Order::kDepthwise && node.window.live.empty();
}

// False where it is not a convolution that oneDNN has.
bool Describe(const Graph& graph, const Sizes& sizes, const std::string& step,
              ProductLayer* layer) {
  const std::vector<const Node*> nodes = NodesOf(graph, step);
  if (nodes.empty() || !IsProduct(*nodes.front())) return false;
  const Node& product = *nodes.front();
  if (product.precision != Precision::kF32 && product.precision != Precision::kI8) return false;
  const Axis& rows = product.window.rows;
  if (!(rows == product.window.columns)) return false;
  const Size &in = sizes.at(product.inputs.front()), &out = sizes.at(product.output);
  layer->in_channels = static_cast<int64_t>(product.matrix->inputs);
  layer->in_height = in.height;
  layer->in_width = in.width;
  layer->out_channels = static_cast<int64_t>(product.matrix->outputs);
  layer->out_height = out.height;
  layer->out_width = out.width;
  layer->kernel = rows.kernel;
  layer->stride = rows.stride;
  layer->padding = rows.padding;
  layer->transposed = rows.transposed;
  layer->bytes = product.precision == Precision::kI8;
  for (size_t i = 1; i < nodes.size(); ++i) {
    const Fusion& fusion = nodes[i]->op->fusion;
    if (fusion.slot == Slot::kResidual) {
      layer->after.push_back(After::kResidual);
    } else if (fusion.slot == Slot::kActivation) {
      layer->after.push_back(After::kLeakyRelu);
      layer->slope = fusion.slope(*nodes[i]);
    } else if (fusion.slot == Slot::kFactors) {
      layer->after.push_back(After::kChannelFactors);
    } else {
      return false;
    }
  }
  return true;
}

// ---- both --------------------------------------------------------------------------------------

struct Line {
  std::string stage, name, kernel;  // Glint's kernel
  std::string peer_kernel;
  std::unique_ptr<OneDnnLayer> peer;  // nullptr: oneDNN has none
  double macs = 0, seconds = kNotYet, peer_seconds = kNotYet;
};

class Comparison {
 public:
  Comparison(Model model, Picture picture)
      : model_(std::move(model)), picture_(std::move(picture)) {
    encode_.detail = Detail::kOff;
    encode_.profile = decode_.profile = true;
  }

  // One coding in either direction, then each of oneDNN's layers once.
  Error Round() {
    Report encode, decode;
    const Expected<std::vector<uint8_t>> stream = Encode(model_, picture_, encode_, &encode);
    if (!stream) return stream.error();
    const Expected<Picture> picture =
        Decode(model_, stream->data(), stream->size(), decode_, &decode);
    if (!picture) return picture.error();
    if (lines_.empty()) MakeLines(encode, decode);
    for (Line& line : lines_) {
      for (const Report* report : {&encode, &decode}) {
        for (const LayerProfile& layer : report->layers) {
          if (layer.stage != line.stage || layer.name != line.name) continue;
          line.seconds = std::min(line.seconds, layer.seconds);
        }
      }
    }
    for (Line& line : lines_) {
      if (line.peer == nullptr) continue;
      const double begin = Now();
      line.peer->Run();
      line.peer_seconds = std::min(line.peer_seconds, Now() - begin);
    }
    return {};
  }

  // The times so far.
  void Forget() {
    for (Line& line : lines_) line.seconds = line.peer_seconds = kNotYet;
  }
  bool HasPeers() const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [](const Line& line) { return line.peer != nullptr; });
  }
  const std::vector<Line>& lines() const { return lines_; }
  const ModelInfo& info() const { return model_.info(); }

 private:
  void MakeLines(const Report& encode, const Report& decode) {
    const Model::Impl& impl = model_.impl();
    Size input = {picture_.info.height, picture_.info.width};
    for (const Stage& stage : kStages) {
      const auto graph = impl.graphs().find(stage.graph);
      if (graph == impl.graphs().end()) continue;
      // g_s begins where g_a ended, with y; h_s where h_a did.
      if (stage.graph == std::string("g_s")) input = latents_;
      const Sizes sizes = SizesOf(graph->second, input);
      for (const LayerProfile& layer : (stage.decoding ? decode : encode).layers) {
        if (layer.stage == stage.graph) lines_.push_back(LineFor(graph->second, sizes, layer));
      }
      input = sizes.at(graph->second.output);
      if (stage.graph == std::string("g_a")) latents_ = input;
    }
  }

  static Line LineFor(const Graph& graph, const Sizes& sizes, const LayerProfile& layer) {
    Line line{layer.stage, layer.name, layer.kernel, "", nullptr, layer.macs, kNotYet, kNotYet};
    ProductLayer product;
    if (!Describe(graph, sizes, layer.name, &product)) return line;
    line.peer = OneDnnLayer::Make(product, &line.peer_kernel);
    return line;
  }

  Model model_;
  Picture picture_;
  EncodeOptions encode_;
  DecodeOptions decode_;
  Size latents_;
  std::vector<Line> lines_;
};

// ---- report ------------------------------------------------------------------------------------

// Of the layers that both have, by stage, and of all.
struct Sums {
  double seconds = 0, peer_seconds = 0, left_out = 0;

  void Add(const Line& line) {
    if (line.peer == nullptr) {
      left_out += line.seconds;
      return;
    }
    seconds += line.seconds;
    peer_seconds += line.peer_seconds;
  }
};

std::string Milliseconds(double seconds) { return Fixed(1e3 * seconds, 3); }

Table::Cells SumCells(const std::string& stage, const Sums& sums) {
  return {stage,
          "(sum)",
          "",
          Milliseconds(sums.seconds),
          Milliseconds(sums.peer_seconds),
          Fixed(sums.peer_seconds / sums.seconds, 2),
          sums.left_out > 0 ? Milliseconds(sums.left_out) + " ms of Glint's are left out" : ""};
}

std::string LinesTable(const std::vector<Line>& lines) {
  std::vector<Table::Cells> rows;
  Sums stage, all;
  for (size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    const bool both = line.peer != nullptr;
    rows.push_back({line.stage, Printable(line.name, 32), line.kernel, Milliseconds(line.seconds),
                    both ? Milliseconds(line.peer_seconds) : "-",
                    both ? Fixed(line.peer_seconds / line.seconds, 2) : "-",
                    both ? line.peer_kernel : "none"});
    stage.Add(line);
    all.Add(line);
    if (i + 1 < lines.size() && lines[i + 1].stage == line.stage) continue;
    rows.push_back(SumCells(line.stage, stage));
    stage = {};
  }
  rows.push_back(SumCells("all", all));
  return FormatTable({{"stage", Table::Align::kLeft},
                      {"layer", Table::Align::kLeft},
                      {"kernel", Table::Align::kLeft},
                      {"Glint ms"},
                      {"oneDNN ms"},
                      {"speed against it"},
                      {"oneDNN's", Table::Align::kLeft}},
                     rows);
}

Json LinesJson(const Comparison& comparison, const std::string& size) {
  Json layers = Json::array();
  for (const Line& line : comparison.lines()) {
    const bool both = line.peer != nullptr;
    layers.push_back({{"stage", line.stage},
                      {"name", line.name},
                      {"kernel", line.kernel},
                      {"macs", line.macs},
                      {"seconds", line.seconds},
                      {"peer_kernel", both ? Json(line.peer_kernel) : Json(nullptr)},
                      {"peer_seconds", both ? Json(line.peer_seconds) : Json(nullptr)}});
  }
  return Json{{"machine", CpuName()},
              {"target", CurrentTarget()},
              {"peer", bench::OneDnnVersion()},
              {"model", comparison.info().name + " " + comparison.info().form},
              {"size", size},
              {"layers", std::move(layers)}};
}

Error Compare(const Flags& flags) {
  uint32_t width = 0, height = 0;
  constexpr uint32_t kMost = 8192;
  if (!bench::ParseSize(flags.size, &width, &height) || width % 64 != 0 || height % 64 != 0 ||
      width > kMost || height > kMost) {
    return MakeError(
        ErrorCode::kInvalidArgument,
        "--size " + flags.size + ": not a size such as 768x512, in multiples of 64 up to 8192");
  }
  Error error = flags.json.empty() ? Error{} : CheckOutputPath("--json", flags.json);
  if (flags.json == "-") {
    error = MakeError(ErrorCode::kInvalidArgument, "--json -: has to be a file");
  }
  if (error.ok()) error = UseTarget(flags.target);
  if (!error.ok()) return error;
  const Expected<std::string> path = FindModel(flags.model);
  if (!path) return path.error();
  Expected<Model> model = LoadModel(*path, 1);
  if (!model) return model.error();
  bench::UseOneThread();
  Comparison comparison(std::move(*model), bench::SyntheticPicture(width, height));
  for (int round = 0; round <= flags.rounds; ++round) {
    error = comparison.Round();
    if (!error.ok()) return error;
    if (round > 0) continue;
    if (!comparison.HasPeers()) {
      return MakeError(ErrorCode::kInvalidArgument,
                       *path + ": has no layer that oneDNN has: FP32 or bytes are wanted");
    }
    comparison.Forget();
  }
  std::printf("%s %s, %s, %s, %s, %s, one thread, best of %d\n\n%s", comparison.info().name.c_str(),
              comparison.info().form.c_str(), flags.size.c_str(), CpuName().c_str(),
              CurrentTarget().c_str(), bench::OneDnnVersion().c_str(), flags.rounds,
              LinesTable(comparison.lines()).c_str());
  if (flags.json.empty()) return {};
  const std::string text = JsonText(LinesJson(comparison, flags.size));
  return WriteOutput(flags.json, text.data(), text.size());
}

int Main(int argc, char** argv) {
  CLI::App app("The convolutions of a model beside oneDNN's", kTool);
  Flags flags;
  app.add_option("--model", flags.model,
                 "A model file in FP32, or of bytes (default: $GLINT_MODEL, else light-fp32)");
  app.add_option("--size", flags.size, "Size of the picture, multiples of 64 (default 768x512)");
  app.add_option("--rounds", flags.rounds, "How often all is run; the best counts (default 10)")
      ->check(CLI::Range(1, 100000));
  app.add_option("--target", flags.target, "Glint's SIMD target (default: the best here)");
  app.add_option("--json", flags.json, "The same as JSON");
  app.footer(
      "oneDNN chooses its own instructions: ONEDNN_MAX_CPU_ISA=AVX2 in the environment limits it.\n"
      "Layers of int16 and GDN have no counterpart there; \"(sum)\" is of what both have.");
  return RunTool(app, argc, argv, [&flags] {
    const Error error = Compare(flags);
    return error.ok() ? kExitOk : ExitCodeFor(kTool, error);
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
