#include "tools/evaluation/measurement_json.h"

#include <limits>
#include <string>

namespace glint::tools {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A member of StageTimes and what JSON calls it.
struct NamedStage {
  const char* name;
  double StageTimes::*seconds;
};
constexpr NamedStage kStages[] = {
    {"analysis", &StageTimes::analysis},   {"hyper", &StageTimes::hyper},
    {"context", &StageTimes::context},     {"entropy", &StageTimes::entropy},
    {"synthesis", &StageTimes::synthesis}, {"detail", &StageTimes::detail},
    {"effort", &StageTimes::effort}};

Json DirectionJson(const StageTimes& times) {
  Json json;
  for (const NamedStage& stage : kStages) json[stage.name] = times.*stage.seconds;
  json["total"] = times.total;
  return json;
}

// The stages over both directions, and each direction by itself.
Json StagesJson(const StageTimes& encoding, const StageTimes& decoding) {
  Json json;
  for (const NamedStage& stage : kStages) {
    json[stage.name] = encoding.*stage.seconds + decoding.*stage.seconds;
  }
  json["encoding"] = DirectionJson(encoding);
  json["decoding"] = DirectionJson(decoding);
  return json;
}

StageTimes ReadDirection(const JsonFields& fields) {
  StageTimes times;
  for (const NamedStage& stage : kStages) times.*stage.seconds = fields.Real(stage.name);
  times.total = fields.Real("total");
  return times;
}

Json DetailJson(const Measurement& m) {
  return Json{{"bytes", m.detail.bytes},
              {"blocks", m.detail.blocks},
              {"transform_blocks", m.detail.transform_blocks},
              {"pixel_blocks", m.detail.pixel_blocks},
              {"plain_blocks", m.detail.plain_blocks},
              {"base_psnr", FiniteOrNull(m.base_psnr)},
              {"repaired_psnr", FiniteOrNull(m.repaired_psnr)}};
}

void ReadDetail(const JsonFields& fields, Measurement* m) {
  m->detail.bytes = fields.Whole("bytes");
  m->detail.blocks = fields.Whole("blocks");
  m->detail.transform_blocks = fields.Whole("transform_blocks");
  m->detail.pixel_blocks = fields.Whole("pixel_blocks");
  m->detail.plain_blocks = fields.Whole("plain_blocks");
  const std::optional<double> base = fields.RealOrNull("base_psnr");
  const std::optional<double> repaired = fields.RealOrNull("repaired_psnr");
  if (!base && !repaired) return;
  m->base_psnr = base.value_or(kInfinity);
  m->repaired_psnr = repaired.value_or(kInfinity);
}

}  // namespace

Json FiniteOrNull(const std::optional<double>& value) {
  return value ? Finite(*value) : Json(nullptr);
}

Json LrdJson(double lrd) { return lrd == 0 ? Json(nullptr) : Json(lrd); }

Json MeasurementJson(const Measurement& m) {
  return Json{{"name", m.name},
              {"source", m.source},
              {"picture", m.picture},
              {"rate", m.point},
              {"lrd", LrdJson(m.lrd)},
              {"width", m.width},
              {"height", m.height},
              {"bytes", m.bytes},
              {"bpp", m.bpp},
              {"estimated_bpp", m.estimated_bpp},
              {"saturated_latents", m.saturated_latents},
              {"detail", DetailJson(m)},
              {"psnr-rgb", Finite(m.psnr)},
              {"ms-ssim-rgb", FiniteOrNull(m.ms_ssim)},
              {"encoding_time", m.encoding_time},
              {"decoding_time", m.decoding_time},
              {"stages", StagesJson(m.encoding_stages, m.decoding_stages)}};
}

Measurement ReadMeasurement(const JsonFields& fields) {
  constexpr uint64_t kMostSide = std::numeric_limits<uint32_t>::max();
  Measurement m;
  m.name = fields.Text("name");
  m.source = fields.Text("source");
  m.picture = fields.Whole("picture");
  m.point = fields.Whole("rate");
  m.lrd = fields.RealOrNull("lrd").value_or(0);
  m.width = static_cast<uint32_t>(fields.Whole("width", kMostSide));
  m.height = static_cast<uint32_t>(fields.Whole("height", kMostSide));
  m.bytes = fields.Whole("bytes");
  m.bpp = fields.Real("bpp");
  m.estimated_bpp = fields.Real("estimated_bpp");
  m.saturated_latents = fields.Whole("saturated_latents");
  ReadDetail(fields.Object("detail"), &m);
  m.psnr = fields.RealOrNull("psnr-rgb").value_or(kInfinity);
  m.ms_ssim = fields.RealOrNull("ms-ssim-rgb");
  m.encoding_time = fields.Real("encoding_time");
  m.decoding_time = fields.Real("decoding_time");
  const JsonFields stages = fields.Object("stages");
  m.encoding_stages = ReadDirection(stages.Object("encoding"));
  m.decoding_stages = ReadDirection(stages.Object("decoding"));
  return m;
}

}  // namespace glint::tools
