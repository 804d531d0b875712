#include "codec/model/transform_check.h"

#include <bit>
#include <string>

#include "engine/graph_rows.h"
#include "engine/json.h"
#include "engine/window.h"

namespace glint {
namespace {

struct Transform {
  std::string name;
  int in_channels, out_channels;  // 0: any
  TensorScale scale;
  std::string size;          // what the scale means
  bool takes_fewer = false;  // input channels
};

Status CheckTransform(const Graphs& graphs, const Transform& wanted) {
  const std::string place = "graph " + Quote(wanted.name);
  const auto found = graphs.find(wanted.name);
  if (found == graphs.end()) return BadModel("graphs", place + " is missing");
  const Graph& graph = found->second;
  if (graph.inputs.size() != 1) {
    return BadModel(place, "has " + std::to_string(graph.inputs.size()) + " inputs, one is wanted");
  }
  const int in_channels = graph.inputs[0].channels;
  const bool fits =
      in_channels == wanted.in_channels || (wanted.takes_fewer && in_channels < wanted.in_channels);
  if (!fits) {
    return BadModel(place, "input " + Quote(graph.inputs[0].name) + " has " +
                               std::to_string(in_channels) + " channels, " +
                               (wanted.takes_fewer ? "at most " : "") +
                               std::to_string(wanted.in_channels) + " are wanted");
  }
  const int channels = graph.channels.at(graph.output);
  if (wanted.out_channels > 0 && channels != wanted.out_channels) {
    return BadModel(place, "output " + Quote(graph.output) + " has " + std::to_string(channels) +
                               " channels, " + std::to_string(wanted.out_channels) + " are wanted");
  }
  if (GraphRows(graph).output_scale() != wanted.scale) {
    return BadModel(place, "the size of its output is not that of its input " + wanted.size);
  }
  return Status::Ok();
}

Status CheckHyperTransforms(const ModelDocument& document, const Graphs& graphs) {
  const int latent = document.latent_channels, hyper = document.hyper_channels;
  if (document.hyper_stride % document.latent_stride != 0) {
    return BadModel("hyper", "stride " + std::to_string(document.hyper_stride) +
                                 " is no multiple of the latents' " +
                                 std::to_string(document.latent_stride));
  }
  const int down = std::countr_zero(static_cast<unsigned>(document.hyper_ratio()));
  const std::string factor = std::to_string(document.hyper_ratio());
  GLINT_TRY(CheckTransform(graphs, {"h_a", latent, hyper, {-down, -down}, "/ " + factor}));
  GLINT_TRY(CheckTransform(graphs, {"h_s", hyper, 0, {0, down}, "* " + factor}));
  if (graphs.at("h_s").numeric_class != NumericClass::kExact) {
    return BadModel("graph 'h_s'", "class is close, the way to the symbols must be exact");
  }
  return Status::Ok();
}

Status CheckShrunk(const ModelDocument& document, const Graphs& graphs) {
  for (const auto& [shrink, shrunk] : document.shrunk) {
    if (shrink > document.latent_stride) {
      return BadModel("shrunk", "there is a graph for 1 / " + std::to_string(shrink) +
                                    ", but the latents' stride is " +
                                    std::to_string(document.latent_stride));
    }
    const int factor = document.latent_stride / shrink;
    const int up = std::countr_zero(static_cast<unsigned>(factor));
    GLINT_TRY(CheckTransform(graphs, {shrunk.graph,
                                      document.latent_channels,
                                      document.picture_channels,
                                      {0, up},
                                      "* " + std::to_string(factor),
                                      true}));
  }
  return Status::Ok();
}

}  // namespace

Status CheckTransforms(const ModelDocument& document, const Graphs& graphs) {
  const int picture = document.picture_channels, latent = document.latent_channels;
  if (document.picture_stride % document.latent_stride != 0) {
    return BadModel("picture", "stride " + std::to_string(document.picture_stride) +
                                   " is no multiple of the latents' " +
                                   std::to_string(document.latent_stride));
  }
  const int down = std::countr_zero(static_cast<unsigned>(document.latent_stride));
  const std::string factor = std::to_string(document.latent_stride);
  GLINT_TRY(CheckTransform(graphs, {"g_a", picture, latent, {-down, -down}, "/ " + factor}));
  GLINT_TRY(CheckTransform(graphs, {"g_s", latent, picture, {0, down}, "* " + factor}));
  if (document.has_hyper) GLINT_TRY(CheckHyperTransforms(document, graphs));
  return CheckShrunk(document, graphs);
}

}  // namespace glint
