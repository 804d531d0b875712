// Rates that Glint chooses itself, of few digits, so that a user can name them again.
// Internal to codec/.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_RATE_ROUNDED_RATE_H_
#define GLINT_CODEC_RATE_ROUNDED_RATE_H_

#include <algorithm>
#include <string>

#include "codec/short_number.h"
#include "glint/glint.hpp"

namespace glint {

// `rate` in five significant digits, within min..max. That moves a stream's size by less than a
// hundredth of a per cent.
inline double RoundedRate(double rate, double min, double max) {
  return std::clamp(RoundedNumber(rate, 5), min, max);
}

// kUnsupported where no rate can be chosen: for a model of one fixed rate, without details.
inline Error CheckHasRates(const ModelInfo& model, Detail detail) {
  if (detail == Detail::kOff ? !model.has_fixed_rate() : model.detail_lrd_max > 0) return {};
  return {ErrorCode::kUnsupported,
          "model " + model.name + " (" + model.id +
              ") has one fixed rate, so none can be chosen without details"};
}

}  // namespace glint

#endif  // GLINT_CODEC_RATE_ROUNDED_RATE_H_
