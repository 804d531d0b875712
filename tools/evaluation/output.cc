#include "tools/evaluation/output.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "tools/common/text.h"
#include "tools/evaluation/measurement_json.h"

namespace glint::tools {
namespace {

using Align = Table::Align;

std::string MsSsimText(const std::optional<double>& value, const char* otherwise) {
  return value ? Fixed(*value, 4) : otherwise;
}

// What the call did outside of the stages: reading pixels, container, waiting.
double Other(const StageTimes& t) {
  return std::max(0.0, t.total - t.analysis - t.hyper - t.context - t.entropy - t.synthesis -
                           t.detail - t.effort);
}

std::vector<Table::Column> PictureColumns(bool names_models) {
  std::vector<Table::Column> columns = {
      {"picture", Align::kLeft},    {"size", Align::kRight, 9},  {"PSNR dB", Align::kRight},
      {"MS-SSIM", Align::kRight},   {"bytes", Align::kRight, 9}, {"bpp", Align::kRight, 6},
      {"estimated", Align::kRight}, {"encode s", Align::kRight}, {"decode s", Align::kRight}};
  if (names_models) columns.insert(columns.begin() + 1, {"model", Align::kLeft});
  return columns;
}

Table::Cells MeansCells(const Means& means) {
  return {Fixed(means.psnr, 2),
          MsSsimText(means.ms_ssim, "-"),
          Grouped(static_cast<uint64_t>(std::llround(means.bytes))),
          Fixed(means.bpp, 3),
          Fixed(means.estimated_bpp, 3),
          Fixed(means.encoding_time, 3),
          Fixed(means.decoding_time, 3)};
}

Table::Cells StageRow(const std::string& name, const std::string& direction, const StageTimes& t) {
  const auto seconds = [](double value) { return value > 0 ? Fixed(value, 4) : std::string("-"); };
  return {Printable(name),    direction,          seconds(t.analysis),  seconds(t.hyper),
          seconds(t.context), seconds(t.entropy), seconds(t.synthesis), seconds(t.detail),
          seconds(t.effort),  seconds(Other(t)),  seconds(t.total)};
}

// ---- JSON --------------------------------------------------------------------------------------

Json ResultsJson(const std::vector<Means>& rates) {
  Json results = {{"lrd", Json::array()},           {"psnr-rgb", Json::array()},
                  {"ms-ssim-rgb", Json::array()},   {"bpp", Json::array()},
                  {"estimated_bpp", Json::array()}, {"encoding_time", Json::array()},
                  {"decoding_time", Json::array()}};
  for (const Means& means : rates) {
    results["lrd"].push_back(LrdJson(means.lrd));
    results["psnr-rgb"].push_back(Finite(means.psnr));
    results["ms-ssim-rgb"].push_back(FiniteOrNull(means.ms_ssim));
    results["bpp"].push_back(means.bpp);
    results["estimated_bpp"].push_back(means.estimated_bpp);
    results["encoding_time"].push_back(means.encoding_time);
    results["decoding_time"].push_back(means.decoding_time);
  }
  return results;
}

}  // namespace

PictureTable::PictureTable(const std::vector<std::string>& pictures,
                           const std::vector<std::string>& models)
    : names_models_(models.size() > 1), table_(PictureColumns(names_models_)) {
  for (const std::string& picture : pictures) table_.Fit({Printable(picture)});
  for (const std::string& model : models) {
    if (names_models_) table_.Fit({"", Printable(model)});
  }
}

std::string PictureTable::Row(const std::string& name, const std::string& model,
                              Table::Cells cells) const {
  if (names_models_) cells.insert(cells.begin(), Printable(model));
  cells.insert(cells.begin(), Printable(name));
  return table_.Row(cells);
}

std::string PictureTable::Row(const std::string& model, const Measurement& m) const {
  return Row(m.name, model,
             {std::to_string(m.width) + "x" + std::to_string(m.height), Fixed(m.psnr, 2),
              MsSsimText(m.ms_ssim, "small"), Grouped(m.bytes), Fixed(m.bpp, 3),
              Fixed(m.estimated_bpp, 3), Fixed(m.encoding_time, 3), Fixed(m.decoding_time, 3)});
}

std::string PictureTable::Row(const std::string& model, const Means& means) const {
  Table::Cells cells = MeansCells(means);
  cells.insert(cells.begin(), "");  // no size
  return Row("mean of " + Grouped(means.pictures), model, std::move(cells));
}

std::string RateTable(const std::string& title, const std::vector<Means>& rates) {
  std::vector<Table::Cells> rows;
  for (const Means& means : rates) {
    Table::Cells row = MeansCells(means);
    row.insert(row.begin(), Printable(means.rate));
    rows.push_back(row);
  }
  return FormatTable({{title, Align::kLeft},
                      {"PSNR dB"},
                      {"MS-SSIM"},
                      {"bytes"},
                      {"bpp"},
                      {"estimated"},
                      {"encode s"},
                      {"decode s"}},
                     rows);
}

std::string StageTable(const std::string& title, const std::vector<NamedMeans>& means) {
  std::vector<Table::Column> columns = {{title, Align::kLeft},
                                        {"seconds", Align::kLeft},
                                        {"analysis"},
                                        {"hyper"},
                                        {"context"},
                                        {"entropy"},
                                        {"synthesis"},
                                        {"detail"},
                                        {"effort"},
                                        {"other"},
                                        {"total"}};
  constexpr std::ptrdiff_t kEffortColumn = 8;
  std::vector<Table::Cells> rows;
  for (const auto& [name, m] : means) {
    rows.push_back(StageRow(name, "encode", m.encoding_stages));
    rows.push_back(StageRow(name, "decode", m.decoding_stages));
  }
  const bool any = std::any_of(means.begin(), means.end(), [](const NamedMeans& named) {
    return named.second.encoding_stages.effort > 0;
  });
  if (!any) {
    columns.erase(columns.begin() + kEffortColumn);
    for (Table::Cells& row : rows) row.erase(row.begin() + kEffortColumn);
  }
  return FormatTable(columns, rows);
}

std::string DetailTable(const std::string& title, const std::vector<NamedMeans>& means) {
  const auto psnr = [](const std::optional<double>& value) {
    return value ? Fixed(*value, 2) : std::string("-");
  };
  std::vector<Table::Cells> rows;
  for (const auto& [name, m] : means) {
    const double all = m.bytes * static_cast<double>(m.pictures);
    const double share = all > 0 ? static_cast<double>(m.detail.bytes) / all : 0;
    rows.push_back({Printable(name), Grouped(m.detail.blocks), Grouped(m.detail.transform_blocks),
                    Grouped(m.detail.pixel_blocks), Grouped(m.detail.plain_blocks),
                    Fixed(100 * share, 1) + " %", psnr(m.base_psnr), psnr(m.repaired_psnr)});
  }
  return FormatTable({{title, Align::kLeft},
                      {"blocks"},
                      {"transforms"},
                      {"pixels"},
                      {"unseen"},
                      {"of bytes"},
                      {"PSNR before"},
                      {"after"}},
                     rows);
}

Json FailureJson(const Failure& failure) {
  Json measured = Json::array();
  for (const Measurement& m : failure.measured) measured.push_back(MeasurementJson(m));
  return Json{{"source", failure.source},
              {"message", failure.message},
              {"picture", failure.picture},
              {"rate", failure.point},
              {"measured", measured}};
}

Json EvaluationJson(const Evaluation& evaluation) {
  Json images = Json::array();
  for (const Measurement& m : evaluation.measurements) images.push_back(MeasurementJson(m));
  Json failures = Json::array();
  for (const Failure& failure : evaluation.failures) failures.push_back(FailureJson(failure));
  const ModelInfo& model = evaluation.model;
  Json results = ResultsJson(evaluation.rates);
  Json family = Json::array();
  if (evaluation.paths.size() > 1) {
    for (const Means& means : evaluation.rates) results["model"].push_back(means.rate);
    for (const std::string& path : evaluation.paths) family.push_back(path);
  }
  return Json{{"name", "glint-" + model.name + "-" + Lower(evaluation.label)},
              {"description", std::string("Glint ") + Version() +
                                  ", whole streams, PSNR and MS-SSIM "
                                  "over 8-bit RGB"},
              {"detail", evaluation.detail},
              {"effort", evaluation.effort},
              {"results", results},
              {"images", images},
              {"failures", failures},
              {"model",
               {{"name", model.name},
                {"type", evaluation.type},
                {"file", evaluation.paths.front()},
                {"family", family},
                {"id", model.id},
                {"bytes", evaluation.file_bytes},
                {"load_time", model.load_seconds}}},
              {"machine",
               {{"cpu", evaluation.machine.cpu},
                {"target", evaluation.machine.target},
                {"threads", evaluation.machine.threads},
                {"peak_rss_mib", evaluation.machine.peak_rss_mib}}}};
}

}  // namespace glint::tools
