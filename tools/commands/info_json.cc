#include "tools/commands/info_json.h"

#include "tools/commands/info_text.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

Json PictureJson(const PictureInfo& picture) {
  return Json{{"width", picture.width},
              {"height", picture.height},
              {"channels", picture.channels},
              {"alpha", picture.has_alpha},
              {"bit_depth", picture.bit_depth}};
}

Json MetadataJson(const Metadata& metadata) {
  Json chunks = Json::array();
  for (const auto& [type, content] : metadata.chunks) {
    chunks.push_back(Json{{"type", type}, {"bytes", content.size()}});
  }
  return Json{
      {"icc_bytes", metadata.icc.size()}, {"exif_bytes", metadata.exif.size()}, {"chunks", chunks}};
}

// The provenance stands in the model file as JSON; if it is no JSON, as the text that it is.
Json ProvenanceJson(const std::string& text) {
  if (text.empty()) return nullptr;
  Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

Json RatesJson(const ModelInfo& model) {
  if (model.has_fixed_rate()) return nullptr;
  return Json{{"min", model.lrd_min},
              {"max", model.lrd_max},
              {"default", model.lrd_default},
              {"suggested_min", model.lrd_suggested_min},
              {"suggested_max", model.lrd_suggested_max}};
}

Json DetailRatesJson(const ModelInfo& model) {
  return Json{{"min", model.detail_lrd_min},
              {"max", model.detail_lrd_max},
              {"default", model.detail_lrd_default}};
}

}  // namespace

Json ModelJson(const ModelInfo& model) {
  return Json{{"kind", "model"},
              {"name", model.name},
              {"form", model.form},
              {"architecture", model.architecture},
              {"id", model.id},
              {"bytes", model.file_bytes},
              {"parameters", model.parameters},
              {"load_time", model.load_seconds},
              {"lrd", RatesJson(model)},
              {"detail_lrd", DetailRatesJson(model)},
              {"shrinks", model.shrinks},
              {"provenance", ProvenanceJson(model.provenance)}};
}

Json PictureFileJson(const PictureFacts& facts) {
  const double pixels = static_cast<double>(facts.info.width) * facts.info.height;
  return Json{{"kind", "picture"},
              {"format", facts.format},
              {"bytes", facts.bytes},
              {"bpp", 8 * static_cast<double>(facts.bytes) / pixels},
              {"picture", PictureJson(facts.info)},
              {"metadata", MetadataJson(facts.metadata)},
              {"warnings", facts.warnings}};
}

Json OtherFileJson(const FileFormat& format) {
  return Json{{"kind", "other"}, {"format", format.name}, {"advice", format.advice}};
}

Json StreamJson(const StreamInfo& stream) {
  Json chunks = Json::array();
  for (const StreamInfo::Chunk& chunk : stream.chunks) {
    chunks.push_back(Json{
        {"type", std::string(1, chunk.type)}, {"offset", chunk.offset}, {"bytes", chunk.bytes}});
  }
  Json damaged = Json::array();
  for (const RowRange& rows : stream.damaged_rows) {
    damaged.push_back(Json{{"begin", rows.begin}, {"end", rows.end}});
  }
  const double pixels = static_cast<double>(stream.source.width) * stream.source.height;
  return Json{{"kind", "stream"},
              {"bytes", stream.bytes},
              {"bpp", pixels > 0 ? 8 * static_cast<double>(stream.bytes) / pixels : 0.0},
              {"model_id", stream.model_id},
              {"lrd", stream.lrd == 0 ? Json(nullptr) : Json(NearFloat(stream.lrd))},
              {"detail", stream.detail},
              {"detail_bytes", DetailBytes(stream)},
              {"damaged_detail_rows", damaged},
              {"source", PictureJson(stream.source)},
              {"coded_as_gray", stream.gray},
              {"output", PictureJson(stream.output)},
              {"metadata", MetadataJson(stream.metadata)},
              {"chunks", chunks}};
}

}  // namespace glint::tools
