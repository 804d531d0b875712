#include "tools/evaluation/comparison.h"

#include <cmath>
#include <utility>

#include "tools/common/console.h"
#include "tools/common/table.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

constexpr size_t kFirmRates = 4;  // fewer leave the shape of the curves to the interpolation

struct Seconds {
  double encoding = 0, decoding = 0, transforms = 0;
};

Seconds SumOf(const Evaluation& evaluation) {
  Seconds sum;
  for (const Measurement& m : evaluation.measurements) {
    sum.encoding += m.encoding_time;
    sum.decoding += m.decoding_time;
    sum.transforms += m.encoding_stages.analysis + m.decoding_stages.synthesis;
  }
  return sum;
}

// ---- for people ---------------------------------------------------------------------------------

// "+1.25 %", and never "-0.00 %".
std::string PercentText(const Expected<BdRate>& rate) {
  if (!rate) return "-";
  const double rounded = std::round(rate->percent * 100) / 100;
  if (rounded == 0) return "0.00 %";
  return (rounded > 0 ? "+" : "") + Fixed(rounded, 2) + " %";
}

std::string OverlapText(const Expected<BdRate>& rate) {
  return rate ? Fixed(rate->low, 2) + " to " + Fixed(rate->high, 2) : "-";
}

std::string SpeedText(double ratio) { return std::isnan(ratio) ? "-" : Fixed(ratio, 2) + "x"; }

// Why there are dashes: who has them, for each reason once.
class Reasons {
 public:
  void Add(const std::string& who, const Expected<BdRate>& rate) {
    if (rate) return;
    for (auto& [reason, names] : reasons_) {
      if (reason == rate.error().message) {
        names += ", " + who;
        return;
      }
    }
    reasons_.emplace_back(rate.error().message, who);
  }

  std::string Text() const {
    std::string text;
    for (const auto& [reason, names] : reasons_) {
      text += "No BD-rate of " + names + ": " + reason + "\n";
    }
    return text;
  }

 private:
  std::vector<std::pair<std::string, std::string>> reasons_;
};

// ---- for programs -------------------------------------------------------------------------------

Json BdRateJson(const Expected<BdRate>& rate) {
  if (!rate) return Json{{"percent", nullptr}, {"reason", rate.error().message}};
  return Json{{"percent", rate->percent}, {"overlap_db", {rate->low, rate->high}}};
}

}  // namespace

Comparison CompareWithFirst(const std::vector<Evaluation>& evaluations) {
  const Evaluation& first = evaluations.front();
  const Seconds first_seconds = SumOf(first);
  const QualityCurve first_curve = CurveOf(first);
  Comparison comparison{first.rates.size(), {}};
  for (const Evaluation& evaluation : evaluations) {
    const Seconds seconds = SumOf(evaluation);
    const QualityCurve curve = CurveOf(evaluation);
    const auto bytes = [](const Evaluation& e) { return static_cast<double>(e.file_bytes); };
    comparison.models.push_back(
        {evaluation.label, evaluation.file_bytes, bytes(evaluation) / bytes(first),
         PsnrBdRate(first_curve, curve), MsSsimBdRate(first_curve, curve),
         first_seconds.encoding / seconds.encoding, first_seconds.decoding / seconds.decoding,
         first_seconds.transforms / seconds.transforms});
  }
  return comparison;
}

std::string ComparisonText(const Comparison& comparison) {
  std::vector<Table::Cells> rows;
  Reasons reasons;
  for (const ModelComparison& model : comparison.models) {
    const std::string name = Printable(model.label);
    rows.push_back({name, ByteSize(static_cast<double>(model.bytes)),
                    Fixed(100 * model.size_ratio, 1) + " %", PercentText(model.psnr),
                    OverlapText(model.psnr), PercentText(model.ms_ssim), OverlapText(model.ms_ssim),
                    SpeedText(model.encoding_speed), SpeedText(model.decoding_speed),
                    SpeedText(model.transform_speed)});
    reasons.Add(name + " over PSNR", model.psnr);
    reasons.Add(name + " over MS-SSIM", model.ms_ssim);
  }
  const std::string first = rows.front().front();
  std::string text = "Compared with " + first + ", over " + Count(comparison.rates, "rate") + "\n" +
                     FormatTable({{"model", Table::Align::kLeft},
                                  {"file"},
                                  {"of first"},
                                  {"BD-rate PSNR"},
                                  {"over dB"},
                                  {"BD-rate MS-SSIM"},
                                  {"over dB"},
                                  {"encode"},
                                  {"decode"},
                                  {"transforms"}},
                                 rows);
  text += reasons.Text();
  text += "BD-rate: bits for the same quality, PSNR or MS-SSIM in dB, against " + first +
          "; negative is fewer" +
          (comparison.rates < kFirmRates ? "; 4 rates or more make it firm" : "") +
          "\nencode, decode, transforms (g_a and g_s): time of " + first + " / time of the model\n";
  return text;
}

Json ComparisonJson(const Comparison& comparison) {
  Json models = Json::array();
  for (const ModelComparison& model : comparison.models) {
    models.push_back(Json{{"label", model.label},
                          {"bytes", model.bytes},
                          {"size_ratio", model.size_ratio},
                          {"bd_rate_psnr", BdRateJson(model.psnr)},
                          {"bd_rate_ms_ssim", BdRateJson(model.ms_ssim)},
                          {"speed_ratio",
                           {{"encoding", Finite(model.encoding_speed)},
                            {"decoding", Finite(model.decoding_speed)},
                            {"transforms", Finite(model.transform_speed)}}}});
  }
  return Json{{"first", comparison.models.front().label}, {"models", models}};
}

std::vector<CurveComparison> CompareWithCurves(const std::vector<Evaluation>& evaluations,
                                               const std::vector<QualityCurve>& curves) {
  std::vector<CurveComparison> comparisons;
  for (const Evaluation& evaluation : evaluations) {
    const QualityCurve own = CurveOf(evaluation);
    for (const QualityCurve& curve : curves) {
      comparisons.push_back(
          {evaluation.label, curve.name, PsnrBdRate(curve, own), MsSsimBdRate(curve, own)});
    }
  }
  return comparisons;
}

std::string CurvesText(const std::vector<CurveComparison>& comparisons) {
  std::vector<Table::Cells> rows;
  Reasons reasons;
  for (const CurveComparison& c : comparisons) {
    const std::string label = Printable(c.label), curve = Printable(c.curve);
    rows.push_back({label, curve, PercentText(c.psnr), OverlapText(c.psnr), PercentText(c.ms_ssim),
                    OverlapText(c.ms_ssim)});
    reasons.Add(label + " against " + curve + " over PSNR", c.psnr);
    reasons.Add(label + " against " + curve + " over MS-SSIM", c.ms_ssim);
  }
  return "Compared with the curves\n" +
         FormatTable({{"model", Table::Align::kLeft},
                      {"against", Table::Align::kLeft},
                      {"BD-rate PSNR"},
                      {"over dB"},
                      {"BD-rate MS-SSIM"},
                      {"over dB"}},
                     rows) +
         reasons.Text() +
         "BD-rate: bits of the model for the same quality against the curve; negative is fewer. It "
         "says something only where both are of the same pictures\n";
}

Json EvaluationsJson(const std::vector<Evaluation>& evaluations,
                     const std::vector<QualityCurve>& curves) {
  Json json;
  if (evaluations.size() == 1) {
    json = EvaluationJson(evaluations.front());
  } else {
    json["models"] = Json::array();
    for (const Evaluation& evaluation : evaluations) {
      json["models"].push_back(EvaluationJson(evaluation));
    }
    json["comparison"] = ComparisonJson(CompareWithFirst(evaluations));
  }
  if (curves.empty()) return json;
  json["curves"] = Json::array();
  for (const CurveComparison& c : CompareWithCurves(evaluations, curves)) {
    json["curves"].push_back(Json{{"label", c.label},
                                  {"curve", c.curve},
                                  {"bd_rate_psnr", BdRateJson(c.psnr)},
                                  {"bd_rate_ms_ssim", BdRateJson(c.ms_ssim)}});
  }
  return json;
}

}  // namespace glint::tools
