// How the levels of 8x8 transforms are coded: contexts from neighbours, frequency, plane and the
// base picture, once for encoder and decoder (ports of binary_coder.h). docs/BITSTREAM.md,
// "Details". Called by codec/detail/section and transform_search. Thread rules: one caller.
#ifndef GLINT_CODEC_DETAIL_COEFFICIENTS_H_
#define GLINT_CODEC_DETAIL_COEFFICIENTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "codec/detail/binary_coder.h"

namespace glint::detail {

inline constexpr int kCoefficients = 64;
inline constexpr int kMostLevel = 32767;
inline constexpr uint8_t kMostMagnitude = 63;  // that neighbours see
inline constexpr int kExpectations = 16;       // classes of how large a level is expected to be
inline constexpr int kLiveliness = 12;         // classes of a whole transform
inline constexpr int kFrequencies = 8;         // classes of frequency
inline constexpr int kMostPrefix = 15;

using Levels = std::array<int16_t, kCoefficients>;      // [v][u]
using Magnitudes = std::array<uint8_t, kCoefficients>;  // of levels, kMostMagnitude at most

// The order of coding: diagonals of equal u + v, upwards from low frequencies.
struct ScanOrder {
  std::array<uint8_t, kCoefficients> at{};         // place in the scan to 8 v + u
  std::array<uint8_t, kCoefficients> frequency{};  // place in the scan to class
  constexpr ScanOrder() {
    constexpr uint8_t kClass[15] = {0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7};
    int k = 0;
    for (int sum = 0; sum < 15; ++sum) {
      for (int i = std::max(0, sum - 7); i <= std::min(7, sum); ++i) {
        const int v = sum % 2 == 0 ? i : sum - i;
        at[static_cast<size_t>(k)] = static_cast<uint8_t>(8 * v + sum - v);
        frequency[static_cast<size_t>(k++)] = kClass[sum];
      }
    }
  }
};
inline constexpr ScanOrder kScan{};

// Upper ends of classes of expectation; an expectation is in units of 1/24 of a level.
inline constexpr int kExpectationSteps[kExpectations - 1] = {2,  3,  5,  8,  11,  14,  18, 24,
                                                             33, 44, 60, 84, 120, 192, 336};
inline constexpr int kMostExpectation = 336;
struct ExpectationClasses {
  std::array<uint8_t, kMostExpectation + 1> of{};
  constexpr ExpectationClasses() {
    uint8_t c = 0;
    for (int e = 0; e <= kMostExpectation; ++e) {
      while (c < kExpectations - 1 && e >= kExpectationSteps[c]) ++c;
      of[static_cast<size_t>(e)] = c;
    }
  }
};
inline constexpr ExpectationClasses kExpectationClass{};
inline uint8_t ClassOf(int expectation) {
  return kExpectationClass.of[static_cast<size_t>(std::min(expectation, kMostExpectation))];
}

// Models of one plane.
struct PlaneModels {
  PlaneModels();
  AdaptiveBit coded[kLiveliness];
  AdaptiveBit last[kLiveliness][kCoefficients];  // a tree of six bits
  AdaptiveBit nonzero[kFrequencies][kExpectations];
  AdaptiveBit above_one[kFrequencies / 2][kExpectations];
  AdaptiveBit above_two[kFrequencies / 2][kExpectations];
  AdaptiveBit prefix[kExpectations][kMostPrefix + 1];
};

// What a transform's levels are expected to be, before the first of them is known.
struct Expectation {
  std::array<uint16_t, kCoefficients> of;  // each level, [v][u], in 1/24
  int liveliness = 0;                      // class of the whole
};

// Where a transform's neighbours are: magnitudes of the same plane left and above, nullptr where
// none was coded; magnitudes of the planes before it, at the same place.
struct Neighbours {
  const Magnitudes* left = nullptr;
  const Magnitudes* above = nullptr;
  const Magnitudes* first_plane = nullptr;   // of planes 1 and 2
  const Magnitudes* second_plane = nullptr;  // of plane 2
  int activity = 0;                          // what the base adds to each, in 1/24
};
void Expect(const Neighbours& neighbours, Expectation* expectation);

// Magnitudes of levels, with two rows and columns of zeros before them, as contexts within a
// transform read them.
class Surroundings {
 public:
  Surroundings() { std::memset(values_, 0, sizeof(values_)); }
  void Set(int at, uint8_t magnitude) { values_[Place(at)] = magnitude; }
  // Of what was coded around `at`, which is 8 v + u.
  int Sum(int at) const {
    const uint8_t* v = values_ + Place(at);
    return 2 * (v[-1] + v[-kStride]) + v[-kStride - 1] + v[-2] + v[-2 * kStride];
  }

 private:
  static constexpr int kStride = 16;
  static int Place(int at) { return (at / 8 + 2) * kStride + at % 8 + 2; }
  uint8_t values_[10 * kStride];
};
inline uint8_t Clipped(int magnitude) {
  return static_cast<uint8_t>(std::min<int>(magnitude, kMostMagnitude));
}

// Codes the levels of one transform of one plane; with a decoder's port writes them (`levels` must
// be zero before) and else reads them. False when a decoder meets a level that cannot be.
// `magnitudes` gets what neighbours will see. `last` gets the place of the last level in the scan,
// -1 when all are 0.
template <class Port>
bool CodeLevels(Port* port, PlaneModels* models, const Expectation& expectation, Levels* levels,
                Magnitudes* magnitudes, int* last);

// ---- implementation

template <class Port>
int CodeLast(Port* port, AdaptiveBit* tree, int last) {
  int node = 1;
  for (int bit = 5; bit >= 0; --bit) {
    node = 2 * node + (port->Code(&tree[node], ((last >> bit) & 1) != 0) ? 1 : 0);
  }
  return node - kCoefficients;
}

// 3 and more: how many binary digits value - 2 has, one bit each, then the digits below the first.
// -1 when a decoder meets more digits than there are.
template <class Port>
int CodeLarge(Port* port, AdaptiveBit* models, int value) {
  int digits = 0;
  if constexpr (!Port::kDecodes) {
    while ((value - 2) >> (digits + 1) != 0) ++digits;
    for (int i = 0; i < digits; ++i) port->Code(&models[i], true);
    port->Code(&models[digits], false);
    port->Raw(static_cast<uint32_t>(value - 2) & ((1u << digits) - 1), digits);
    return value;
  } else {
    while (port->Code(&models[digits], false)) {
      if (++digits == kMostPrefix) return -1;
    }
    return 2 + static_cast<int>((1u << digits) | port->Raw(0, digits));
  }
}

template <class Port>
bool CodeLevels(Port* port, PlaneModels* models, const Expectation& expectation, Levels* levels,
                Magnitudes* magnitudes, int* last_place) {
  int last = -1;
  if constexpr (!Port::kDecodes) {
    for (int k = kCoefficients - 1; k >= 0 && last < 0; --k) {
      if ((*levels)[kScan.at[static_cast<size_t>(k)]] != 0) last = k;
    }
  }
  magnitudes->fill(0);
  *last_place = -1;
  if (!port->Code(&models->coded[expectation.liveliness], last >= 0)) return true;
  last = CodeLast(port, models->last[expectation.liveliness], last);
  *last_place = last;

  Surroundings around;
  uint8_t places[kCoefficients];  // of levels that are not 0
  int count = 0;
  for (int k = 0; k <= last; ++k) {
    const size_t at = kScan.at[static_cast<size_t>(k)];
    const int frequency = kScan.frequency[static_cast<size_t>(k)];
    const uint8_t c = ClassOf(expectation.of[at] + 2 * around.Sum(static_cast<int>(at)));
    int value = Port::kDecodes ? 0 : std::abs(int{(*levels)[at]});
    // The last one is not 0.
    if (k < last && !port->Code(&models->nonzero[frequency][c], value > 0)) continue;
    if (!port->Code(&models->above_one[frequency / 2][c], value > 1)) {
      value = 1;
    } else if (!port->Code(&models->above_two[frequency / 2][c], value > 2)) {
      value = 2;
    } else {
      value = CodeLarge(port, models->prefix[c], value);
      if (value < 0 || value > kMostLevel) return false;
    }
    if constexpr (Port::kDecodes) (*levels)[at] = static_cast<int16_t>(value);
    const uint8_t magnitude = Clipped(value);
    (*magnitudes)[at] = magnitude;
    around.Set(static_cast<int>(at), magnitude);
    places[count++] = static_cast<uint8_t>(at);
  }
  // Signs, 1 for levels below 0, the first in the lowest bit.
  for (int begin = 0; begin < count; begin += 32) {
    const int n = std::min(32, count - begin);
    uint32_t signs = 0;
    if constexpr (!Port::kDecodes) {
      for (int i = 0; i < n; ++i) {
        signs |= uint32_t{(*levels)[places[begin + i]] < 0} << i;
      }
    }
    signs = port->Raw(signs, n);
    if constexpr (Port::kDecodes) {
      for (int i = 0; i < n; ++i) {
        int16_t& level = (*levels)[places[begin + i]];
        const int sign = -static_cast<int>((signs >> i) & 1);
        level = static_cast<int16_t>((level ^ sign) - sign);
      }
    }
  }
  return true;
}

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_COEFFICIENTS_H_
