#include "codec/detail/transform_search.h"

#include <bit>
#include <cmath>

namespace glint::detail {
namespace {

struct LevelModels {
  const AdaptiveBit* nonzero;
  const AdaptiveBit* above_one;
  const AdaptiveBit* above_two;
  const AdaptiveBit* prefix;
};

// A level that the scan could end with: what all takes then, but for saying where it ends.
struct End {
  int place;
  float bits, error;
};

// Of a level above 0, its sign included, and not that it is above 0.
float CostOfMagnitude(const LevelModels& m, int value) {
  float bits = 1;
  if (value == 1) return bits + CostOf(*m.above_one, false);
  bits += CostOf(*m.above_one, true);
  if (value == 2) return bits + CostOf(*m.above_two, false);
  bits += CostOf(*m.above_two, true);
  const int digits = static_cast<int>(std::bit_width(static_cast<uint32_t>(value - 2))) - 1;
  for (int i = 0; i < digits; ++i) bits += CostOf(m.prefix[i], true);
  return bits + CostOf(m.prefix[digits], false) + static_cast<float>(digits);
}

float CostOfLast(const AdaptiveBit* tree, int last) {
  float bits = 0;
  int node = 1;
  for (int i = 5; i >= 0; --i) {
    const bool bit = ((last >> i) & 1) != 0;
    bits += CostOf(tree[node], bit);
    node = 2 * node + (bit ? 1 : 0);
  }
  return bits;
}

}  // namespace

TransformCost ChooseLevels(const int32_t* coefficients, int step, float lambda,
                           const PlaneModels& models, const Expectation& expectation,
                           Levels* levels, Magnitudes* magnitudes, int* last) {
  levels->fill(0);
  magnitudes->fill(0);
  *last = -1;
  const AdaptiveBit& coded = models.coded[expectation.liveliness];
  const float inverse = 1.0f / static_cast<float>(step);
  float size[kCoefficients];  // in steps, in the order of the scan
  float left = 0;             // squared, of those that are not decided yet
  int end = 0;                // behind the last that could be a level
  for (int k = 0; k < kCoefficients; ++k) {
    const int32_t c = coefficients[kScan.at[static_cast<size_t>(k)]];
    size[k] = static_cast<float>(c < 0 ? -c : c) * inverse;
    left += size[k] * size[k];
    if (size[k] >= 0.5f) end = k + 1;
  }
  TransformCost best{CostOf(coded, false), left};
  if (end == 0) return best;
  float best_cost = best.error + lambda * best.bits;

  const AdaptiveBit* const last_tree = models.last[expectation.liveliness];
  const float bits_of_coded = CostOf(coded, true);
  Surroundings around;
  float bits = bits_of_coded, error = 0;
  End ends[kCoefficients];
  int end_count = 0;
  for (int k = 0; k < end; ++k) {
    const size_t at = kScan.at[static_cast<size_t>(k)];
    const float x = size[k], zero_error = x * x;
    left -= zero_error;
    const int frequency = kScan.frequency[static_cast<size_t>(k)];
    const uint8_t c = ClassOf(expectation.of[at] + 2 * around.Sum(static_cast<int>(at)));
    const LevelModels m{&models.nonzero[frequency][c], &models.above_one[frequency / 2][c],
                        &models.above_two[frequency / 2][c], models.prefix[c]};
    const float zero_bits = CostOf(*m.nonzero, false);
    const int nearest = static_cast<int>(std::min(x + 0.5f, static_cast<float>(kMostLevel)));
    if (nearest == 0) {
      bits += zero_bits;
      error += zero_error;
      continue;
    }
    const float nonzero_bits = CostOf(*m.nonzero, true);
    int value = 0;
    float value_bits = zero_bits, value_error = zero_error;
    float value_cost = zero_error + lambda * zero_bits;
    float magnitude_bits = 0;
    // Zero, the nearest, and the one below it where that is not too far.
    const int least = nearest > 2 && x >= static_cast<float>(nearest) ? nearest : nearest - 1;
    for (int v = nearest; v > 0 && v >= least; --v) {
      const float b = CostOfMagnitude(m, v);
      const float e = (x - static_cast<float>(v)) * (x - static_cast<float>(v));
      const float cost = e + lambda * (nonzero_bits + b);
      if (cost < value_cost) {
        value = v;
        value_cost = cost;
        value_bits = nonzero_bits + b;
        value_error = e;
        magnitude_bits = b;
      }
    }
    if (value > 0) {
      ends[end_count++] = {k, bits + magnitude_bits, error + value_error + left};
      (*levels)[at] = static_cast<int16_t>(coefficients[at] < 0 ? -value : value);
      (*magnitudes)[at] = Clipped(value);
      around.Set(static_cast<int>(at), Clipped(value));
    }
    bits += value_bits;
    error += value_error;
  }
  // From the last on: where the scan goes on it mostly pays, so few of the others are weighed.
  while (end_count > 0) {
    const End& e = ends[--end_count];
    if (e.error + lambda * e.bits >= best_cost) continue;
    const float e_bits = e.bits + CostOfLast(last_tree, e.place);
    if (e.error + lambda * e_bits >= best_cost) continue;
    best_cost = e.error + lambda * e_bits;
    best = {e_bits, e.error};
    *last = e.place;
  }
  for (int k = *last + 1; k < end; ++k) {
    const size_t at = kScan.at[static_cast<size_t>(k)];
    (*levels)[at] = 0;
    (*magnitudes)[at] = 0;
  }
  return best;
}

}  // namespace glint::detail
