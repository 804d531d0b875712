#include "tools/evaluation/curves.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "tools/common/console.h"
#include "tools/evaluation/json_input.h"

namespace glint::tools {
namespace {

constexpr uint64_t kMostBytes = uint64_t{64} << 20;

Error BadCurve(const std::string& name, const std::string& reason) {
  return MakeError(ErrorCode::kInvalidArgument, (name.empty() ? "" : name + ": ") + reason);
}

// The numbers of a list, null being infinity; nothing where there is no such list.
Expected<std::vector<double>> Numbers(const Json& results, const char* key) {
  std::vector<double> numbers;
  const auto list = results.find(key);
  if (list == results.end()) return numbers;
  if (!list->is_array()) return BadCurve(key, "is not a list");
  for (const Json& number : *list) {
    if (!number.is_number() && !number.is_null()) return BadCurve(key, "holds what is no number");
    numbers.push_back(number.is_number() ? number.get<double>()
                                         : std::numeric_limits<double>::infinity());
  }
  return numbers;
}

Expected<QualityCurve> ReadCurve(const Json& json) {
  if (!json.is_object()) return BadCurve("", "a curve is not an object");
  QualityCurve curve;
  curve.from_file = true;
  if (json.contains("name")) {
    if (!json["name"].is_string()) return BadCurve("", "the name of a curve is not a string");
    curve.name = json["name"];
  }
  const auto results = json.find("results");
  if (results == json.end() || !results->is_object()) {
    return BadCurve(curve.name, "no \"results\", as CompressAI and --json write them");
  }
  const Expected<std::vector<double>> bpp = Numbers(*results, "bpp");
  const Expected<std::vector<double>> psnr = Numbers(*results, "psnr-rgb");
  const Expected<std::vector<double>> ms_ssim = Numbers(*results, "ms-ssim-rgb");
  for (const auto* list : {&bpp, &psnr, &ms_ssim}) {
    if (!*list) return At(curve.name, list->error());
  }
  if (bpp->empty()) return BadCurve(curve.name, "no \"bpp\" in its results");
  if (psnr->empty() && ms_ssim->empty()) {
    return BadCurve(curve.name, "neither \"psnr-rgb\" nor \"ms-ssim-rgb\" in its results");
  }
  for (const auto* list : {&*psnr, &*ms_ssim}) {
    if (!list->empty() && list->size() != bpp->size()) {
      return BadCurve(curve.name, "its lists differ in length");
    }
  }
  constexpr double kMostBits = 1e6;  // files of one pixel have thousands
  const auto is_rate = [](double bits) { return bits > 0 && bits <= kMostBits; };
  if (!std::all_of(bpp->begin(), bpp->end(), is_rate)) {
    return BadCurve(curve.name, "its \"bpp\" has what is no number of bits");
  }
  const auto is_above_1 = [](double value) { return value > 1 && std::isfinite(value); };
  if (std::any_of(ms_ssim->begin(), ms_ssim->end(), is_above_1)) {
    return BadCurve(curve.name, "its \"ms-ssim-rgb\" is above 1");
  }
  for (size_t i = 0; i < psnr->size(); ++i) curve.psnr.push_back({(*bpp)[i], (*psnr)[i]});
  for (size_t i = 0; i < ms_ssim->size(); ++i) {
    if (!std::isfinite((*ms_ssim)[i])) continue;
    curve.ms_ssim.push_back({(*bpp)[i], Decibels((*ms_ssim)[i])});
  }
  return curve;
}

}  // namespace

QualityCurve CurveOf(const Evaluation& evaluation) {
  QualityCurve curve;
  curve.name = evaluation.label;
  for (const Means& means : evaluation.rates) {
    curve.psnr.push_back({means.bpp, means.psnr});
    if (means.ms_ssim) curve.ms_ssim.push_back({means.ms_ssim_bpp, Decibels(*means.ms_ssim)});
  }
  return curve;
}

Expected<std::vector<QualityCurve>> CurvesOf(const Json& json) {
  const bool several = json.is_object() && json.contains("models");
  const Json list = several ? json["models"] : json.is_array() ? json : Json::array({json});
  if (!list.is_array() || list.empty()) return BadCurve("", "no curves");
  std::vector<QualityCurve> curves;
  for (const Json& one : list) {
    Expected<QualityCurve> curve = ReadCurve(one);
    if (!curve) return curve.error();
    if (curve->name.empty()) curve->name = "curve " + std::to_string(curves.size() + 1);
    curves.push_back(std::move(*curve));
  }
  return curves;
}

Expected<std::vector<QualityCurve>> ReadCurves(const std::string& path) {
  const Expected<Json> json = ReadJson(path, kMostBytes);
  if (!json) return json.error();
  Expected<std::vector<QualityCurve>> curves = CurvesOf(*json);
  if (!curves) return At(path, curves.error());
  return curves;
}

Expected<BdRate> PsnrBdRate(const QualityCurve& first, const QualityCurve& other) {
  for (const QualityCurve* curve : {&first, &other}) {
    if (curve->from_file && curve->psnr.empty()) return BadCurve("", "the curve has no PSNR");
  }
  return ComputeBdRate(first.psnr, other.psnr);
}

Expected<BdRate> MsSsimBdRate(const QualityCurve& first, const QualityCurve& other) {
  for (const QualityCurve* curve : {&first, &other}) {
    if (!curve->ms_ssim.empty()) continue;
    if (curve->from_file) return BadCurve("", "the curve has no MS-SSIM");
    if (!curve->psnr.empty()) return BadCurve("", "no picture is large enough for MS-SSIM");
  }
  return ComputeBdRate(first.ms_ssim, other.ms_ssim);
}

}  // namespace glint::tools
