// Element types of tensors in memory, and what an epilogue does between a sum and the store.
// Called by engine/ and kernels/.
// Thread rules: values.
#ifndef GLINT_KERNELS_ELEMENT_H_
#define GLINT_KERNELS_ELEMENT_H_

#include <cstddef>

namespace glint::kernels {

enum class Element { kF32, kF16, kI16, kU8 };

constexpr size_t BytesOf(Element element) {
  return element == Element::kF32 ? 4 : element == Element::kU8 ? 1 : 2;
}
constexpr bool IsInteger(Element element) {
  return element == Element::kI16 || element == Element::kU8;
}

// What happens to a sum before it is stored, in this order. Each operation is one of IEEE. Integer
// kernels sum without rounding, so they are exact as a whole.
//   integer sums   v = float(sum) * scale[c] + bias[c]      (float sums hold their bias already)
//   residual       v = v + r, integer and float16 r as (r - residual_zero) * residual_scale[c]
//   activation     v = max(v, v * slope), 0 <= slope <= 1
//   gain           v = v * gain[c]
//   integer store  q = round-half-even(min(max(v, low), high)) + zero; NaN counts as 0. The limits
//                  are integers, low <= 0 <= high. Zeros of int16 are 0
//   float16 store  q = float16(min(max(v, low), high)), to nearest, ties to even; NaN counts as 0
// Products of integers take no float16 and give none, those of floats no integers.
// Arrays are per output channel. Those of integer kernels hold whole vectors: PaddedChannels(c)
// floats.
struct Epilogue {
  const float* scale = nullptr;
  const float* bias = nullptr;
  Element residual = Element::kF32;
  const float* residual_scale = nullptr;
  float residual_zero = 0.0f;
  bool leaky_relu = false;
  float slope = 0.0f;
  const float* gain = nullptr;  // or nullptr
  Element out = Element::kF32;
  float low = 0.0f;
  float high = 0.0f;
  float zero = 0.0f;
};

constexpr int kDigit = 16;          // the base of SplitDigits
constexpr int kMostSquare = 32767;  // of what a Gdn of roots multiplies in integers

constexpr size_t PaddedChannels(size_t channels) { return (channels + 31) / 32 * 32; }

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_ELEMENT_H_
