#include "bench/codecs/report.h"

#include "glint/glint.hpp"
#include "tools/common/machine.h"
#include "tools/common/table.h"
#include "tools/common/text.h"
#include "tools/evaluation/comparison.h"

namespace glint::bench {
namespace {

using tools::Fixed;
using tools::Json;
using tools::Shortest;
using tools::Table;
using Align = Table::Align;

std::string Speed(double mps) { return Fixed(mps, mps < 10 ? 2 : 1); }

std::string Name(const CodecCurve& curve) { return tools::Printable(curve.name); }

std::string MsSsim(const SettingMeans& means, const char* otherwise) {
  return means.ms_ssim ? Fixed(*means.ms_ssim, 5) : otherwise;
}

std::string SettingsTable(const std::vector<CodecCurve>& curves) {
  std::vector<Table::Cells> rows;
  for (const CodecCurve& curve : curves) {
    for (const SettingMeans& means : curve.settings) {
      rows.push_back({Name(curve), Shortest(means.setting), Fixed(means.bpp, 4),
                      Fixed(means.psnr, 3), MsSsim(means, "-"), Speed(means.encode_mps),
                      Speed(means.decode_mps)});
    }
  }
  return tools::FormatTable({{"codec", Align::kLeft},
                             {"setting"},
                             {"bpp"},
                             {"PSNR dB"},
                             {"MS-SSIM"},
                             {"encode MP/s"},
                             {"decode MP/s"}},
                            rows);
}

std::string PsnrTable(const std::vector<CodecCurve>& curves, const std::vector<double>& at) {
  std::vector<Table::Column> columns = {{"codec", Align::kLeft}};
  for (const double psnr : at) {
    columns.push_back({"bpp at " + Shortest(psnr) + " dB"});
    columns.push_back({"encode MP/s"});
    columns.push_back({"decode MP/s"});
  }
  std::vector<Table::Cells> rows;
  for (const CodecCurve& curve : curves) {
    Table::Cells cells = {Name(curve)};
    for (const double psnr : at) {
      const std::optional<SettingMeans> means = AtPsnr(curve, psnr);
      cells.push_back(means ? Fixed(means->bpp, 3) : "-");
      cells.push_back(means ? Speed(means->encode_mps) : "-");
      cells.push_back(means ? Speed(means->decode_mps) : "-");
    }
    rows.push_back(cells);
  }
  return tools::FormatTable(columns, rows);
}

// The first against every other.
std::string BdRates(const std::vector<CodecCurve>& curves) {
  const tools::QualityCurve first = QualityCurveOf(curves.front());
  std::vector<tools::CurveComparison> comparisons;
  for (size_t i = 1; i < curves.size(); ++i) {
    const tools::QualityCurve other = QualityCurveOf(curves[i]);
    comparisons.push_back(
        {first.name, other.name, PsnrBdRate(other, first), MsSsimBdRate(other, first)});
  }
  return CurvesText(comparisons);
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string CodecsText(const std::vector<CodecCurve>& curves, const std::vector<double>& at) {
  std::string text;
  for (const CodecCurve& curve : curves) text += Name(curve) + ": " + curve.version + "\n";
  text += "\n" + SettingsTable(curves);
  if (!at.empty()) text += "\n" + PsnrTable(curves, at);
  if (curves.size() > 1) text += "\n" + BdRates(curves);
  return text;
}

std::string CodecsCsv(const std::vector<CodecCurve>& curves) {
  std::string text = "codec,version,setting,bpp,psnr_rgb,ms_ssim_rgb,encode_mps,decode_mps\n";
  for (const CodecCurve& curve : curves) {
    for (const SettingMeans& means : curve.settings) {
      text += Quoted(curve.name) + "," + Quoted(curve.version) + "," + Shortest(means.setting) +
              "," + Fixed(means.bpp, 6) + "," + Fixed(means.psnr, 5) + "," + MsSsim(means, "") +
              "," + Fixed(means.encode_mps, 4) + "," + Fixed(means.decode_mps, 4) + "\n";
    }
  }
  return text;
}

Json CodecsJson(const std::vector<CodecCurve>& curves) {
  Json models = Json::array();
  for (const CodecCurve& curve : curves) {
    Json results = {{"setting", Json::array()},    {"bpp", Json::array()},
                    {"psnr-rgb", Json::array()},   {"ms-ssim-rgb", Json::array()},
                    {"encode_mps", Json::array()}, {"decode_mps", Json::array()}};
    for (const SettingMeans& means : curve.settings) {
      results["setting"].push_back(means.setting);
      results["bpp"].push_back(means.bpp);
      results["psnr-rgb"].push_back(tools::Finite(means.psnr));
      results["ms-ssim-rgb"].push_back(means.ms_ssim ? Json(*means.ms_ssim) : Json(nullptr));
      results["encode_mps"].push_back(means.encode_mps);
      results["decode_mps"].push_back(means.decode_mps);
    }
    models.push_back({{"name", curve.name}, {"version", curve.version}, {"results", results}});
  }
  return Json{{"machine", tools::CpuName()},
              {"target", CurrentTarget()},
              {"threads", 1},
              {"models", std::move(models)}};
}

}  // namespace glint::bench
