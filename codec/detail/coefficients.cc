#include "codec/detail/coefficients.h"

namespace glint::detail {
namespace {

// Upper ends of classes of a transform's liveliness: the mean of its expectations, in 1/24.
constexpr int kLivelinessSteps[kLiveliness - 1] = {1, 2, 3, 5, 8, 12, 18, 28, 44, 70, 120};

// What models begin with, in per cent, by class: what they learn from photographs.
constexpr int kCoded[kLiveliness] = {10, 20, 30, 45, 70, 87, 96, 99, 99, 99, 99, 99};
constexpr int kNonzero[kExpectations] = {20, 15, 14, 20, 27, 34, 40, 49,
                                         59, 69, 76, 82, 87, 91, 94, 95};
constexpr int kAboveOne[kExpectations] = {3, 3, 3, 4, 6, 8, 10, 14, 22, 35, 48, 64, 75, 83, 92, 95};
constexpr int kAboveTwo[kExpectations] = {7,  7,  7,  8,  9,  10, 13, 16,
                                          22, 30, 40, 54, 70, 80, 90, 95};
constexpr int kPrefix = 10;

// A transform's magnitudes summed over left and above, with a border of zeros.
constexpr size_t kStride = 16;
struct Sums {
  alignas(16) uint16_t values[10 * kStride];
  Sums() { std::memset(values, 0, sizeof(values)); }
  void Add(const Magnitudes& magnitudes) {
    for (size_t v = 0; v < 8; ++v) {
      uint16_t* row = values + (v + 1) * kStride + 1;
      for (size_t u = 0; u < 8; ++u) row[u] = static_cast<uint16_t>(row[u] + magnitudes[8 * v + u]);
    }
  }
};

}  // namespace

PlaneModels::PlaneModels() {
  for (size_t c = 0; c < kLiveliness; ++c) coded[c].Expect(kCoded[c]);
  for (size_t c = 0; c < kExpectations; ++c) {
    for (auto& models : nonzero) models[c].Expect(kNonzero[c]);
    for (auto& models : above_one) models[c].Expect(kAboveOne[c]);
    for (auto& models : above_two) models[c].Expect(kAboveTwo[c]);
    for (AdaptiveBit& model : prefix[c]) model.Expect(kPrefix);
  }
}

void Expect(const Neighbours& neighbours, Expectation* expectation) {
  auto& of = expectation->of;
  of.fill(static_cast<uint16_t>(neighbours.activity));
  if (neighbours.left != nullptr || neighbours.above != nullptr) {
    Sums sums;
    if (neighbours.left != nullptr) sums.Add(*neighbours.left);
    if (neighbours.above != nullptr) sums.Add(*neighbours.above);
    for (size_t v = 0; v < 8; ++v) {
      const uint16_t* const row = sums.values + (v + 1) * kStride + 1;
      const uint16_t *const left = row - 1, *const above = row - kStride;
      for (size_t u = 0; u < 8; ++u) {
        const int cross = left[u] + row[u + 1] + above[u] + row[u + kStride];
        uint16_t& e = of[8 * v + u];
        e = static_cast<uint16_t>(e + 2 * row[u] + cross);
      }
    }
  }
  const Magnitudes* const first = neighbours.first_plane;
  const Magnitudes* const second = neighbours.second_plane;
  if (first != nullptr) {
    const int factor = second == nullptr ? 6 : 3;
    for (size_t i = 0; i < of.size(); ++i)
      of[i] = static_cast<uint16_t>(of[i] + factor * (*first)[i]);
  }
  if (second != nullptr) {
    for (size_t i = 0; i < of.size(); ++i) of[i] = static_cast<uint16_t>(of[i] + 3 * (*second)[i]);
  }
  uint32_t sum = 0;
  for (const uint16_t e : of) sum += e;
  const int mean = static_cast<int>(sum / kCoefficients);
  int c = 0;
  while (c < kLiveliness - 1 && mean >= kLivelinessSteps[c]) ++c;
  expectation->liveliness = c;
}

}  // namespace glint::detail
