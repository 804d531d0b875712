#include "engine/float16.h"

#include "kernels/bit_cast.h"

namespace glint {

float Float16ToFloat(uint16_t bits) {
  const uint32_t sign = uint32_t{bits} >> 15 << 31;
  const uint32_t exponent = (uint32_t{bits} >> 10) & 31;
  const uint32_t mantissa = bits & 1023u;
  if (exponent == 0) {  // zero or subnormal: exact in float
    const float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  const uint32_t wide = exponent == 31 ? 255u : exponent + 112;
  return BitCast<float>(sign | wide << 23 | mantissa << 13);
}

uint16_t FloatToFloat16(float value) {
  const uint32_t bits = BitCast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  constexpr uint32_t kInfinity = 0x7f800000u, kLeastNormal = 113u << 23, kOverflow = 0x47800000u;
  if (magnitude > kInfinity) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= kOverflow) return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude < kLeastNormal) {
    // The sum's last place is 2^-24, that of a subnormal float16: the addition rounds.
    const float sum = BitCast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (BitCast<uint32_t>(sum) - 0x3f000000u));
  }
  // A carry out of the mantissa goes on into the exponent, up to infinity.
  const uint32_t odd = magnitude >> 13 & 1;
  return static_cast<uint16_t>(sign | ((magnitude - (112u << 23) + 0xfffu + odd) >> 13));
}

}  // namespace glint
