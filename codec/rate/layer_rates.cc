#include "codec/rate/layer_rates.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "codec/rate/rounded_rate.h"

namespace glint {
namespace {

// Lambda, in bits for each unit of squared error of a pixel's mean channel, is lambda_per_lrd *
// lrd. A model of a fixed rate has no lrd of its own; that of its details has the scale of `light`.
constexpr double kLambdaPerLrd = 65.025;
constexpr double kMostLambda = 6.5;  // 50 dB and more; 8 bits a pixel of Kodak
constexpr double kLeastLambda = 0.001;
constexpr double kStartLambda = 0.026;

double LambdaPerLrd(const RateControl& rate) {
  return rate.is_fixed() ? kLambdaPerLrd : rate.lambda_per_lrd;
}

// In few digits, as people write them.
double LrdOfLambda(double lambda, const RateControl& rate) {
  return RoundedRate(lambda / LambdaPerLrd(rate), 0, std::numeric_limits<double>::max());
}

// What squared errors of photographs weigh in details, as a share of their full weight: up to
// `most` what they weighed when the model was tuned, and from there to the highest rate, where
// details alone grow, more and more.
double ShareOfPhotographs(const RateControl& rate, double wanted, double most, double highest) {
  const double share = rate.squared_error_share;
  if (share == 1 || wanted <= most) return share;
  return std::pow(share, std::log(highest / wanted) / std::log(highest / most));
}

}  // namespace

LrdLimits LimitsOfLrd(const RateControl& rate, bool with_details) {
  if (!with_details) return {rate.min, rate.max, rate.default_value};
  const double most = LrdOfLambda(kMostLambda, rate);
  if (!rate.is_fixed()) return {rate.min, std::max(rate.max, most), rate.default_value};
  const double least = LrdOfLambda(kLeastLambda, rate);
  const double start = rate.lambda > 0 ? rate.lambda : kStartLambda;
  return {least, most, std::clamp(start / kLambdaPerLrd, least, most)};
}

Result<LayerRates> RatesOf(const RateControl& rate, double lrd, bool with_details) {
  const LrdLimits limits = LimitsOfLrd(rate, with_details);
  const double wanted = lrd == 0 ? limits.start : lrd;
  // What a stream carries has been rounded to float.
  if (!(static_cast<float>(wanted) >= static_cast<float>(limits.min) &&
        static_cast<float>(wanted) <= static_cast<float>(limits.max))) {
    char text[160];
    std::snprintf(text, sizeof(text), "lrd is %g, the model takes %g to %g%s", lrd, limits.min,
                  limits.max, with_details ? "" : " without details");
    return Status::Error(StatusCode::kInvalidArgument, text);
  }
  LayerRates rates;
  // Above what the model is meant for a bit does more in the details than in the model.
  const double most = with_details ? std::max(rate.default_value, rate.suggested_max) : rate.max;
  if (!rate.is_fixed()) rates.model_lrd = static_cast<float>(std::min(wanted, most));
  rates.drawn_lambda = 1 / (LambdaPerLrd(rate) * wanted);
  rates.photograph_lambda = rates.drawn_lambda / ShareOfPhotographs(rate, wanted, most, limits.max);
  return rates;
}

}  // namespace glint
