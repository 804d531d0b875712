// Halves by plain arithmetic in double, as the oracle of tests: no kernel and no instruction of the
// CPU's has a part in it. Used by tests only. Thread rules: values.
#ifndef GLINT_TESTS_HALVES_H_
#define GLINT_TESTS_HALVES_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace glint {

// The nearest half, of two the even one; `most` limits the magnitude, NaN counts as 0.
inline float NearestHalf(float v, float most = 65504.0f) {
  if (std::isnan(v)) return 0.0f;
  const double x =
      std::clamp(static_cast<double>(v), -static_cast<double>(most), static_cast<double>(most));
  int exponent = 0;
  std::frexp(x, &exponent);  // |x| in 2^(exponent - 1) .. 2^exponent
  const int unit = std::max(exponent - 11, -24);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit));
}

// Bits of a float that is a half.
inline uint16_t HalfBits(float half) {
  const unsigned sign = std::signbit(half) ? 0x8000u : 0u;
  int exponent = 0;
  const double fraction = std::frexp(std::abs(static_cast<double>(half)), &exponent);
  if (half == 0.0f || exponent < -13) {  // below 2^-14: no leading one
    return static_cast<uint16_t>(sign | static_cast<unsigned>(std::ldexp(fraction, exponent + 24)));
  }
  const unsigned mantissa = static_cast<unsigned>(std::ldexp(fraction, 11)) - 1024u;
  return static_cast<uint16_t>(sign | (static_cast<unsigned>(exponent + 14) << 10) | mantissa);
}

inline float HalfValue(uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return static_cast<float>(bits & 0x8000 ? -magnitude : magnitude);
}

}  // namespace glint

#endif  // GLINT_TESTS_HALVES_H_
