// Float16 (IEEE binary16) as bits. Called by engine/safetensors and codec/quantiser.
// Thread rules: pure functions.
#ifndef GLINT_ENGINE_FLOAT16_H_
#define GLINT_ENGINE_FLOAT16_H_

#include <cstdint>

namespace glint {

inline constexpr float kMostFloat16 = 65504.0f;

float Float16ToFloat(uint16_t bits);
// Rounds to nearest, ties to even. What rounds beyond kMostFloat16 is infinity; NaN stays NaN.
uint16_t FloatToFloat16(float value);

}  // namespace glint

#endif  // GLINT_ENGINE_FLOAT16_H_
