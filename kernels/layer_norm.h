// Normalisation over the channels of each pixel: to mean 0 and variance 1, or to squares of mean 1;
// then a weight, and for the former a bias, for each channel. Class exact: sums have one order and
// all else is single IEEE operations, so the bits are the same on every target. Called by engine/
// only. Thread rules: a pure function.
#ifndef GLINT_KERNELS_LAYER_NORM_H_
#define GLINT_KERNELS_LAYER_NORM_H_

#include <cstddef>

namespace glint::kernels {

struct LayerNormSpec {
  size_t channels = 0;
  const float* weight = nullptr;  // [channels], as bias
  const float* bias = nullptr;    // not of RmsNorm
  float epsilon = 0.0f;
};

// Per pixel. A sum has sixteen parts: part j adds up channels j, j + 16, j + 32, ... in that order.
// Then the upper half of the parts is added to the lower one, four times.
//   mean = sum of x / channels; d = x - mean; variance = sum of d * d / channels
//   out  = d / sqrt(variance + epsilon) * weight + bias
// Strides in floats; out may be in when the strides are the same.
void LayerNorm(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
               const LayerNormSpec& spec);

// The same sum, once: out = in / sqrt(sum of in * in / channels + epsilon) * weight.
void RmsNorm(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
             const LayerNormSpec& spec);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_LAYER_NORM_H_
