// One rate for two layers: what an lrd means to the model and to the details after it. Called by
// codec/api/encoder and codec/rate.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_RATE_LAYER_RATES_H_
#define GLINT_CODEC_RATE_LAYER_RATES_H_

#include "codec/model/model_document.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

struct LrdLimits {
  double min = 0, max = 0, start = 0;  // start: of an lrd of 0
};
// Both 0 for a model of one fixed rate without details.
LrdLimits LimitsOfLrd(const RateControl& rate, bool with_details);

struct LayerRates {
  float model_lrd = 0;  // of the header
  // Those of detail::EncoderSettings; without meaning without details.
  double drawn_lambda = 0, photograph_lambda = 0;
};
// kInvalidArgument for an lrd that is not between the limits. 0: the start.
Result<LayerRates> RatesOf(const RateControl& rate, double lrd, bool with_details);

}  // namespace glint

#endif  // GLINT_CODEC_RATE_LAYER_RATES_H_
