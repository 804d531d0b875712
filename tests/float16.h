// Rounding to float16 by plain arithmetic in double, the oracle of tests: bits and instructions
// have no part in it. Used by tests only.
// Thread rules: values.
#ifndef GLINT_TESTS_HALVES_H_
#define GLINT_TESTS_HALVES_H_

#include <algorithm>
#include <cmath>

#include "engine/float16.h"

namespace glint {

// The nearest float16, of two the even one; `most` limits the magnitude, NaN counts as 0.
inline float NearestFloat16(float v, float most = kMostFloat16) {
  if (std::isnan(v)) return 0.0f;
  const double x =
      std::clamp(static_cast<double>(v), -static_cast<double>(most), static_cast<double>(most));
  int exponent = 0;
  std::frexp(x, &exponent);  // |x| in 2^(exponent - 1) .. 2^exponent
  const int unit = std::max(exponent - 11, -24);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit));
}

}  // namespace glint

#endif  // GLINT_TESTS_HALVES_H_
