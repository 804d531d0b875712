#include "codec/quantiser/ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace glint::quantiser {
namespace {

constexpr size_t kKnots = 9;
constexpr double kLeastRange = 1e-6;  // of channels that are always zero
constexpr int kBytes = 255;
constexpr size_t kDigitGroup = 4;  // digits come in whole groups, as products of bytes take them
// Room of int16 ranges beyond what calibration saw. There is precision to spare: one bit less costs
// all pictures less than saturation costs one (with a quarter of room Kodak's 19th lost 0.2 dB).
constexpr double kRoom = 2.0;

// How much a squared error of an input (`in`) and of a weight (`out`) weighs at a layer's output.
struct Importance {
  std::vector<double> in, out;
};

// A convolution passes both on as they are. Of GDN's output x / n or x n the error of x counts
// most; one of the weights changes n.
Importance ImportanceOf(const Consumer& consumer, const GroupStatistics& rate) {
  const Layer& layer = *consumer.layer;
  Importance importance;
  const bool multiplies = layer.matrix.sum == Matrix::Sum::kMultiplies;
  importance.in.assign(layer.channels(), 0.0);
  importance.out.assign(layer.out_channels, 1.0);
  for (size_t out = 0; out < layer.out_channels; ++out) {
    double norm = 0;
    layer.ForElements(out, [&](size_t in, size_t, size_t index) {
      const double w = static_cast<double>((*consumer.matrix)[index]);
      if (layer.matrix.squares) {
        norm += w * rate.square[consumer.channels[in]];
      } else if (layer.normalises()) {
        norm += w * rate.magnitude[consumer.channels[in]];
      } else {
        importance.in[in] += w * w;
      }
    });
    if (!layer.normalises()) continue;
    if (layer.matrix.squares) norm = std::sqrt(norm);
    norm = std::max(norm, 1e-6);
    const double square = rate.square[consumer.channels[out]];
    importance.in[out] = multiplies ? norm * norm : 1.0 / (norm * norm);
    importance.out[out] = multiplies ? square : square / (norm * norm * norm * norm);
    // d sqrt(v) = dv / (2 sqrt(v))
    if (layer.matrix.squares) importance.out[out] /= 4.0 * norm * norm;
  }
  return importance;
}

// Of the whole group at one rate, and the signal that noise is measured against.
struct Weighting {
  std::vector<Importance> of_consumer;
  std::vector<double> in;  // per channel of the group
  double signal = 0;
};

Weighting WeightingOf(const std::vector<Consumer>& consumers, const GroupStatistics& rate) {
  Weighting weighting;
  weighting.in.assign(rate.low.size(), 0.0);
  for (const Consumer& consumer : consumers) {
    weighting.of_consumer.push_back(ImportanceOf(consumer, rate));
    const std::vector<double>& in = weighting.of_consumer.back().in;
    for (size_t i = 0; i < in.size(); ++i) {
      const size_t c = consumer.channels[i];
      weighting.in[c] += in[i];
      weighting.signal += in[i] * rate.square[c];
    }
  }
  weighting.signal = std::max(weighting.signal, 1e-30);
  return weighting;
}

struct Span {
  double low = 0, high = 0;  // magnitudes on either side of zero, in units of the factors
};

// Up to the bound where there is one, else what was seen, with `room`.
double Reach(double seen, double bound, double room) {
  return std::isfinite(bound) ? bound : room * seen;
}

Span WidestSpan(const GroupStatistics& rate, const std::vector<float>& factor, double room) {
  Span span;
  for (size_t c = 0; c < factor.size(); ++c) {
    const double f = static_cast<double>(factor[c]);
    span.low = std::max(span.low, Reach(-rate.low[c], -rate.bound_low[c], room) / f);
    span.high = std::max(span.high, Reach(rate.high[c], rate.bound_high[c], room) / f);
  }
  span.high = std::max(span.high, kLeastRange);
  return span;
}

double ScaleFor(const Span& span, const Quantisation& quantisation) {
  if (quantisation.element == kernels::Element::kU8) {
    const double above = kBytes - quantisation.zero;
    const double below = quantisation.zero;
    return std::max(span.high / above, below > 0 ? span.low / below : 0.0);
  }
  return std::max(span.low, span.high) / quantisation.max;
}

// The zero that makes the scales over all rates least; low digits go 8 below it.
int ChooseZero(const std::vector<Span>& spans, bool digits) {
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  const int room = digits ? kernels::kDigit / 2 : 0;
  for (int zero = room; zero < kBytes - room; ++zero) {
    double cost = 0;
    for (const Span& span : spans) {
      if (zero == 0 && span.low > 0) cost = std::numeric_limits<double>::infinity();
      Quantisation tried;
      tried.element = kernels::Element::kU8;
      tried.zero = zero;
      cost += std::log(ScaleFor(span, tried));
    }
    if (cost < least) {
      least = cost;
      best = zero;
    }
  }
  return best;
}

std::vector<Span> SpansOf(const std::vector<GroupStatistics>& rates,
                          const std::vector<float>& factor, double room) {
  std::vector<Span> spans;
  spans.reserve(rates.size());
  for (const GroupStatistics& rate : rates) spans.push_back(WidestSpan(rate, factor, room));
  return spans;
}

// Factors as the layer's matrix sees them.
std::vector<float> FactorsFor(const Consumer& consumer, const std::vector<float>& factor) {
  std::vector<float> of_layer;
  for (const size_t c : consumer.channels) {
    of_layer.push_back(consumer.layer->matrix.squares ? factor[c] * factor[c] : factor[c]);
  }
  return of_layer;
}

// The noise over signal at the consumers' outputs that each channel of the group causes, summed
// over the rates. Errors of inputs and of weights are uniform, each a twelfth of the squared scale.
struct ChannelNoise {
  std::vector<double> input, weights;
};

// The share of the noise of independently rounded weights that compensation leaves
// (WeightRounding::kGptq). Most of it goes away in convolutions over neighbours, whose values are
// much alike. Less does in transposed ones, which have fewer taps a phase, and where there is one
// tap: there all of it is counted.
double WhatRoundingLeaves(const Layer& layer) {
  return !layer.node->window.rows.transposed && layer.taps() > 1 ? 0.3 : 1.0;
}

ChannelNoise NoiseOf(const std::vector<GroupStatistics>& rates,
                     const std::vector<Weighting>& weightings,
                     const std::vector<Consumer>& consumers, const std::vector<float>& factor,
                     Quantisation quantisation) {
  const std::vector<Span> spans = SpansOf(rates, factor, 1.0);
  if (quantisation.element == kernels::Element::kU8) quantisation.zero = ChooseZero(spans, false);
  std::vector<std::vector<float>> weight_scales;
  weight_scales.reserve(consumers.size());
  for (const Consumer& consumer : consumers) {
    weight_scales.push_back(
        OutputScales(*consumer.layer, *consumer.matrix, FactorsFor(consumer, factor),
                     LimitsOf(*consumer.layer, consumer.precision, quantisation)));
  }
  ChannelNoise noise;
  noise.input.assign(factor.size(), 0.0);
  noise.weights.assign(factor.size(), 0.0);
  for (size_t k = 0; k < rates.size(); ++k) {
    const double scale = ScaleFor(spans[k], quantisation);
    const double unit = 1.0 / 12.0 / weightings[k].signal;
    for (size_t c = 0; c < factor.size(); ++c) {
      const double f = static_cast<double>(factor[c]);
      noise.input[c] += unit * scale * scale * f * f * weightings[k].in[c];
    }
    for (size_t i = 0; i < consumers.size(); ++i) {
      const Layer& layer = *consumers[i].layer;
      const auto noise_of = [&](size_t out) {
        const double w = static_cast<double>(weight_scales[i][out]);
        return w * w * weightings[k].of_consumer[i].out[out];
      };
      double all = 0;
      for (size_t out = 0; out < layer.out_channels; ++out) all += noise_of(out);
      const double left = static_cast<double>(layer.taps()) * WhatRoundingLeaves(layer);
      for (size_t in = 0; in < consumers[i].channels.size(); ++in) {
        const size_t c = consumers[i].channels[in];
        const double f = static_cast<double>(factor[c]);
        const double outputs = (layer.is_depthwise() ? noise_of(in) : all) * left;
        const double x2 = rates[k].square[c] / (f * f);  // what the weight's error multiplies
        noise.weights[c] += unit * (layer.matrix.squares ? FourthMoment(x2) : x2) * outputs;
      }
    }
  }
  return noise;
}

// Chooses the digits that take most noise away. A digit leaves a 256th of the noise of its channel.
Split ChooseSplit(const ChannelNoise& noise, size_t digits) {
  const size_t channels = noise.input.size();
  std::vector<size_t> order(2 * channels);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto of = [&](size_t i) {
    return i < channels ? noise.input[i] : noise.weights[i - channels];
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return of(a) > of(b); });
  order.resize(std::min(digits, order.size()));
  std::sort(order.begin(), order.end());
  Split split;
  for (const size_t i : order) {
    (i < channels ? split.low : split.coarse).push_back(i < channels ? i : i - channels);
  }
  return split;
}

double ExpectedNoise(const ChannelNoise& noise, const Split& split) {
  constexpr double kTakenAway = 1.0 - 1.0 / (kernels::kDigit * kernels::kDigit);
  double total = 0;
  for (const double part : noise.input) total += part;
  for (const double part : noise.weights) total += part;
  for (const size_t c : split.low) total -= kTakenAway * noise.input[c];
  for (const size_t c : split.coarse) total -= kTakenAway * noise.weights[c];
  return total;
}

// factor = range^a / (greatest weight)^b, both over all rates and consumers, their mean being 1.
std::vector<float> SmoothingFactors(const std::vector<GroupStatistics>& rates,
                                    const std::vector<Consumer>& consumers, double a, double b) {
  const size_t channels = rates[0].low.size();
  std::vector<double> weight(channels, 0.0);
  for (const Consumer& consumer : consumers) {
    const Layer& layer = *consumer.layer;
    for (size_t i = 0; i < consumer.matrix->size(); ++i) {  // those of taps that are dead as well
      double& most = weight[consumer.channels[layer.matrix.InputOf(i)]];
      most = std::max(most, static_cast<double>(std::abs((*consumer.matrix)[i])));
    }
  }
  const double most_weight = std::max(kLeastRange, *std::max_element(weight.begin(), weight.end()));
  std::vector<double> logarithm(channels, 0.0);
  double mean = 0;
  for (size_t c = 0; c < channels; ++c) {
    double range = 0;
    for (const GroupStatistics& rate : rates) {
      double widest = kLeastRange;
      for (size_t i = 0; i < channels; ++i) {
        widest = std::max({widest, -rate.low[i], rate.high[i]});
      }
      // A channel that hardly moves must not drag its factor, and the weights, out of proportion.
      const double own = std::max({-rate.low[c], rate.high[c], 1e-3 * widest});
      range += std::log(own) / static_cast<double>(rates.size());
    }
    const double w = std::max(weight[c], 1e-3 * most_weight);
    logarithm[c] = a * range - b * std::log(w);
    mean += logarithm[c] / static_cast<double>(channels);
  }
  std::vector<float> factor(channels);
  for (size_t c = 0; c < channels; ++c) {
    factor[c] = static_cast<float>(std::exp(logarithm[c] - mean));
  }
  return factor;
}

std::vector<float> ChooseFactors(const std::vector<GroupStatistics>& rates,
                                 const std::vector<Weighting>& weightings,
                                 const std::vector<Consumer>& consumers,
                                 const Quantisation& quantisation, double smoothing,
                                 size_t digits) {
  if (smoothing >= 0) return SmoothingFactors(rates, consumers, smoothing, 0);
  std::vector<float> best;
  double least = std::numeric_limits<double>::infinity();
  for (const double a : {0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0}) {
    for (const double b : {0.0, 0.25, 0.5}) {
      std::vector<float> factor = SmoothingFactors(rates, consumers, a, b);
      const ChannelNoise channels = NoiseOf(rates, weightings, consumers, factor, quantisation);
      const double noise = ExpectedNoise(channels, ChooseSplit(channels, digits));
      if (noise < least) {
        least = noise;
        best = std::move(factor);
      }
    }
  }
  return best;
}

// Calls visit(channel of the group, value) for all samples.
template <typename Visit>
void ForSamples(const Group& group, const GroupStatistics& rate, const Visit& visit) {
  for (size_t part = 0; part < rate.parts.size(); ++part) {
    const TensorStatistics& of = rate.parts[part];
    const size_t first = group.tensors[part].first;
    for (size_t i = 0; i < of.samples.size(); ++i) visit(first + i % of.channels, of.samples[i]);
  }
}

// Weighted squared error of the samples at a scale.
double SampleError(const Group& group, const GroupStatistics& rate, const Weighting& weighting,
                   const std::vector<float>& factor, const Quantisation& quantisation,
                   const Split& split, double scale) {
  std::vector<float> unit(factor.size());
  for (size_t c = 0; c < unit.size(); ++c) {
    unit[c] = static_cast<float>(scale * static_cast<double>(factor[c]));
  }
  std::vector<float> low(factor.size(), static_cast<float>(quantisation.low()));
  std::vector<float> high(factor.size(), static_cast<float>(quantisation.high()));
  for (const size_t c : split.low) {
    unit[c] /= kDigitBase;
    low[c] *= kDigitBase;
    high[c] *= kDigitBase;
  }
  double error = 0;
  ForSamples(group, rate, [&](size_t c, float value) {
    const float q = std::nearbyint(std::clamp(value / unit[c], low[c], high[c]));
    const double e = static_cast<double>(value - q * unit[c]);
    error += weighting.in[c] * e * e;
  });
  return error;
}

// The share of the whole range with the least error on the samples.
double ShrinkByError(const Group& group, const GroupStatistics& rate, const Weighting& weighting,
                     const std::vector<float>& factor, const Quantisation& quantisation,
                     const Split& split, double scale) {
  double best = scale, least = std::numeric_limits<double>::infinity();
  for (int percent = 100; percent >= 30; percent -= 5) {
    const double tried = scale * percent / 100.0;
    const double error = SampleError(group, rate, weighting, factor, quantisation, split, tried);
    if (error < least) {
      least = error;
      best = tried;
    }
  }
  return best;
}

// The range that so many percent of the samples lie in, either side by itself.
double ShrinkByPercentile(const Group& group, const GroupStatistics& rate,
                          const std::vector<float>& factor, const Quantisation& quantisation,
                          double percentile) {
  std::vector<double> low, high;
  ForSamples(group, rate, [&](size_t c, float value) {
    const double v = static_cast<double>(value / factor[c]);
    low.push_back(std::max(0.0, -v));
    high.push_back(std::max(0.0, v));
  });
  const auto at = [&](std::vector<double>* values) {
    if (values->empty()) return 0.0;
    const double last = static_cast<double>(values->size() - 1);
    const auto place = static_cast<std::ptrdiff_t>(last * percentile / 100.0);
    std::nth_element(values->begin(), values->begin() + place, values->end());
    return (*values)[static_cast<size_t>(place)];
  };
  Span span{at(&low), std::max(at(&high), kLeastRange)};
  return ScaleFor(span, quantisation);
}

double MeanSnr(const Group& group, const std::vector<GroupStatistics>& rates,
               const std::vector<Weighting>& weightings, const std::vector<float>& factor,
               const Quantisation& quantisation, const Split& split,
               const std::vector<double>& scales) {
  double sum = 0;
  for (size_t k = 0; k < rates.size(); ++k) {
    double signal = 0;
    ForSamples(group, rates[k], [&](size_t c, float value) {
      signal += weightings[k].in[c] * static_cast<double>(value) * static_cast<double>(value);
    });
    const double error =
        SampleError(group, rates[k], weightings[k], factor, quantisation, split, scales[k]);
    sum += 10.0 * std::log10(std::max(signal, 1e-30) / std::max(error, 1e-30));
  }
  return sum / static_cast<double>(rates.size());
}

// A compromise: more levels make inputs finer, and weights coarser, because sums must stay in 31
// bits.
int ChooseMax(const std::vector<GroupStatistics>& rates, const std::vector<Weighting>& weightings,
              const std::vector<Consumer>& consumers, const std::vector<float>& factor) {
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (const int max : {1023, 1448, 2047, 2896, 4095, 5792, 8191, 11585, 16383, 32767}) {
    Quantisation tried;
    tried.max = max;
    const double noise =
        ExpectedNoise(NoiseOf(rates, weightings, consumers, factor, tried), Split());
    if (noise < least) {
      least = noise;
      best = max;
    }
  }
  return best;
}

size_t DigitsOf(double share, size_t channels) {
  const double wanted = share * static_cast<double>(channels) / kDigitGroup;
  const auto groups = static_cast<size_t>(std::max(1.0, std::round(wanted)));
  return std::min(kDigitGroup * groups, MostDigits(channels));
}

// int16 of a scale that is given, with room for pictures that calibration did not see.
Quantisation FixedScale(const std::vector<GroupStatistics>& rates, double scale, int least_max) {
  double most = 0;
  for (const GroupStatistics& rate : rates) {
    for (size_t c = 0; c < rate.low.size(); ++c) {
      most = std::max({most, -rate.low[c], rate.high[c]});
    }
  }
  Quantisation quantisation;
  quantisation.scales = {scale};
  quantisation.max = static_cast<int>(
      std::clamp(std::ceil(kRoom * most / scale), static_cast<double>(least_max), 32767.0));
  return quantisation;
}

// Of the input of g_a, whose ends are known.
int MostLevels(const std::vector<GroupStatistics>& rates, double scale) {
  double most = 0;
  for (const double low : rates[0].bound_low) most = std::max(most, -low);
  for (const double high : rates[0].bound_high) most = std::max(most, high);
  return static_cast<int>(std::ceil(most / scale - 1e-6));
}

}  // namespace

RoundingLimits LimitsOf(const Layer& layer, LayerPrecision precision, const Quantisation& input) {
  RoundingLimits limits;
  limits.most_weight = precision == LayerPrecision::kW16A16 ? 32767 : 127;
  limits.most_input = layer.matrix.squares                 ? kernels::kMostSquare
                      : precision == LayerPrecision::kW8A8 ? 2 * kBytes
                                                           : input.max;
  return limits;
}

size_t MostDigits(size_t channels) {
  constexpr size_t kMost = kMaxChannels;
  return (kMost - std::min(kMost, channels)) / kDigitGroup * kDigitGroup;
}

std::vector<double> ScaleCurve(const std::vector<double>& t, const std::vector<double>& scales) {
  std::vector<double> curve;
  for (size_t i = 0; i < kKnots; ++i) {
    const double at = -1.0 + 2.0 * static_cast<double>(i) / (kKnots - 1);
    size_t k = 0;
    while (k + 1 < t.size() && t[k + 1] < at) ++k;
    if (k + 1 >= t.size() || at <= t[0]) {
      curve.push_back(at <= t[0] ? scales.front() : scales.back());
      continue;
    }
    const double share = (at - t[k]) / (t[k + 1] - t[k]);
    curve.push_back(std::exp(std::log(scales[k]) * (1 - share) + std::log(scales[k + 1]) * share));
  }
  return curve;
}

RangeChoice ChooseRange(const Group& group, const std::vector<GroupStatistics>& rates,
                        const std::vector<double>& t, const std::vector<Consumer>& consumers,
                        int fraction_bits, const RangeOptions& options) {
  RangeChoice choice;
  choice.kept_narrow = true;
  std::vector<Weighting> weightings;
  weightings.reserve(rates.size());
  for (const GroupStatistics& rate : rates) weightings.push_back(WeightingOf(consumers, rate));
  std::vector<float> factor(rates[0].low.size(), 1.0f);
  Quantisation& quantisation = choice.quantisation;
  std::vector<double> scales;
  const bool bytes = std::any_of(consumers.begin(), consumers.end(), [](const Consumer& consumer) {
    return consumer.precision == LayerPrecision::kW8A8;
  });
  if (group.kind != Group::Kind::kFree) {
    constexpr double kSampleLevels = 2 * 255 * 16;  // of x in 0..1: 8 bits fall on them
    const double scale = group.kind == Group::Kind::kPicture   ? 1.0 / kSampleLevels
                         : group.kind == Group::Kind::kLatents ? std::ldexp(1.0, -fraction_bits)
                                                               : 1.0;
    const int least_max = group.kind == Group::Kind::kPicture   ? MostLevels(rates, scale)
                          : group.kind == Group::Kind::kLatents ? 4095
                                                                : 127;
    quantisation = FixedScale(rates, scale, least_max);
    if (group.kind == Group::Kind::kPicture) quantisation.max = least_max;
    scales.assign(rates.size(), scale);
  } else {
    quantisation.element = bytes ? kernels::Element::kU8 : kernels::Element::kI16;
    quantisation.max = 4095;
    choice.digits = bytes && options.splitting > 0;
    const size_t digits = choice.digits ? DigitsOf(options.splitting, group.channels) : 0;
    if (options.smoothing != 0) {
      factor = ChooseFactors(rates, weightings, consumers, quantisation, options.smoothing, digits);
      choice.factor = factor;
    }
    choice.split = ChooseSplit(NoiseOf(rates, weightings, consumers, factor, quantisation), digits);
    quantisation.dynamic = options.dynamic && !bytes;
    const double room = bytes || quantisation.dynamic ? 1.0 : kRoom;
    const std::vector<Span> spans = SpansOf(rates, factor, room);
    if (bytes) {
      quantisation.zero = ChooseZero(spans, choice.digits);
    } else {
      quantisation.max = ChooseMax(rates, weightings, consumers, factor);
    }
    for (size_t k = 0; k < rates.size(); ++k) {
      double scale = ScaleFor(spans[k], quantisation);
      if (bytes && options.method == RangeMethod::kMse) {
        scale = ShrinkByError(group, rates[k], weightings[k], factor, quantisation, choice.split,
                              scale);
      } else if (bytes && options.method == RangeMethod::kPercentile) {
        scale = ShrinkByPercentile(group, rates[k], factor, quantisation, options.percentile);
      }
      scales.push_back(scale * options.widen);
    }
    quantisation.scales = ScaleCurve(t, scales);
  }
  choice.activation_snr =
      MeanSnr(group, rates, weightings, factor, quantisation, choice.split, scales);
  if (choice.digits) {
    // A sixteenth of the scale, and what is beyond the bytes only for whoever reads int16.
    choice.zero = quantisation.zero;
    quantisation.element = kernels::Element::kI16;
    quantisation.zero = 0;
    quantisation.max = kernels::kDigit * (kBytes + 1) - 1;
    for (double& scale : quantisation.scales) scale /= kernels::kDigit;
  }
  return choice;
}

RangeChoice ChooseFloat16Range(const std::vector<GroupStatistics>& rates) {
  constexpr double kMost = 16384, kLeast = 0x1p-10;  // a quarter of the largest float16 is room
  constexpr double kRoomAbove = 8;  // beyond what was seen; what is left tells that sums fit
  RangeChoice choice;
  choice.kept_narrow = true;
  choice.quantisation.element = kernels::Element::kF16;
  std::vector<float> factor;
  double widest = 0;  // in units of the factors
  bool needed = false;
  for (size_t c = 0; c < rates[0].low.size(); ++c) {
    double most = 0;
    for (const GroupStatistics& rate : rates) most = std::max({most, -rate.low[c], rate.high[c]});
    double exponent = 0;
    if (most > kMost) exponent = std::ceil(std::log2(most / kMost));
    if (most > 0 && most < kLeast) exponent = std::floor(std::log2(most / kLeast));
    needed = needed || exponent != 0;
    factor.push_back(static_cast<float>(std::exp2(std::clamp(exponent, -60.0, 60.0))));
    widest = std::max(widest, most / static_cast<double>(factor.back()));
  }
  if (needed) choice.factor = std::move(factor);
  choice.quantisation.max =
      static_cast<int>(std::clamp(std::ceil(kRoomAbove * widest), 1.0, 65504.0));
  return choice;
}

}  // namespace glint::quantiser
