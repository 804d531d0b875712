// The logistic function as docs/MODEL_FORMAT.md writes it down. Used by tests of operators that
// have it. Thread rules: a function of its argument.
#ifndef GLINT_TESTS_OPS_SIGMOID_REFERENCE_H_
#define GLINT_TESTS_OPS_SIGMOID_REFERENCE_H_

#include <algorithm>
#include <cmath>

namespace glint {

// One float32 operation after the other.
inline float SigmoidByTheDocument(float x) {
  if (std::isnan(x)) x = 0.0f;
  const float a = -std::min(std::abs(x), 87.0f);
  const float k = std::nearbyint(a * 0x1.715476p+0f);
  float r = a - k * 0x1.62ep-1f;
  r = r - k * 0x1.0bfbe8p-15f;
  float sum = 1.0f / 5040;
  for (const float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) {
    sum = sum * r;
    sum = sum + c;
  }
  const float e = sum * std::ldexp(1.0f, static_cast<int>(k));
  return (x < 0 ? e : 1.0f) / (1.0f + e);
}

}  // namespace glint

#endif  // GLINT_TESTS_OPS_SIGMOID_REFERENCE_H_
