#include "codec/detail/coefficients.h"

#include "kernels/detail.h"

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
  const auto given = [](const Magnitudes* m) { return m == nullptr ? nullptr : m->data(); };
  const kernels::DetailKnown known{given(neighbours.left), given(neighbours.above),
                                   given(neighbours.first_plane), given(neighbours.second_plane),
                                   static_cast<uint16_t>(neighbours.activity)};
  const uint32_t sum = kernels::DetailExpect(known, expectation->of.data());
  const int mean = static_cast<int>(sum / kCoefficients);
  int c = 0;
  while (c < kLiveliness - 1 && mean >= kLivelinessSteps[c]) ++c;
  expectation->liveliness = c;
}

}  // namespace glint::detail
