// From a matrix of floats to integers with a scale per output channel: to the nearest, or with the
// errors that were made so far compensated by what is not rounded yet. Called by codec/quantiser.
// Thread rules: functions of their arguments.
#ifndef GLINT_CODEC_QUANTISER_ROUNDING_H_
#define GLINT_CODEC_QUANTISER_ROUNDING_H_

#include <cstdint>
#include <vector>

#include "codec/quantiser/layers.h"
#include "codec/quantiser/statistics.h"

namespace glint::quantiser {

struct RoundingLimits {
  int most_weight = 127;     // of a weight's magnitude
  int64_t most_input = 0;    // of an input's magnitude: no sum of products may leave int32
  bool search_clip = false;  // per output channel, the scale with the least squared error
  bool asymmetric = false;   // 8 bits between the least and the greatest weight, as the seed has it
};

struct IntegerMatrix {
  std::vector<int16_t> values;  // in the order of the file, digits included
  std::vector<float> scale;     // per output channel: matrix = scale * values / factor
};

// `matrix` in the order of the file, times `factor` per input channel. `moments`: of the unscaled
// inputs; empty: to the nearest. `split`: input channels that have digits.
IntegerMatrix RoundMatrix(const Layer& layer, const std::vector<float>& matrix,
                          const std::vector<float>& factor, const RoundingLimits& limits,
                          const std::vector<SecondMoment>& moments, const Split& split = {});

// What the integers multiply the channels of the input by, in the order of `matrix`.
std::vector<float> EffectiveMatrix(const Layer& layer, const IntegerMatrix& matrix,
                                   const std::vector<float>& factor, const Split& split);

// The scale of each output channel before anything is rounded. `scaled`: [out][in * taps].
std::vector<float> OutputScales(const Layer& layer, const std::vector<float>& matrix,
                                const std::vector<float>& factor, const RoundingLimits& limits);

// In place: values (symmetric, positive definite, [size][size]) = L D L^T with L unit lower
// triangular; afterwards the strict lower triangle is L, the diagonal is D.
template <typename T>  // float or double
void FactorLdl(size_t size, std::vector<T>* values);

// What rounding takes for a second moment of this size and so many outputs.
uint64_t RoundingBytes(size_t size, size_t outs);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_ROUNDING_H_
