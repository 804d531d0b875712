// Scales, zero and channel factors of a group of tensors, from what calibration saw. Called by
// codec/quantiser only.
// Thread rules: functions of their arguments.
#ifndef GLINT_CODEC_QUANTISER_RANGES_H_
#define GLINT_CODEC_QUANTISER_RANGES_H_

#include <vector>

#include "codec/quantiser/groups.h"
#include "codec/quantiser/rounding.h"
#include "glint/quantise.hpp"

namespace glint::quantiser {

// A layer as its group sees it.
struct Consumer {
  const Layer* layer = nullptr;
  LayerPrecision precision = LayerPrecision::kFp32;
  const std::vector<float>* matrix = nullptr;
  std::vector<size_t> channels;  // of the group, by the layer's input channel
};

struct RangeChoice {
  bool kept_narrow = false;   // else in float, and the rest says nothing
  Quantisation quantisation;  // without the name of its factors
  std::vector<float> factor;  // per channel of the group; empty: all 1
  double activation_snr = 0;  // dB, over the samples, mean over the rates
  // Kept as int16, but read as bytes of 16 times the scale, with digits for some channels.
  bool digits = false;
  int zero = 0;  // of the bytes
  Split split;
};

struct RangeOptions {
  RangeMethod method = RangeMethod::kMse;
  double percentile = 99.99;
  double smoothing = -1;  // exponent; negative: the best of several
  double splitting = 0;   // digits of what bytes are read off, as a share of the channels
  bool dynamic = false;   // int16 ranges are the picture's: scales tell what calibration saw
  double widen = 1;       // of the range found: what tuning varies
};

// The type follows from the consumers' forms: uint8 when one is W8A8, else int16. `t`: of each
// rate. Groups that are not free have a given scale: that of the stream (`fraction_bits`), and for
// the picture a 32nd of an 8-bit sample.
RangeChoice ChooseRange(const Group& group, const std::vector<GroupStatistics>& rates,
                        const std::vector<double>& t, const std::vector<Consumer>& consumers,
                        int fraction_bits, const RangeOptions& options);

// For a group that is kept in float16. Channels whose values come near the ends of what float16
// holds get factors, powers of two.
RangeChoice ChooseFloat16Range(const std::vector<GroupStatistics>& rates);

// The limits that rounding a layer's matrix has to keep.
RoundingLimits LimitsOf(const Layer& layer, LayerPrecision precision, const Quantisation& input);
// How many digits so many channels may get, for a tensor may not have more than kMaxChannels.
size_t MostDigits(size_t channels);
// Of a normal distribution with this second moment.
inline double FourthMoment(double second) { return 3.0 * second * second; }

// The scales at knots spaced evenly over t from -1 to 1. Between the rates their logarithms are
// interpolated; beyond the rates they are constant.
std::vector<double> ScaleCurve(const std::vector<double>& t, const std::vector<double>& scales);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_RANGES_H_
