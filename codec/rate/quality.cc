// LrdOfQuality: from a quality of 0 to 100 to the rate of a model.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string>

#include "codec/public_error.h"
#include "codec/rate/rounded_rate.h"
#include "engine/rate.h"
#include "glint/rate.hpp"

namespace glint {
namespace {

constexpr double kLight[] = {
#include "codec/rate/quality_light.inc"
};
constexpr double kLightAlone[] = {
#include "codec/rate/quality_light_alone.inc"
};

// How PSNR grows for each e-fold of lrd, in dB, with the details of `light` on Kodak: up to what a
// model is meant for (up to the start, if its rate is fixed), where the model grows too unless its
// rate is fixed, and above, where details alone grow.
constexpr double kGrowthBelow = 2.3;
constexpr double kFixedGrowthBelow = 0.7;
constexpr double kGrowthAbove = 3.1;

// The way from the lowest rate to the highest, on a logarithmic scale: 0..1.
struct Knot {
  double quality, way;
};

// Straight between knots, of which the first is 0, 0 and the last 100, 1.
class QualityCurve {
 public:
  QualityCurve() { Add({0, 0}); }

  // Qualities at equal steps of the way.
  template <size_t kCount>
  explicit QualityCurve(const double (&qualities)[kCount]) {
    static_assert(kCount >= 2 && kCount <= kMostKnots);
    for (size_t i = 0; i < kCount; ++i) {
      Add({qualities[i], static_cast<double>(i) / static_cast<double>(kCount - 1)});
    }
  }

  void Add(const Knot& knot) { knots_[count_++] = knot; }

  double WayOf(double quality) const {
    const Knot* const next =
        std::upper_bound(knots_.begin() + 1, knots_.begin() + count_ - 1, quality,
                         [](double value, const Knot& knot) { return value < knot.quality; });
    const Knot& before = next[-1];
    const double share = (quality - before.quality) / (next->quality - before.quality);
    return before.way + share * (next->way - before.way);
  }

 private:
  static constexpr size_t kMostKnots = 33;
  std::array<Knot, kMostKnots> knots_{};
  size_t count_ = 0;
};

struct Range {
  double min, max, bend;
};

Range RangeOf(const ModelInfo& model, bool with_details) {
  if (!with_details) return {model.lrd_min, model.lrd_max, model.lrd_max};
  const double bend = model.has_fixed_rate() ? model.detail_lrd_default
                                             : std::max(model.lrd_default, model.lrd_suggested_max);
  return {model.detail_lrd_min, model.detail_lrd_max, bend};
}

QualityCurve CurveOf(const ModelInfo& model, const Range& range, bool with_details) {
  const bool fixed = model.has_fixed_rate();
  if (model.name == "light" && !fixed) {
    return with_details ? QualityCurve(kLight) : QualityCurve(kLightAlone);
  }
  QualityCurve curve;
  if (with_details && range.bend > range.min && range.bend < range.max) {
    const double below = ExactLog(range.bend) - ExactLog(range.min);
    const double above = ExactLog(range.max) - ExactLog(range.bend);
    const double gain = (fixed ? kFixedGrowthBelow : kGrowthBelow) * below;
    curve.Add({100 * gain / (gain + kGrowthAbove * above), below / (below + above)});
  }
  curve.Add({100, 1});
  return curve;
}

}  // namespace

Expected<double> LrdOfQuality(const ModelInfo& model, double quality, Detail detail) {
  return PublicCall([&]() -> Expected<double> {
    if (!(quality >= 0 && quality <= 100)) {
      char text[64];
      std::snprintf(text, sizeof(text), "quality is %g, 0 to 100 are possible", quality);
      return Error{ErrorCode::kInvalidArgument, text};
    }
    if (Error fixed = CheckHasRates(model, detail); !fixed.ok()) return fixed;
    const bool with_details = detail != Detail::kOff;
    const Range range = RangeOf(model, with_details);
    const double way = CurveOf(model, range, with_details).WayOf(quality);
    if (way == 0 || way == 1) return way == 0 ? range.min : range.max;
    const double low = ExactLog(range.min);
    const double high = ExactLog(range.max);
    return RoundedRate(ExactExp(low + way * (high - low)), range.min, range.max);
  });
}

}  // namespace glint
