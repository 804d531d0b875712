#include "codec/model/model_document.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

#include "codec/model/coding_check.h"
#include "codec/model/table_document.h"
#include "codec/model/transform_check.h"
#include "engine/json.h"
#include "engine/rate.h"

namespace glint {
namespace {

constexpr size_t kMaxSteps = 256;
constexpr size_t kMaxParts = 64;

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

// ---- Coding steps ------------------------------------------------------------------------------

// A name, or a list of points [row parity, column parity].
Status ReadPositions(ObjectReader* reader, const Json& part, PositionSet* out) {
  const Json* positions = part.Find("positions");
  if (positions == nullptr || positions->is_string()) {
    size_t index = 0;
    GLINT_TRY(reader->Choice("positions", {"all", "even", "odd"}, &index));
    constexpr PositionSet kSets[] = {kAllPositions, kEvenPositions, kOddPositions};
    *out = kSets[index];
    return Status::Ok();
  }
  const Json::Array* points = nullptr;
  GLINT_TRY(reader->Array("positions", 1, 4, &points));
  *out = kNoPositions;
  for (const Json& point : *points) {
    const bool is_point =
        point.is_array() && point.array().size() == 2 &&
        std::all_of(point.array().begin(), point.array().end(), [](const Json& parity) {
          return parity.is_number() && (parity.number() == 0 || parity.number() == 1);
        });
    if (!is_point) {
      return reader->Fail("positions has " + Quote(point.Dump()) + ", not a pair of 0 and 1");
    }
    const PositionSet position = PositionAt(static_cast<int64_t>(point.array()[0].number()),
                                            static_cast<int64_t>(point.array()[1].number()));
    if ((*out & position) != 0) return reader->Fail("positions has a pair twice");
    *out |= position;
  }
  return Status::Ok();
}

Status ReadParts(ObjectReader* reader, int channels, CodingStep* step) {
  const Json::Array* parts = nullptr;
  GLINT_TRY(reader->Array("parts", 1, kMaxParts, &parts));
  for (size_t i = 0; i < parts->size(); ++i) {
    ObjectReader part_reader((*parts)[i], reader->place() + ", part " + std::to_string(i));
    CodedPart part;
    GLINT_TRY(part_reader.Range("channels", channels, &part.channel_begin, &part.channel_end));
    GLINT_TRY(ReadPositions(&part_reader, (*parts)[i], &part.positions));
    GLINT_TRY(part_reader.Finish());
    step->parts.push_back(part);
  }
  return Status::Ok();
}

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
    if (object.at(key).is_string()) {
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

Status ReadDistribution(const Json& object, const std::string& place, const Graphs& graphs,
                        const ModelDocument& document, CodingStep* step) {
  ObjectReader reader(object, place + ", distribution");
  size_t kind = 0;
  GLINT_TRY(reader.Choice("kind", {"fixed", "scales", "means_and_scales"}, &kind));
  constexpr Distribution kKinds[] = {Distribution::kFixed, Distribution::kScales,
                                     Distribution::kMeansAndScales};
  step->distribution = kKinds[kind];
  GLINT_TRY(reader.Name("tables", &step->tables));
  if (document.coding.tables.count(step->tables) == 0) {
    return reader.Fail("there are no tables " + Quote(step->tables));
  }
  if (!step->has_graph()) return reader.Finish();
  GLINT_TRY(reader.Name("graph", &step->graph));
  const auto graph = graphs.find(step->graph);
  if (graph == graphs.end()) return reader.Fail("graph " + Quote(step->graph) + " does not exist");
  const Json* inputs = nullptr;
  GLINT_TRY(reader.Object("inputs", &inputs));
  GLINT_TRY(reader.Finish());
  return ReadStepInputs(*inputs, reader.place(), graph->second, document.latent_channels, step);
}

Status ReadStep(const Json& value, const std::string& place, const Graphs& graphs,
                const ModelDocument& document, CodingStep* step) {
  ObjectReader reader(value, place);
  size_t codes = 0;
  GLINT_TRY(reader.Choice("codes", {"z", "y"}, &codes));
  step->codes = codes == 0 ? Coded::kHyper : Coded::kLatents;
  const bool is_hyper = step->codes == Coded::kHyper;
  if (is_hyper && !document.has_hyper) return reader.Fail("codes z, but 'hyper' is missing");
  GLINT_TRY(
      ReadParts(&reader, is_hyper ? document.hyper_channels : document.latent_channels, step));
  if (reader.Has("order")) {
    size_t order = 0;
    GLINT_TRY(reader.Choice("order", {"rows", "wavefront"}, &order));
    step->order = order == 0 ? Order::kRows : Order::kWavefront;
  }
  GLINT_TRY(reader.Int("ahead", 0, 1024, &step->ahead));
  const Json* distribution = nullptr;
  GLINT_TRY(reader.Object("distribution", &distribution));
  GLINT_TRY(reader.Finish());
  return ReadDistribution(*distribution, place, graphs, document, step);
}

Status ReadCoding(const Json& object, const ModelFile& file, ModelDocument* document) {
  Coding& coding = document->coding;
  ObjectReader reader(object, "coding");
  GLINT_TRY(reader.Int("segment_rows", 1, 4096, &coding.segment_rows));
  const Json* tables = nullptr;
  GLINT_TRY(reader.Object("tables", &tables));
  GLINT_TRY(ReadTableSets(*tables, file.tensors(), &coding.tables));
  const Json::Array* steps = nullptr;
  GLINT_TRY(reader.Array("steps", 1, kMaxSteps, &steps));
  for (size_t i = 0; i < steps->size(); ++i) {
    CodingStep step;
    GLINT_TRY(
        ReadStep((*steps)[i], "coding step " + std::to_string(i), file.graphs(), *document, &step));
    coding.steps.push_back(std::move(step));
  }
  return reader.Finish();
}

// The first steps, up to the last that codes one of the first channels of y.
size_t StepsFor(int channels, const Coding& coding) {
  size_t steps = 0;
  for (size_t i = 0; i < coding.steps.size(); ++i) {
    if (coding.steps[i].codes != Coded::kLatents) continue;
    for (const CodedPart& part : coding.steps[i].parts) {
      if (part.channel_begin < channels) steps = i + 1;
    }
  }
  return steps;
}

Status ReadShrunk(const Json& object, const Graphs& graphs, ModelDocument* document) {
  ObjectReader reader(object, "shrunk");
  for (const int shrink : kShrinks) {
    const std::string key = std::to_string(shrink);
    if (!reader.Has(key.c_str())) continue;
    ShrunkGraph shrunk;
    GLINT_TRY(reader.Name(key.c_str(), &shrunk.graph));
    const auto graph = graphs.find(shrunk.graph);
    if (graph == graphs.end()) {
      return reader.Fail("graph " + Quote(shrunk.graph) + " does not exist");
    }
    // That it has one input is checked with the transforms.
    shrunk.steps = StepsFor(graph->second.inputs[0].channels, document->coding);
    document->shrunk[shrink] = std::move(shrunk);
  }
  return reader.Finish();
}

// ---- The rest ----------------------------------------------------------------------------------

Status ReadPicture(const Json& object, ModelDocument* document) {
  ObjectReader reader(object, "picture");
  GLINT_TRY(reader.Int("channels", 1, 4, &document->picture_channels));
  GLINT_TRY(ReadStride(&reader, 1024, &document->picture_stride));
  size_t padding = 0;
  GLINT_TRY(reader.Choice("padding", {"edge", "centred_zeros"}, &padding));
  document->padding = padding == 0 ? Padding::kEdge : Padding::kCentredZeros;
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
  document->has_hyper = true;
  GLINT_TRY(reader.Int("channels", 1, kMaxChannels, &document->hyper_channels));
  GLINT_TRY(ReadStride(&reader, 4096, &document->hyper_stride));
  return reader.Finish();
}

constexpr double kLeastRate = 1e-30, kMostRate = 1e30;
constexpr double kLeastLambda = 1e-9, kMostLambda = 1e6;

Status ReadFixedRate(ObjectReader* reader, RateControl* rate) {
  rate->map = RateControl::Map::kFixed;
  if (reader->Has("lambda")) {
    GLINT_TRY(reader->Number("lambda", &rate->lambda));
    if (!(rate->lambda > 0 && rate->lambda <= kMostLambda))
      return reader->Fail("lambda is not in 0..1e6");
  }
  return reader->Finish();
}

Status ReadRate(const Json& object, RateControl* rate) {
  ObjectReader reader(object, "rate");
  size_t parameter = 0, map = 0;
  GLINT_TRY(reader.Choice("parameter", {"lrd", "none"}, &parameter));
  if (parameter == 1) return ReadFixedRate(&reader, rate);
  GLINT_TRY(reader.Choice("map", {"log", "linear"}, &map));
  rate->map = map == 0 ? RateControl::Map::kLog : RateControl::Map::kLinear;
  GLINT_TRY(reader.Number("min", &rate->min));
  GLINT_TRY(reader.Number("max", &rate->max));
  GLINT_TRY(reader.Number("default", &rate->default_value));
  GLINT_TRY(reader.Numbers2("suggested", &rate->suggested_min, &rate->suggested_max));
  GLINT_TRY(reader.Number("lambda_per_lrd", &rate->lambda_per_lrd));
  if (!(rate->min > 0 && rate->min < rate->max)) return reader.Fail("not 0 < min < max");
  // Streams name their rate as a float32.
  if (!(rate->min >= kLeastRate && rate->max <= kMostRate &&
        static_cast<float>(rate->min) < static_cast<float>(rate->max))) {
    return reader.Fail("min and max are not two different float32 numbers in 1e-30..1e30");
  }
  if (!(rate->min <= rate->default_value && rate->default_value <= rate->max)) {
    return reader.Fail("default is not in min..max");
  }
  if (!(rate->min <= rate->suggested_min && rate->suggested_min <= rate->suggested_max &&
        rate->suggested_max <= rate->max)) {
    return reader.Fail("suggested is not a range in min..max");
  }
  if (!(rate->lambda_per_lrd > 0)) return reader.Fail("lambda_per_lrd is not positive");
  if (reader.Has("squared_error_share")) {
    GLINT_TRY(reader.Number("squared_error_share", &rate->squared_error_share));
    if (!(rate->squared_error_share >= 0.001 && rate->squared_error_share <= 1)) {
      return reader.Fail("squared_error_share is not in 0.001..1");
    }
  }
  if (!(rate->LambdaAt(rate->min) >= kLeastLambda && rate->LambdaAt(rate->max) <= kMostLambda)) {
    return reader.Fail("lambda_per_lrd times min and max is not in 1e-9..1e6");
  }
  return reader.Finish();
}

Status ReadHead(ObjectReader* reader, ModelDocument* document) {
  GLINT_TRY(ReadText(reader, "name", &document->name));
  GLINT_TRY(ReadText(reader, "architecture", &document->architecture));
  size_t form = 0;
  GLINT_TRY(reader->Choice("form", {"fp32", "fp16", "int16", "int8"}, &form));
  return reader->String("form", &document->form);
}

Result<ModelDocument> ReadDocument(const ModelFile& file) {
  GLINT_ASSIGN(const Json json, ParseJson(file.document_text(), "glint document"));
  ModelDocument document;
  ObjectReader reader(json, "glint document");
  // The engine has read these.
  for (const char* key : {"format", "graphs"}) reader.Skip(key);
  GLINT_TRY(ReadHead(&reader, &document));
  const Json* object = nullptr;
  GLINT_TRY(reader.Object("picture", &object));
  GLINT_TRY(ReadPicture(*object, &document));
  GLINT_TRY(reader.Object("latents", &object));
  GLINT_TRY(ReadLatents(*object, &document));
  if (reader.Has("hyper")) {
    GLINT_TRY(reader.Object("hyper", &object));
    GLINT_TRY(ReadHyper(*object, &document));
  }
  GLINT_TRY(reader.Object("rate", &object));
  GLINT_TRY(ReadRate(*object, &document.rate));
  GLINT_TRY(reader.Object("coding", &object));
  GLINT_TRY(ReadCoding(*object, file, &document));
  if (reader.Has("shrunk")) {
    GLINT_TRY(reader.Object("shrunk", &object));
    GLINT_TRY(ReadShrunk(*object, file.graphs(), &document));
  }
  GLINT_TRY(reader.Object("provenance", &object));
  document.provenance = object->DumpIndented();
  GLINT_TRY(reader.Finish());
  GLINT_TRY(CheckTransforms(document, file.graphs()));
  GLINT_TRY(CheckCoding(document, file.graphs()));
  return document;
}

}  // namespace

int CodingStep::channels() const {
  int sum = 0;
  for (const CodedPart& part : parts) sum += part.channels();
  return sum;
}

PositionSet CodingStep::positions() const {
  PositionSet all = kNoPositions;
  for (const CodedPart& part : parts) all |= part.positions;
  return all;
}

double RateToT(const RateControl& rate, double lrd) {
  const auto position = [&](double value, double low, double high) {
    return high > low ? 2.0 * (value - low) / (high - low) - 1.0 : 0.0;
  };
  if (rate.is_fixed()) return 0.0;
  if (rate.map == RateControl::Map::kLinear) return position(lrd, rate.min, rate.max);
  return position(ExactLog(lrd), ExactLog(rate.min), ExactLog(rate.max));
}

Result<ModelDocument> LoadDocument(const ModelFile& file) {
  auto document = ReadDocument(file);
  if (!document.ok()) return document.status().WithContext(file.name());
  return document;
}

}  // namespace glint
