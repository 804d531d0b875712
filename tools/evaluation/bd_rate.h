// The Bjontegaard-Delta rate of two rate-quality curves: how many per cent more (positive) or fewer
// (negative) bits one needs than the other for the same quality. Used by
// tools/evaluation/comparison.cc. Thread rules: pure functions.
#ifndef GLINT_TOOLS_EVALUATION_BD_RATE_H_
#define GLINT_TOOLS_EVALUATION_BD_RATE_H_

#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

struct RatePoint {
  double rate = 0;     // bits per pixel, or anything else in proportion to bits
  double quality = 0;  // dB
};

struct BdRate {
  double percent = 0;
  double low = 0, high = 0;  // dB: the qualities that both curves have, where they were compared
};

// Between the points each curve is the logarithm of the rate over quality as a piecewise cubic that
// is monotone where the points are (PCHIP: Fritsch and Butland's slopes, as in SciPy's
// PchipInterpolator). The points may come in any order; an error says why there is no number: fewer
// than two points, a rate or quality that is no number, a quality that does not rise with the rate,
// no quality in common.
Expected<BdRate> ComputeBdRate(std::vector<RatePoint> first, std::vector<RatePoint> other);

// A part of 1 in dB, as MS-SSIM is compared: -10 log10(1 - value).
double Decibels(double value);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_BD_RATE_H_
