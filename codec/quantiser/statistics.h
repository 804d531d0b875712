// What calibration learns of a model in float: ranges, moments and samples of the tensors that its
// layers read, at several rates, by coding pictures. Called by codec/quantiser only.
// Thread rules: plain data.
#ifndef GLINT_CODEC_QUANTISER_STATISTICS_H_
#define GLINT_CODEC_QUANTISER_STATISTICS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/quantiser/layers.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint::quantiser {

// Of a tensor at one rate.
struct TensorStatistics {
  size_t channels = 0;
  uint64_t pixels = 0;
  std::vector<float> low, high;  // per channel; low <= 0 <= high
  std::vector<double> sum, magnitude_sum, square_sum;
  std::vector<float> samples;  // some pixels, drawn evenly: [pixel][channel]
  size_t sample_count() const { return channels == 0 ? 0 : samples.size() / channels; }
};

using Statistics = std::map<TensorKey, std::vector<TensorStatistics>>;  // a rate each

// Five, evenly over t between these two, both included; or the one that a model has.
std::vector<double> SpreadRates(const RateControl& rate, double min, double max);

struct CalibrationOptions {
  std::vector<double> lrds;
  int threads = 1;
  size_t samples = 1024;                        // of a tensor at one rate
  std::function<Status(double done)> progress;  // 0..1
};

// Statistics of every tensor that a layer reads.
Result<Statistics> Calibrate(const std::shared_ptr<const ModelFile>& model,
                             const std::vector<Layer>& layers, std::span<const Picture> pictures,
                             const CalibrationOptions& options);

// Makes the ranges of `statistics` hold what `wider` saw as well. Averages stay those of
// `statistics`; samples get an eighth of those of `wider`.
void WidenRanges(const Statistics& wider, Statistics* statistics);

// Second moments of what a layer multiplies, for error-compensating rounding. Each matrix of the
// layer (a convolution has one, a transposed one has one for each phase) has an average of v v^T
// over places, rates and pictures. v are the inputs under the taps in the order of `taps`, each
// with all channels (of a GDN: their magnitudes).
struct SecondMoment {
  std::vector<size_t> taps;   // of the layer's kernel
  size_t size = 0;            // taps.size() * channels
  std::vector<float> values;  // [size][size]
};
// Pictures that have `share` of the places together.
struct PictureShare {
  std::span<const Picture> pictures;
  double share = 1;
};
// By index into `layers`, for those that `wanted` names.
Result<std::map<size_t, std::vector<SecondMoment>>> MeasureSecondMoments(
    const std::shared_ptr<const ModelFile>& model, const std::vector<Layer>& layers,
    const std::vector<size_t>& wanted, const std::vector<PictureShare>& sets,
    const CalibrationOptions& options);

// `size` of the moments that MeasureSecondMoments finds of a layer, and what each takes meanwhile.
std::vector<size_t> MomentSizes(const Layer& layer);
uint64_t MomentBytes(size_t size);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_STATISTICS_H_
