// The logistic function, 1 / (1 + exp(-x)), by a polynomial of our own, and what is made of it.
// Class exact: single IEEE operations, the same bits on every target. Called by engine/ only.
// Thread rules: a pure function.
#ifndef GLINT_KERNELS_SIGMOID_H_
#define GLINT_KERNELS_SIGMOID_H_

#include <cstddef>

namespace glint::kernels {

// out[i] = 1 / (1 + exp(-in[i])), as docs/MODEL_FORMAT.md writes it down. Within 1e-7 of the true
// value, and within 4e-7 of it in relative terms while in[i] >= -87; below that the
// result stays what it is at -87. NaN counts as 0. out may be in.
void Sigmoid(const float* in, float* out, size_t n);
// out[i] = in[i] * sigmoid(factor * in[i]), each operation rounded; factor is positive. NaN counts
// as 0. out may be in.
void Silu(const float* in, float* out, size_t n, float factor);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_SIGMOID_H_
