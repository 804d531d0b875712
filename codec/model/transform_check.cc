#include "codec/model/transform_check.h"

#include <bit>
#include <string>

#include "engine/graph_rows.h"
#include "engine/json.h"
#include "engine/window.h"

namespace glint {
namespace {

struct Transform {
  const char* name;
  int in_channels, out_channels;
  TensorScale scale;
  std::string size;  // what the scale means
};

Status CheckTransform(const Graphs& graphs, const Transform& wanted) {
  const std::string place = std::string("graph '") + wanted.name + "'";
  const auto found = graphs.find(wanted.name);
  if (found == graphs.end()) return BadModel("graphs", place + " is missing");
  const Graph& graph = found->second;
  if (graph.inputs.size() != 1) {
    return BadModel(place, "has " + std::to_string(graph.inputs.size()) + " inputs, one is wanted");
  }
  if (graph.inputs[0].channels != wanted.in_channels) {
    return BadModel(place, "input " + Quote(graph.inputs[0].name) + " has " +
                               std::to_string(graph.inputs[0].channels) + " channels, " +
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
  return document.has_hyper ? CheckHyperTransforms(document, graphs) : Status::Ok();
}

}  // namespace glint
