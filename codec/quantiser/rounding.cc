#include "codec/quantiser/rounding.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace glint::quantiser {
namespace {

constexpr int64_t kMostSum = (int64_t{1} << 31) - 1;
constexpr size_t kPanel = 32;  // columns that FactorLdl takes together

struct Row {
  float low = 0, high = 0;
  double magnitudes = 0;
  size_t count = 0;
};

Row Describe(const Layer& layer, const std::vector<float>& matrix, const std::vector<float>& factor,
             size_t out) {
  Row row;
  layer.ForElements(out, [&](size_t in, size_t, size_t index) {
    const float v = matrix[index] * factor[in];
    row.low = std::min(row.low, v);
    row.high = std::max(row.high, v);
    row.magnitudes += static_cast<double>(std::abs(v));
    ++row.count;
  });
  return row;
}

int16_t RoundTo(float value, int most) {
  const float limit = static_cast<float>(most);
  return static_cast<int16_t>(std::lrint(std::clamp(value, -limit, limit)));
}

// Sum over the row of (v - s round(v / s))^2.
double SquaredError(const Layer& layer, const std::vector<float>& matrix,
                    const std::vector<float>& factor, size_t out, float scale, int most) {
  double error = 0;
  layer.ForElements(out, [&](size_t in, size_t, size_t index) {
    const float v = matrix[index] * factor[in];
    const float e = v - scale * static_cast<float>(RoundTo(v / scale, most));
    error += static_cast<double>(e * e);
  });
  return error;
}

float SearchClip(const Layer& layer, const std::vector<float>& matrix,
                 const std::vector<float>& factor, size_t out, float scale, int most) {
  float best = scale;
  double least = SquaredError(layer, matrix, factor, out, scale, most);
  for (int percent = 98; percent >= 60; percent -= 2) {
    const float tried = scale * static_cast<float>(percent) / 100.0f;
    const double error = SquaredError(layer, matrix, factor, out, tried, most);
    if (error < least) {
      least = error;
      best = tried;
    }
  }
  return best;
}

// The most that magnitudes of an output's integers may sum up to.
int64_t MostMagnitudes(const RoundingLimits& limits) {
  return limits.most_input > 0 ? kMostSum / limits.most_input : kMostSum;
}

// Where integers go: the layer with its digits, and the place of each input channel's coarse one.
struct Target {
  Layer layer;
  std::vector<size_t> coarse;  // by input channel; 0: none
  const Split* split = nullptr;
};

Target TargetOf(const Layer& layer, const Split& split) {
  Target target{WithDigits(layer, split), std::vector<size_t>(layer.channels(), 0), &split};
  for (size_t i = 0; i < split.coarse.size(); ++i) {
    target.coarse[split.coarse[i]] = layer.channels() + split.low.size() + i;
  }
  return target;
}

// Rounds `wanted`, in units of the output's scale, and what is left as a digit where there is one.
// Returns what stands for it now.
float Place(const Target& target, float wanted, int most, size_t out, size_t in, size_t tap,
            std::vector<int16_t>* values) {
  const int16_t q = RoundTo(wanted, most);
  (*values)[target.layer.matrix.Index(out, in, tap)] = q;
  if (target.coarse[in] == 0) return static_cast<float>(q);
  const int16_t rest = RoundTo((wanted - static_cast<float>(q)) * kDigitBase, most);
  (*values)[target.layer.matrix.Index(out, target.coarse[in], tap)] = rest;
  return static_cast<float>(q) + static_cast<float>(rest) / kDigitBase;
}

// The weights that multiply the activations' low digits: a sixteenth of those of their channels.
void PlaceLow(const Target& target, const Layer& layer, const std::vector<float>& matrix,
              const std::vector<float>& factor, float scale, int most, size_t out,
              std::vector<int16_t>* values) {
  for (size_t i = 0; i < target.split->low.size(); ++i) {
    const size_t in = target.split->low[i];
    for (size_t tap = 0; tap < layer.taps(); ++tap) {
      if (!layer.matrix.IsLive(tap)) continue;
      const float v = matrix[layer.matrix.Index(out, in, tap)] * factor[in] / scale / kDigitBase;
      (*values)[target.layer.matrix.Index(out, layer.channels() + i, tap)] = RoundTo(v, most);
    }
  }
}

bool Fits(const Layer& layer, const std::vector<int16_t>& values, size_t out, int64_t most) {
  int64_t sum = 0;
  layer.ForElements(out, [&](size_t, size_t, size_t index) { sum += std::abs(values[index]); });
  return sum <= most;
}

void RoundNearest(const Layer& layer, const std::vector<float>& matrix,
                  const std::vector<float>& factor, const RoundingLimits& limits,
                  const Target& target, size_t out, IntegerMatrix* result) {
  float& scale = result->scale[out];
  int zero = 0, most = limits.most_weight;
  if (limits.asymmetric) {
    // q in 0..255 with a zero of its own: q - zero is what the products take.
    const Row row = Describe(layer, matrix, factor, out);
    zero = static_cast<int>(std::lrint(-row.low / scale));
    most = 255;
  }
  while (true) {
    layer.ForElements(out, [&](size_t in, size_t tap, size_t index) {
      const float v = matrix[index] * factor[in] / scale;
      if (limits.asymmetric) {
        result->values[index] =
            static_cast<int16_t>(std::clamp<int64_t>(std::llrint(v), -zero, 255 - zero));
      } else {
        Place(target, v, most, out, in, tap, &result->values);
      }
    });
    PlaceLow(target, layer, matrix, factor, scale, most, out, &result->values);
    if (Fits(target.layer, result->values, out, MostMagnitudes(limits))) return;
    scale *= 1.002f;  // rounding went up too often
  }
}

// Processes variables from the last to the first: with H = L D L^T the squared error is a sum of
// d_j (e_j + sum over i > j of L_ij e_i)^2, whose j-th term rounding w_j + sum L_ij e_i makes
// least (Frantar et al. 2022 in the form of Chee et al. 2023).
void RoundCompensated(const Layer& layer, const std::vector<float>& matrix,
                      const std::vector<float>& factor, const SecondMoment& moment, int most,
                      const Target& target, IntegerMatrix* result) {
  const size_t channels = layer.channels(), size = moment.size, outs = layer.out_channels;
  std::vector<float> h(moment.values);
  double trace = 0;
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j < size; ++j) {
      h[i * size + j] /= factor[i % channels] * factor[j % channels];
    }
    trace += static_cast<double>(h[i * size + i]);
  }
  constexpr double kDamping = 0.01;  // of the mean diagonal: inputs that never move stay harmless
  const float damping = static_cast<float>(kDamping * trace / static_cast<double>(size)) + 1e-12f;
  for (size_t i = 0; i < size; ++i) h[i * size + i] += damping;
  FactorLdl(size, &h);
  std::vector<float> errors(size * outs, 0.0f), wanted(outs);
  for (size_t j = size; j-- > 0;) {
    const size_t in = j % channels, tap = moment.taps[j / channels];
    for (size_t out = 0; out < outs; ++out) {
      wanted[out] = matrix[layer.matrix.Index(out, in, tap)] * factor[in] / result->scale[out];
    }
    std::vector<float> compensated(wanted);
    for (size_t i = j + 1; i < size; ++i) {
      const float l = h[i * size + j];
      const float* e = errors.data() + i * outs;
      for (size_t out = 0; out < outs; ++out) compensated[out] += l * e[out];
    }
    for (size_t out = 0; out < outs; ++out) {
      const float placed = Place(target, compensated[out], most, out, in, tap, &result->values);
      errors[j * outs + out] = wanted[out] - placed;
    }
  }
}

}  // namespace

std::vector<float> OutputScales(const Layer& layer, const std::vector<float>& matrix,
                                const std::vector<float>& factor, const RoundingLimits& limits) {
  constexpr float kLeast = 1e-12f;  // of a row of zeros
  std::vector<float> scales(layer.out_channels);
  for (size_t out = 0; out < layer.out_channels; ++out) {
    const Row row = Describe(layer, matrix, factor, out);
    float scale = limits.asymmetric
                      ? (row.high - row.low) / 255.0f
                      : std::max(row.high, -row.low) / static_cast<float>(limits.most_weight);
    if (limits.most_input > 0) {
      // Rounding may add half a unit to each.
      const double most =
          static_cast<double>(MostMagnitudes(limits)) - 0.5 * static_cast<double>(row.count);
      scale = std::max(scale, static_cast<float>(row.magnitudes / std::max(1.0, most)));
    }
    scale = std::max(scale, kLeast);
    if (limits.search_clip) {
      scale = SearchClip(layer, matrix, factor, out, scale, limits.most_weight);
    }
    scales[out] = scale;
  }
  return scales;
}

IntegerMatrix RoundMatrix(const Layer& layer, const std::vector<float>& matrix,
                          const std::vector<float>& factor, const RoundingLimits& limits,
                          const std::vector<SecondMoment>& moments, const Split& split) {
  const Target target = TargetOf(layer, split);
  IntegerMatrix result;
  result.values.assign(matrix.size() / layer.channels() * target.layer.channels(), 0);
  result.scale = OutputScales(layer, matrix, factor, limits);
  for (const SecondMoment& moment : moments) {
    RoundCompensated(layer, matrix, factor, moment, limits.most_weight, target, &result);
  }
  for (size_t out = 0; out < layer.out_channels; ++out) {
    if (!moments.empty()) {
      PlaceLow(target, layer, matrix, factor, result.scale[out], limits.most_weight, out,
               &result.values);
      if (Fits(target.layer, result.values, out, MostMagnitudes(limits))) continue;
    }
    RoundNearest(layer, matrix, factor, limits, target, out, &result);
  }
  return result;
}

std::vector<float> EffectiveMatrix(const Layer& layer, const IntegerMatrix& matrix,
                                   const std::vector<float>& factor, const Split& split) {
  const Target target = TargetOf(layer, split);
  const size_t of_output = layer.matrix.inputs_summed() * layer.taps();
  std::vector<float> values(of_output * layer.out_channels, 0.0f);
  for (size_t out = 0; out < layer.out_channels; ++out) {
    layer.ForElements(out, [&](size_t in, size_t tap, size_t index) {
      float q = matrix.values[target.layer.matrix.Index(out, in, tap)];
      if (target.coarse[in] != 0) {
        q += static_cast<float>(
                 matrix.values[target.layer.matrix.Index(out, target.coarse[in], tap)]) /
             kDigitBase;
      }
      values[index] = matrix.scale[out] * q / factor[in];
    });
  }
  return values;
}

uint64_t RoundingBytes(size_t size, size_t outs) {
  return sizeof(float) * uint64_t{size} * (uint64_t{size} + kPanel + outs);
}

template <typename T>
void FactorLdl(size_t size, std::vector<T>* values) {
  T* a = values->data();
  std::vector<T> panel(kPanel * size);  // columns of L, each contiguous
  for (size_t begin = 0; begin < size; begin += kPanel) {
    const size_t end = std::min(size, begin + kPanel);
    for (size_t j = begin; j < end; ++j) {
      // Column j of the panel, less what its earlier columns explain.
      T* column = panel.data() + (j - begin) * size;
      for (size_t i = j; i < size; ++i) column[i] = a[i * size + j];
      for (size_t k = begin; k < j; ++k) {
        const T* l = panel.data() + (k - begin) * size;
        const T ljk = l[j] * a[k * size + k];
        for (size_t i = j; i < size; ++i) column[i] -= ljk * l[i];
      }
      const T d = std::max(column[j], T(1e-20));
      a[j * size + j] = d;
      for (size_t i = j + 1; i < size; ++i) {
        column[i] /= d;
        a[i * size + j] = column[i];
      }
    }
    for (size_t i = end; i < size; ++i) {
      for (size_t k = begin; k < end; ++k) {
        const T* l = panel.data() + (k - begin) * size;
        const T lik = l[i] * a[k * size + k];
        T* row = a + i * size;
        for (size_t j = end; j <= i; ++j) row[j] -= lik * l[j];
      }
    }
  }
}
template void FactorLdl(size_t size, std::vector<float>* values);
template void FactorLdl(size_t size, std::vector<double>* values);

}  // namespace glint::quantiser
