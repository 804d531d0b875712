#include "tools/evaluation/bd_rate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "tools/common/console.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

// Slopes of PCHIP. Both coordinates rise from point to point, so the slopes of two neighbouring
// intervals, `slope` and `next_slope`, are positive, and PCHIP's rules for turning points do not
// apply.

// Inside: the harmonic mean of the slopes on both sides, weighted by the widths.
double InnerSlope(double width, double next_width, double slope, double next_slope) {
  const double weight = 2 * next_width + width;
  const double next_weight = next_width + 2 * width;
  return (weight + next_weight) / (weight / slope + next_weight / next_slope);
}

// At an end, seen from there: that of the parabola through three points, but never falling.
double EndSlope(double width, double next_width, double slope, double next_slope) {
  const double end = ((2 * width + next_width) * slope - width * next_slope) / (width + next_width);
  return std::max(0.0, end);
}

// The natural logarithm of the rate over quality, from sound points by rising quality.
class Curve {
 public:
  explicit Curve(const std::vector<RatePoint>& points) {
    for (const RatePoint& point : points) {
      x_.push_back(point.quality);
      y_.push_back(std::log(point.rate));
    }
    SetSlopes();
  }

  double low() const { return x_.front(); }
  double high() const { return x_.back(); }

  double Integral(double from, double to) const {
    double sum = 0;
    for (size_t i = 0; i + 1 < x_.size(); ++i) {
      const double begin = std::max(from, x_[i]);
      const double end = std::min(to, x_[i + 1]);
      if (begin < end) sum += Antiderivative(i, end) - Antiderivative(i, begin);
    }
    return sum;
  }

 private:
  double Width(size_t i) const { return x_[i + 1] - x_[i]; }
  double Secant(size_t i) const { return (y_[i + 1] - y_[i]) / Width(i); }

  void SetSlopes() {
    const size_t last = x_.size() - 1;
    slopes_.assign(x_.size(), Secant(0));  // two points: a straight line
    if (last < 2) return;
    slopes_[0] = EndSlope(Width(0), Width(1), Secant(0), Secant(1));
    for (size_t i = 1; i < last; ++i) {
      slopes_[i] = InnerSlope(Width(i - 1), Width(i), Secant(i - 1), Secant(i));
    }
    slopes_[last] = EndSlope(Width(last - 1), Width(last - 2), Secant(last - 1), Secant(last - 2));
  }

  // Of the cubic in interval i: its value y_[i] + s t + b t^2 + c t^3 with t = x - x_[i],
  // integrated.
  double Antiderivative(size_t i, double x) const {
    const double width = Width(i);
    const double secant = Secant(i);
    const double b = (3 * secant - 2 * slopes_[i] - slopes_[i + 1]) / width;
    const double c = (slopes_[i] + slopes_[i + 1] - 2 * secant) / (width * width);
    const double t = x - x_[i];
    return t * (y_[i] + t * (slopes_[i] / 2 + t * (b / 3 + t * c / 4)));
  }

  std::vector<double> x_, y_, slopes_;
};

Error NoCurve(const std::string& reason) { return MakeError(ErrorCode::kInvalidArgument, reason); }

std::string PointText(const RatePoint& point) {
  return Fixed(point.quality, 3) + " dB at " + Fixed(point.rate, 4);
}

// Sorts by rate; sound points then rise in quality as well.
Error CheckPoints(std::vector<RatePoint>* points) {
  for (const RatePoint& point : *points) {
    if (!std::isfinite(point.quality) || !std::isfinite(point.rate) || point.rate <= 0) {
      return NoCurve("a point without a curve: " + PointText(point));
    }
  }
  std::sort(points->begin(), points->end(),
            [](const RatePoint& a, const RatePoint& b) { return a.rate < b.rate; });
  for (size_t i = 1; i < points->size(); ++i) {
    const RatePoint& lower = (*points)[i - 1];
    const RatePoint& higher = (*points)[i];
    if (higher.rate <= lower.rate || higher.quality <= lower.quality) {
      return NoCurve("quality does not rise with the rate: " + PointText(lower) + ", " +
                     PointText(higher));
    }
  }
  return {};
}

std::string RangeText(const Curve& curve) {
  return Fixed(curve.low(), 2) + " to " + Fixed(curve.high(), 2) + " dB";
}

}  // namespace

Expected<BdRate> ComputeBdRate(std::vector<RatePoint> first, std::vector<RatePoint> other) {
  const size_t fewest = std::min(first.size(), other.size());
  if (fewest < 2) {
    return NoCurve("needs at least 2 rates, better 4; there is " + Count(fewest, "rate"));
  }
  Error error = At("the first curve", CheckPoints(&first));
  if (error.ok()) error = CheckPoints(&other);
  if (!error.ok()) return error;
  const Curve first_curve(first);
  const Curve other_curve(other);
  const double low = std::max(first_curve.low(), other_curve.low());
  const double high = std::min(first_curve.high(), other_curve.high());
  if (low >= high) {
    return NoCurve("no quality in common: the first has " + RangeText(first_curve) + ", this one " +
                   RangeText(other_curve));
  }
  const double difference = other_curve.Integral(low, high) - first_curve.Integral(low, high);
  return BdRate{100 * std::expm1(difference / (high - low)), low, high};
}

double Decibels(double value) { return -10 * std::log10(1 - value); }

}  // namespace glint::tools
