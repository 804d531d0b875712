// Element-wise kernels: activations, sums, gains, conversions between pixels, latents and floats,
// and the entropy model's index. Class exact: single IEEE operations, the same bits on every
// target. Called by engine/ and codec/.
// Thread rules: pure functions.
#ifndef GLINT_KERNELS_POINTWISE_H_
#define GLINT_KERNELS_POINTWISE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/element.h"

namespace glint::kernels {

// out[i] = max(in[i], in[i] * slope), 0 <= slope <= 1. out may be in.
void LeakyRelu(const float* in, float* out, size_t n, float slope);
// out[i] = a[i] + b[i]. out may be a or b.
void Add(const float* a, const float* b, float* out, size_t n);
// out[i] = a[i] * b[i]. out may be a or b.
void Multiply(const float* a, const float* b, float* out, size_t n);
// `channels` floats of each pixel, moved as they are. Strides in floats; `in` and `out` do not
// overlap.
void MoveChannels(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
                  size_t channels);
// out[i] = |in[i]|. out may be in.
void Abs(const float* in, float* out, size_t n);
// `pixels` pixels of `channels`: out = in * factor[channel] + shift[channel], two operations. One
// of both may be nullptr; then its operation is left out. Strides in floats; out may be in.
void Affine(const float* in, float* out, size_t pixels, size_t channels, size_t in_stride,
            size_t out_stride, const float* factor, const float* shift);

// What a quantised tensor holds to floats, `n` of kF16, kI16 or kU8: out = (in - zero) * scale[i].
void ElementsToFloat(Element element, const void* in, float* out, size_t n, const float* scale,
                     float zero);
// And back: in * inverse_scale[i], limited to low..high, round-half-even, + zero. NaN counts as 0.
void FloatToElements(const float* in, Element element, void* out, size_t n,
                     const float* inverse_scale, float low, float high, float zero);

// int16 to bytes of sixteen times the scale. What that loses of some channels follows as further
// channels, their digits. Per pixel, in this order, zero added to each:
//   hi[c]      = limit((in[c] + 8) >> 4, low..high), every channel
//   low digit  = limit(in[c] - 16 hi[c], -8..7), the channels that `low_of` lists
//   coarse     = (hi[c] + 8) >> 4, the channels that `coarse_of` lists: hi / 16, to go with
//                what the rounding of weights lost, in sixteenths of their scale
// `out`: kU8, or kI16 where bytes are kept so. Strides in elements.
struct Digits {
  static constexpr size_t kMostChannels = 4096;
  size_t channels = 0;  // of `in`
  const std::vector<int>* low_of = nullptr;
  const std::vector<int>* coarse_of = nullptr;
  int low = 0, high = 0, zero = 0;
};
void SplitDigits(const int16_t* in, size_t in_stride, Element element, void* out, size_t out_stride,
                 size_t pixels, const Digits& digits);

// `pixels` pixels of `channels`, `stride` floats apart: most[channel] = max(most[channel], |in|).
// NaN counts as the greatest.
void MaxMagnitudes(const float* in, size_t pixels, size_t channels, size_t stride, float* most);

// Interleaved samples 0..max_value to floats: sample * (1 / max_value) - offset. n samples.
void PixelsToFloat(const uint8_t* in, float* out, size_t n, float max_value, float offset);
void PixelsToFloat(const uint16_t* in, float* out, size_t n, float max_value, float offset);
// Floats to samples: round-half-even(clamp(in + offset, 0, 1) * max_value). NaN gives 0.
void FloatToPixels(const float* in, uint8_t* out, size_t n, float max_value, float offset);
void FloatToPixels(const float* in, uint16_t* out, size_t n, float max_value, float offset);

// Fixed point: out = saturate16(round-half-even(in * scale)), NaN gives 0; and back: in * (1 /
// scale). scale is a power of two. FloatToFixed returns how many values were saturated, or NaN.
size_t FloatToFixed(const float* in, int16_t* out, size_t n, float scale);
void FixedToFloat(const int16_t* in, float* out, size_t n, float scale);

// out[i] = in[i] limited to -most..most.
void Limit(const int16_t* in, int16_t* out, size_t n, int16_t most);

// Table index of each raw scale parameter: the number of thresholds <= raw (NaN gives 0).
// thresholds: ascending, at most 255 of them.
void IndexByThresholds(const float* raw, uint8_t* index, size_t n, const float* thresholds,
                       size_t count);

// y_hat = symbol * 2^fraction_bits + mean, where symbol = (y - mean + half) >> fraction_bits, moved
// by as few units as make y_hat fit int16. half = 2^(fraction_bits - 1), or 0 for no fraction bits.
void Quantise(const int16_t* y, const int16_t* mean, int16_t* symbol, int16_t* y_hat, size_t n,
              int fraction_bits);
// y_hat = saturate16(symbol * 2^fraction_bits + mean).
void Dequantise(const int16_t* symbol, const int16_t* mean, int16_t* y_hat, size_t n,
                int fraction_bits);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_POINTWISE_H_
