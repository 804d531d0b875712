// The Gaussian error linear unit, by a polynomial of our own. Class exact: single IEEE operations,
// the same bits on every target. Called by engine/ only.
// Thread rules: a pure function.
#ifndef GLINT_KERNELS_GELU_H_
#define GLINT_KERNELS_GELU_H_

#include <cstddef>

namespace glint::kernels {

// out[i] = in[i] / 2 * (1 + erf(in[i] / sqrt(2))), as docs/MODEL_FORMAT.md writes it down. Within
// 3e-7 of the true value. NaN counts as 0. out may be in.
void Gelu(const float* in, float* out, size_t n);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_GELU_H_
