// Functions as docs/MODEL_FORMAT.md writes them down, one float32 operation after the other. Used
// by tests of operators that have them. Thread rules: functions of their arguments.
#ifndef GLINT_TESTS_OPS_DOCUMENT_FUNCTIONS_H_
#define GLINT_TESTS_OPS_DOCUMENT_FUNCTIONS_H_

#include <algorithm>
#include <cmath>
#include <vector>

namespace glint {

// exp(a) for -87 <= a <= 0.
inline float ExpByTheDocument(float a) {
  const float k = std::nearbyint(a * 0x1.715476p+0f);
  float r = a - k * 0x1.62ep-1f;
  r = r - k * 0x1.0bfbe8p-15f;
  float sum = 1.0f / 5040;
  for (const float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) {
    sum = sum * r;
    sum = sum + c;
  }
  return sum * std::ldexp(1.0f, static_cast<int>(k));
}

inline float SigmoidByTheDocument(float x) {
  if (std::isnan(x)) x = 0.0f;
  const float e = ExpByTheDocument(-std::min(std::abs(x), 87.0f));
  return (x < 0 ? e : 1.0f) / (1.0f + e);
}

inline float SumInParts(const std::vector<float>& values) {
  std::vector<float> parts(16, 0.0f);
  for (size_t c = 0; c < values.size(); ++c) parts[c % 16] += values[c];
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t j = 0; j < half; ++j) parts[j] += parts[j + half];
  }
  return parts[0];
}

}  // namespace glint

#endif  // GLINT_TESTS_OPS_DOCUMENT_FUNCTIONS_H_
