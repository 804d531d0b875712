// LrdOfQuality: from a quality of 0 to 100 to the rate of a model.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string>

#include "codec/rate/rounded_rate.h"
#include "engine/rate.h"
#include "glint/rate.hpp"

namespace glint {
namespace {

// Qualities at equal steps of log lrd from a model's lowest rate to its highest.
struct QualityCurve {
  const double* qualities;  // ascending from 0 to 100
  size_t count;             // 2 or more
};

constexpr double kLight[] = {
#include "codec/rate/quality_light.inc"
};
constexpr double kStraight[] = {0, 100};

QualityCurve CurveOf(const ModelInfo& model) {
  if (model.name == "light") return {kLight, std::size(kLight)};
  return {kStraight, std::size(kStraight)};
}

// 0..1 of the way from the lowest rate to the highest, on a logarithmic scale.
double WayOf(const QualityCurve& curve, double quality) {
  const double* const end = curve.qualities + curve.count;
  const double* const next = std::upper_bound(curve.qualities + 1, end - 1, quality);
  const double share = (quality - next[-1]) / (next[0] - next[-1]);
  return (static_cast<double>(next - curve.qualities - 1) + share) /
         static_cast<double>(curve.count - 1);
}

}  // namespace

Expected<double> LrdOfQuality(const ModelInfo& model, double quality) {
  if (!(quality >= 0 && quality <= 100)) {
    char text[64];
    std::snprintf(text, sizeof(text), "quality is %g, 0 to 100 are possible", quality);
    return Error{ErrorCode::kInvalidArgument, text};
  }
  if (Error fixed = CheckHasRates(model); !fixed.ok()) return fixed;
  const double low = ExactLog(model.lrd_min);
  const double high = ExactLog(model.lrd_max);
  const double way = WayOf(CurveOf(model), quality);
  if (way == 0 || way == 1) return way == 0 ? model.lrd_min : model.lrd_max;
  return RoundedRate(ExactExp(low + way * (high - low)), model.lrd_min, model.lrd_max);
}

}  // namespace glint
