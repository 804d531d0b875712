// IEEE half precision as bits. Called by engine/safetensors and codec/quantiser.
// Thread rules: pure functions.
#ifndef GLINT_ENGINE_HALF_H_
#define GLINT_ENGINE_HALF_H_

#include <cstdint>

namespace glint {

inline constexpr float kMostHalf = 65504.0f;

float HalfToFloat(uint16_t half);
// Round to nearest even; beyond kMostHalf: infinity; NaN stays NaN.
uint16_t FloatToHalf(float value);

}  // namespace glint

#endif  // GLINT_ENGINE_HALF_H_
