#include "engine/document.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/half.h"
#include "engine/json.h"
#include "engine/op.h"
#include "engine/safetensors.h"

namespace glint {
namespace {

constexpr int kFormat = 1;
constexpr size_t kMaxNodes = 4096;
constexpr size_t kMaxSteps = 256;
constexpr int kMaxTables = 4096;
constexpr int64_t kCdfTotal = 65536;
constexpr size_t kMaxKnots = 64;

Status ReadText(ObjectReader* reader, const char* key, std::string* out) {
  GLINT_TRY(reader->String(key, out));
  bool good = !out->empty() && out->size() <= 128;
  for (const char c : *out) good = good && c >= 0x20 && c < 0x7f;
  if (good) return Status::Ok();
  return reader->Fail(std::string(key) + " is " + Quote(*out) +
                      ", not 1 to 128 printable ASCII characters");
}

Status ReadStride(ObjectReader* reader, int max, int* out) {
  GLINT_TRY(reader->Int("stride", 1, max, out));
  if (std::has_single_bit(static_cast<unsigned>(*out))) return Status::Ok();
  return reader->Fail("stride is " + std::to_string(*out) + ", not a power of two");
}

// ---- Graphs ------------------------------------------------------------------------------------

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

Status ReadSteps(ObjectReader* reader, std::vector<double>* out) {
  const Json* steps = nullptr;
  GLINT_TRY(reader->Array("steps", 1, kMaxKnots, &steps));
  for (const Json& step : *steps) {
    const double number = step.is_number() ? step.get<double>() : 0.0;
    if (!(number >= kLeastStep && number <= kMostStep)) {
      return reader->Fail("steps are not all numbers from 1e-12 to 1e12");
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
    out->max = static_cast<int>(kMostHalf);
    if (reader.Has("max")) GLINT_TRY(reader.Int("max", 1, static_cast<int>(kMostHalf), &out->max));
    return reader.Finish();
  }
  if (out->element == kernels::Element::kI16) {
    GLINT_TRY(reader.Int("max", 1, INT16_MAX, &out->max));
  } else {
    GLINT_TRY(reader.Int("zero", 0, 255, &out->zero));
  }
  const auto given = value.find("steps");
  out->dynamic = type == 0 && given != value.end() && given->is_string();
  if (out->dynamic) {
    size_t only = 0;
    GLINT_TRY(reader.Choice("steps", {"dynamic"}, &only));
  } else {
    GLINT_TRY(ReadSteps(&reader, &out->steps));
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
  const Json* inputs = nullptr;
  GLINT_TRY(reader.Array("inputs", 1, kMaxNodeInputs, &inputs));
  for (const Json& item : *inputs) {
    GraphInput input;
    ObjectReader input_reader(item, place + ", inputs");
    GLINT_TRY(input_reader.Name("name", &input.name));
    GLINT_TRY(input_reader.Int("channels", 1, kMaxChannels, &input.channels));
    GLINT_TRY(input_reader.Finish());
    graph->inputs.push_back(std::move(input));
  }
  std::vector<std::string> outputs;
  GLINT_TRY(reader.Names("outputs", 1, 1, &outputs));
  graph->output = outputs[0];
  const Json* nodes = nullptr;
  GLINT_TRY(reader.Array("nodes", 1, kMaxNodes, &nodes));
  for (size_t i = 0; i < nodes->size(); ++i) {
    Node node;
    GLINT_TRY(ReadNode((*nodes)[i], place + ", node " + std::to_string(i), &node));
    graph->nodes.push_back(std::move(node));
  }
  if (reader.Has("tensors")) {
    const Json* tensors = nullptr;
    GLINT_TRY(reader.Object("tensors", &tensors));
    for (const auto& item : tensors->items()) {
      if (!IsName(item.key())) return reader.Fail("tensors: " + Quote(item.key()) + " is no name");
      GLINT_TRY(ReadQuantisation(item.value(), place + ", tensor " + Quote(item.key()),
                                 &graph->quantised[item.key()]));
    }
  }
  return reader.Finish();
}

Status ReadGraphs(const Json& object, ModelDocument* document) {
  if (object.size() > kMaxSteps + 4) {
    return BadModel("graphs", "has " + std::to_string(object.size()) + " graphs, too many");
  }
  for (const auto& item : object.items()) {
    GLINT_TRY(ReadGraph(item.value(), item.key(), &document->graphs[item.key()]));
  }
  return Status::Ok();
}

// ---- Tables ------------------------------------------------------------------------------------

// The 1-D tensor that reader[key] names.
Status FindTable(ObjectReader* reader, const char* key, const TensorTable& tensors,
                 std::string* name, const TensorView** view) {
  GLINT_TRY(reader->Name(key, name));
  const auto found = tensors.find(*name);
  if (found == tensors.end()) {
    return reader->Fail(std::string(key) + " names tensor " + Quote(*name) +
                        ", which is not in the file");
  }
  *view = &found->second;
  if ((*view)->shape.size() == 1) return Status::Ok();
  return BadModel("tensor " + Quote(*name),
                  "has shape " + ShapeText(**view) + ", a list is wanted for " + key);
}

Status ReadIntegers(ObjectReader* reader, const char* key, const TensorTable& tensors,
                    std::string* name, std::vector<int32_t>* out) {
  const TensorView* view = nullptr;
  GLINT_TRY(FindTable(reader, key, tensors, name, &view));
  if (view->dtype != DType::kI32 && view->dtype != DType::kI16) {
    return BadModel("tensor " + Quote(*name), std::string("has dtype ") + NameOf(view->dtype) +
                                                  ", I32 or I16 is wanted for " + key);
  }
  out->resize(view->elements);
  for (size_t i = 0; i < view->elements; ++i) {
    if (view->dtype == DType::kI32) {
      std::memcpy(&(*out)[i], view->data + 4 * i, 4);
    } else {
      int16_t value = 0;
      std::memcpy(&value, view->data + 2 * i, 2);
      (*out)[i] = value;
    }
  }
  return Status::Ok();
}

// One table: cumulative counts 0 < ... < 65536 of at least one value and the escape.
Status CheckTable(const std::string& name, size_t index, const int32_t* cdf, size_t entries,
                  int64_t min) {
  const std::string place = "tensor " + Quote(name);
  const std::string table = "table " + std::to_string(index);
  if (entries < 3) {
    return BadModel(place,
                    table + " has " + std::to_string(entries) + " entries, at least 3 are needed");
  }
  if (cdf[0] != 0 || cdf[entries - 1] != kCdfTotal) {
    return BadModel(place, table + " runs from " + std::to_string(cdf[0]) + " to " +
                               std::to_string(cdf[entries - 1]) + ", not from 0 to 65536");
  }
  for (size_t i = 1; i < entries; ++i) {
    if (cdf[i] <= cdf[i - 1]) {
      return BadModel(place, table + " is not strictly increasing: entry " + std::to_string(i) +
                                 " is " + std::to_string(cdf[i]) + " after " +
                                 std::to_string(cdf[i - 1]));
    }
  }
  const int64_t max = min + static_cast<int64_t>(entries) - 3;  // without the escape
  if (min < INT16_MIN || max > INT16_MAX) {
    return BadModel(place, table + " covers the values " + std::to_string(min) + " to " +
                               std::to_string(max) + ", which are not all 16-bit");
  }
  return Status::Ok();
}

Status ReadTables(ObjectReader* reader, const TensorTable& tensors, CdfTables* out) {
  std::vector<int32_t> cdf, start;
  std::string cdf_name, start_name, min_name;
  GLINT_TRY(ReadIntegers(reader, "cdf", tensors, &cdf_name, &cdf));
  GLINT_TRY(ReadIntegers(reader, "cdf_start", tensors, &start_name, &start));
  GLINT_TRY(ReadIntegers(reader, "cdf_min", tensors, &min_name, &out->min));
  const size_t tables = out->min.size();
  if (tables < 1 || tables > kMaxTables) {
    return BadModel("tensor " + Quote(min_name),
                    "has " + std::to_string(tables) + " tables, 1 to 4096 are allowed");
  }
  const std::string start_place = "tensor " + Quote(start_name);
  if (start.size() != tables + 1) {
    return BadModel(start_place, "has " + std::to_string(start.size()) + " entries, " +
                                     std::to_string(tables + 1) + " are wanted");
  }
  if (start[0] != 0 || static_cast<size_t>(start[tables]) != cdf.size()) {
    return BadModel(start_place, "runs from " + std::to_string(start[0]) + " to " +
                                     std::to_string(start[tables]) + ", not from 0 to " +
                                     std::to_string(cdf.size()));
  }
  for (size_t i = 0; i < tables; ++i) {
    if (start[i + 1] <= start[i]) {
      return BadModel(start_place, "is not strictly increasing at table " + std::to_string(i));
    }
  }
  // Only now: ascending between 0 and the size of cdf, so every table lies inside it.
  for (size_t i = 0; i < tables; ++i) {
    GLINT_TRY(CheckTable(cdf_name, i, cdf.data() + start[i],
                         static_cast<size_t>(start[i + 1] - start[i]), out->min[i]));
  }
  out->cdf.assign(cdf.begin(), cdf.end());
  out->start.assign(start.begin(), start.end());
  return Status::Ok();
}

Status ReadThresholds(ObjectReader* reader, const TensorTable& tensors, size_t tables,
                      std::vector<float>* out) {
  std::string name;
  const TensorView* view = nullptr;
  GLINT_TRY(FindTable(reader, "thresholds", tensors, &name, &view));
  const std::string place = "tensor " + Quote(name);
  if (view->dtype != DType::kF32) {
    return BadModel(
        place, std::string("has dtype ") + NameOf(view->dtype) + ", F32 is wanted for thresholds");
  }
  if (view->elements != tables - 1) {
    return BadModel(place, "has " + std::to_string(view->elements) + " thresholds for " +
                               std::to_string(tables) + " tables");
  }
  out->resize(view->elements);
  if (!out->empty()) std::memcpy(out->data(), view->data, out->size() * sizeof(float));
  for (size_t i = 0; i < out->size(); ++i) {
    if (!std::isfinite((*out)[i])) {
      return BadModel(place, "entry " + std::to_string(i) + " is not finite");
    }
    if (i > 0 && !((*out)[i] > (*out)[i - 1])) {
      return BadModel(place, "is not ascending at entry " + std::to_string(i));
    }
  }
  return Status::Ok();
}

// ---- Coding ------------------------------------------------------------------------------------

Status ReadStepInputs(const Json& object, const std::string& place, const Graph& graph,
                      int latent_channels, CodingStep* step) {
  ObjectReader reader(object, place + ", inputs");
  for (const GraphInput& graph_input : graph.inputs) {
    StepInput input;
    input.name = graph_input.name;
    const char* key = graph_input.name.c_str();
    if (!reader.Has(key)) {
      return reader.Fail("nothing for input " + Quote(key) + " of graph " + Quote(graph.name));
    }
    if (object[key].is_string()) {
      size_t psi = 0;
      GLINT_TRY(reader.Choice(key, {"psi"}, &psi));
      input.is_psi = true;
    } else {
      GLINT_TRY(reader.Range(key, latent_channels, &input.channel_begin, &input.channel_end));
    }
    step->inputs.push_back(std::move(input));
  }
  return reader.Finish();
}

Status ReadStep(const Json& value, const std::string& place, const ModelDocument& document,
                CodingStep* step) {
  ObjectReader reader(value, place);
  GLINT_TRY(reader.Name("graph", &step->graph));
  const auto graph = document.graphs.find(step->graph);
  if (graph == document.graphs.end()) {
    return reader.Fail("graph " + Quote(step->graph) + " does not exist");
  }
  GLINT_TRY(
      reader.Range("channels", document.latent_channels, &step->channel_begin, &step->channel_end));
  size_t parity = 0;
  GLINT_TRY(reader.Choice("parity", {"all", "even", "odd"}, &parity));
  step->parity = parity == 0 ? Parity::kAll : parity == 1 ? Parity::kEven : Parity::kOdd;
  GLINT_TRY(reader.Int("ahead", 0, 1024, &step->ahead));
  const Json* inputs = nullptr;
  GLINT_TRY(reader.Object("inputs", &inputs));
  GLINT_TRY(reader.Finish());
  return ReadStepInputs(*inputs, place, graph->second, document.latent_channels, step);
}

Status ReadCoding(const Json& object, const TensorTable& tensors, ModelDocument* document) {
  Coding& coding = document->coding;
  ObjectReader reader(object, "coding");
  GLINT_TRY(reader.Int("segment_rows", 1, 4096, &coding.segment_rows));

  const Json* hyper = nullptr;
  GLINT_TRY(reader.Object("hyper", &hyper));
  ObjectReader hyper_reader(*hyper, "coding, hyper");
  GLINT_TRY(hyper_reader.Int("ahead", 0, 1024, &coding.hyper_ahead));
  GLINT_TRY(ReadTables(&hyper_reader, tensors, &coding.z));
  GLINT_TRY(hyper_reader.Finish());
  if (coding.z.count() != static_cast<size_t>(document->hyper_channels)) {
    return hyper_reader.Fail(std::to_string(coding.z.count()) + " tables for " +
                             std::to_string(document->hyper_channels) + " channels");
  }

  const Json* gaussian = nullptr;
  GLINT_TRY(reader.Object("gaussian", &gaussian));
  ObjectReader gaussian_reader(*gaussian, "coding, gaussian");
  GLINT_TRY(ReadTables(&gaussian_reader, tensors, &coding.y));
  GLINT_TRY(ReadThresholds(&gaussian_reader, tensors, coding.y.count(), &coding.thresholds));
  GLINT_TRY(gaussian_reader.Finish());

  const Json* steps = nullptr;
  GLINT_TRY(reader.Array("steps", 1, kMaxSteps, &steps));
  for (size_t i = 0; i < steps->size(); ++i) {
    CodingStep step;
    GLINT_TRY(ReadStep((*steps)[i], "coding step " + std::to_string(i), *document, &step));
    coding.steps.push_back(std::move(step));
  }
  return reader.Finish();
}

// ---- The rest ----------------------------------------------------------------------------------

Status ReadPicture(const Json& object, ModelDocument* document) {
  ObjectReader reader(object, "picture");
  GLINT_TRY(reader.Int("channels", 1, 4, &document->picture_channels));
  GLINT_TRY(ReadStride(&reader, 1024, &document->picture_stride));
  size_t padding = 0;
  GLINT_TRY(reader.Choice("padding", {"edge"}, &padding));
  double offset = 0;
  GLINT_TRY(reader.Number("offset", &offset));
  if (!(offset >= -1 && offset <= 1)) return reader.Fail("offset is not in -1..1");
  document->picture_offset = static_cast<float>(offset);
  return reader.Finish();
}

Status ReadLatents(const Json& object, ModelDocument* document) {
  ObjectReader reader(object, "latents");
  GLINT_TRY(reader.Int("channels", 1, kMaxChannels, &document->latent_channels));
  GLINT_TRY(ReadStride(&reader, 1024, &document->latent_stride));
  GLINT_TRY(reader.Int("fraction_bits", 0, 8, &document->fraction_bits));
  return reader.Finish();
}

Status ReadHyper(const Json& object, ModelDocument* document) {
  ObjectReader reader(object, "hyper");
  GLINT_TRY(reader.Int("channels", 1, kMaxChannels, &document->hyper_channels));
  GLINT_TRY(ReadStride(&reader, 4096, &document->hyper_stride));
  return reader.Finish();
}

Status ReadRate(const Json& object, RateControl* rate) {
  ObjectReader reader(object, "rate");
  size_t only = 0;
  GLINT_TRY(reader.Choice("parameter", {"lrd"}, &only));
  GLINT_TRY(reader.Choice("map", {"log"}, &only));
  GLINT_TRY(reader.Number("min", &rate->min));
  GLINT_TRY(reader.Number("max", &rate->max));
  GLINT_TRY(reader.Number("default", &rate->default_value));
  GLINT_TRY(reader.Numbers2("suggested", &rate->suggested_min, &rate->suggested_max));
  GLINT_TRY(reader.Number("lambda_per_lrd", &rate->lambda_per_lrd));
  if (!(rate->min > 0 && rate->min < rate->max)) return reader.Fail("not 0 < min < max");
  if (!(rate->min <= rate->default_value && rate->default_value <= rate->max)) {
    return reader.Fail("default is not in min..max");
  }
  if (!(rate->min <= rate->suggested_min && rate->suggested_min <= rate->suggested_max &&
        rate->suggested_max <= rate->max)) {
    return reader.Fail("suggested is not a range in min..max");
  }
  if (!(rate->lambda_per_lrd > 0)) return reader.Fail("lambda_per_lrd is not positive");
  return reader.Finish();
}

Status ReadHead(ObjectReader* reader, ModelDocument* document) {
  GLINT_TRY(reader->Int("format", INT32_MIN, INT32_MAX, &document->format));
  if (document->format != kFormat) {
    return reader->Fail("format is " + std::to_string(document->format) +
                        ", this program reads format " + std::to_string(kFormat));
  }
  GLINT_TRY(ReadText(reader, "name", &document->name));
  GLINT_TRY(ReadText(reader, "architecture", &document->architecture));
  size_t form = 0;
  GLINT_TRY(reader->Choice("form", {"fp32", "fp16", "int16", "int8"}, &form));
  return reader->String("form", &document->form);
}

}  // namespace

Result<ModelDocument> ParseDocument(std::string_view text, const TensorTable& tensors) {
  GLINT_ASSIGN(const Json json, ParseJson(text, "glint document"));
  ModelDocument document;
  ObjectReader reader(json, "glint document");
  GLINT_TRY(ReadHead(&reader, &document));
  const std::pair<const char*, Status (*)(const Json&, ModelDocument*)> parts[] = {
      {"picture", ReadPicture},
      {"latents", ReadLatents},
      {"hyper", ReadHyper},
      {"graphs", ReadGraphs}};
  const Json* object = nullptr;
  for (const auto& [key, read] : parts) {
    GLINT_TRY(reader.Object(key, &object));
    GLINT_TRY(read(*object, &document));
  }
  GLINT_TRY(reader.Object("rate", &object));
  GLINT_TRY(ReadRate(*object, &document.rate));
  GLINT_TRY(reader.Object("coding", &object));
  GLINT_TRY(ReadCoding(*object, tensors, &document));
  GLINT_TRY(reader.Object("provenance", &object));
  document.provenance = object->dump(2, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  GLINT_TRY(reader.Finish());
  return document;
}

}  // namespace glint
