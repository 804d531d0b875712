// Which levels of a transform are worth their bits: for each in the order of coding the one with
// the least squared error + lambda * bits, and where the scan had best end. What a choice does to
// later contexts is seen where those are weighed, not looked ahead at. Called by
// codec/detail/section_encoder. Thread rules: pure functions.
#ifndef GLINT_CODEC_DETAIL_TRANSFORM_SEARCH_H_
#define GLINT_CODEC_DETAIL_TRANSFORM_SEARCH_H_

#include <cstdint>

#include "codec/detail/coefficients.h"

namespace glint::detail {

// Squared error that a bit is worth, for a step of 1: near what uniform quantisation with choices
// by rate and distortion gives. So the step, in levels, of a lambda is sqrt(lambda /
// kLambdaOfStep).
inline constexpr double kLambdaOfStep = 0.13;

struct TransformCost {
  float bits = 0;
  float error = 0;  // squared, in units of step^2
};

// `coefficients`: as kernels/detail.h has them, in sixteenths, as `step` is. `lambda`: squared
// error in units of step^2 that a bit is worth. Bits are those of `models` as they are. Fills
// `levels` and `magnitudes`; `last` as CodeLevels has it.
TransformCost ChooseLevels(const int32_t* coefficients, int step, float lambda,
                           const PlaneModels& models, const Expectation& expectation,
                           Levels* levels, Magnitudes* magnitudes, int* last);

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_TRANSFORM_SEARCH_H_
