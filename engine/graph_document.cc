#include "engine/graph_document.h"

#include <utility>

#include "engine/float16.h"
#include "engine/json.h"
#include "engine/op.h"

namespace glint {
namespace {

constexpr size_t kMaxGraphs = 260;
constexpr size_t kMaxKnots = 64;

Status ReadWeightNames(ObjectReader* reader, Node* node) {
  const WeightRoles& roles = node->op->weights;
  if (roles.needed.empty() && !reader->Has("weights")) return Status::Ok();
  const Json* object = nullptr;
  GLINT_TRY(reader->Object("weights", &object));
  ObjectReader weights(*object, reader->place() + ", weights");
  for (const char* role : roles.needed) GLINT_TRY(weights.Name(role, &node->weights[role]));
  if (IsInteger(node->precision)) GLINT_TRY(weights.Name("scale", &node->weights["scale"]));
  for (const char* role : roles.optional) {
    if (weights.Has(role)) GLINT_TRY(weights.Name(role, &node->weights[role]));
  }
  return weights.Finish();
}

// What has no matrix of weights computes in float.
Status ReadPrecision(ObjectReader* reader, Node* node) {
  size_t index = 0;
  if (node->op->matrix->role == nullptr) return reader->Choice("precision", {"f32"}, &index);
  GLINT_TRY(reader->Choice("precision", {"f32", "f16", "i16", "i8"}, &index));
  constexpr Precision kPrecisions[] = {Precision::kF32, Precision::kF16, Precision::kI16,
                                       Precision::kI8};
  node->precision = kPrecisions[index];
  return Status::Ok();
}

Status ReadNode(const Json& value, const std::string& place, Node* node) {
  ObjectReader unnamed(value, place);
  GLINT_TRY(unnamed.Name("name", &node->name));
  ObjectReader reader(value, place.substr(0, place.rfind(", ")) + ", node " + Quote(node->name));
  GLINT_TRY(reader.Name("name", &node->name));
  std::vector<const char*> names;
  for (const Op* op : Operators()) names.push_back(op->name);
  size_t index = 0;
  GLINT_TRY(reader.Choice("op", names, &index));
  const Op& op = *Operators()[index];
  node->op = &op;
  GLINT_TRY(reader.Names("inputs", op.inputs->least, op.inputs->most, &node->inputs));
  GLINT_TRY(reader.Name("output", &node->output));
  GLINT_TRY(ReadPrecision(&reader, node));
  GLINT_TRY(op.read(&reader, node));
  GLINT_TRY(ReadWeightNames(&reader, node));
  return reader.Finish();
}

Status ReadScales(ObjectReader* reader, std::vector<double>* out) {
  const Json::Array* scales = nullptr;
  GLINT_TRY(reader->Array("scales", 1, kMaxKnots, &scales));
  for (const Json& scale : *scales) {
    const double number = scale.is_number() ? scale.number() : 0.0;
    if (!(number >= kLeastScale && number <= kMostScale)) {
      return reader->Fail("scales are not all numbers from 1e-12 to 1e12");
    }
    out->push_back(number);
  }
  return Status::Ok();
}

Status ReadQuantisation(const Json& value, const std::string& place, Quantisation* out) {
  ObjectReader reader(value, place);
  size_t type = 0;
  GLINT_TRY(reader.Choice("type", {"i16", "u8", "f16"}, &type));
  constexpr kernels::Element kElements[] = {kernels::Element::kI16, kernels::Element::kU8,
                                            kernels::Element::kF16};
  out->element = kElements[type];
  if (reader.Has("factor")) GLINT_TRY(reader.Name("factor", &out->factor));
  if (out->element == kernels::Element::kF16) {
    out->max = static_cast<int>(kMostFloat16);
    if (reader.Has("max"))
      GLINT_TRY(reader.Int("max", 1, static_cast<int>(kMostFloat16), &out->max));
    return reader.Finish();
  }
  if (out->element == kernels::Element::kI16) {
    GLINT_TRY(reader.Int("max", 1, INT16_MAX, &out->max));
  } else {
    GLINT_TRY(reader.Int("zero", 0, 255, &out->zero));
  }
  const Json* given = value.Find("scales");
  out->dynamic = type == 0 && given != nullptr && given->is_string();
  if (out->dynamic) {
    size_t only = 0;
    GLINT_TRY(reader.Choice("scales", {"dynamic"}, &only));
  } else {
    GLINT_TRY(ReadScales(&reader, &out->scales));
  }
  return reader.Finish();
}

Status ReadGraph(const Json& value, const std::string& name, Graph* graph) {
  const std::string place = "graph " + Quote(name);
  if (!IsName(name)) return BadModel(place, "is not a valid name");
  graph->name = name;
  ObjectReader reader(value, place);
  size_t numeric_class = 0;
  GLINT_TRY(reader.Choice("class", {"close", "exact"}, &numeric_class));
  graph->numeric_class = numeric_class == 0 ? NumericClass::kClose : NumericClass::kExact;
  const Json::Array* inputs = nullptr;
  GLINT_TRY(reader.Array("inputs", 1, kMaxNodeInputs, &inputs));
  for (const Json& item : *inputs) {
    GraphInput input;
    ObjectReader input_reader(item, place + ", inputs");
    GLINT_TRY(input_reader.Name("name", &input.name));
    GLINT_TRY(input_reader.Int("channels", 1, kMaxChannels, &input.channels));
    GLINT_TRY(input_reader.Finish());
    graph->inputs.push_back(std::move(input));
  }
  GLINT_TRY(reader.Name("output", &graph->output));
  const Json::Array* nodes = nullptr;
  GLINT_TRY(reader.Array("nodes", 1, kMaxNodes, &nodes));
  for (size_t i = 0; i < nodes->size(); ++i) {
    Node node;
    GLINT_TRY(ReadNode((*nodes)[i], place + ", node " + std::to_string(i), &node));
    graph->nodes.push_back(std::move(node));
  }
  if (reader.Has("tensors")) {
    const Json* tensors = nullptr;
    GLINT_TRY(reader.Object("tensors", &tensors));
    for (const auto& [tensor, kept] : tensors->object()) {
      if (!IsName(tensor)) return reader.Fail("tensors: " + Quote(tensor) + " is no name");
      GLINT_TRY(
          ReadQuantisation(kept, place + ", tensor " + Quote(tensor), &graph->quantised[tensor]));
    }
  }
  return reader.Finish();
}

}  // namespace

Result<Graphs> ParseGraphs(std::string_view text) {
  GLINT_ASSIGN(const Json json, ParseJson(text, "glint document"));
  ObjectReader reader(json, "glint document");
  int format = 0;
  GLINT_TRY(reader.Int("format", INT32_MIN, INT32_MAX, &format));
  if (format != kModelFormat) {
    return reader.Fail("format is " + std::to_string(format) + ", this program reads format " +
                       std::to_string(kModelFormat));
  }
  const Json* object = nullptr;
  GLINT_TRY(reader.Object("graphs", &object));
  const Json::Object& members = object->object();
  if (members.size() > kMaxGraphs) {
    return BadModel("graphs", "has " + std::to_string(members.size()) + " graphs, too many");
  }
  Graphs graphs;
  for (const auto& [name, graph] : members) GLINT_TRY(ReadGraph(graph, name, &graphs[name]));
  return graphs;
}

}  // namespace glint
