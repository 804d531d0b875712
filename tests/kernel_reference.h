// Plain loops over whole tensors: the definition of convolutions and GDN, by which their kernels
// are tested. Used by tests only.
// Thread rules: pure functions.
#ifndef GLINT_TESTS_KERNEL_REFERENCE_H_
#define GLINT_TESTS_KERNEL_REFERENCE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/conv.h"
#include "kernels/gdn.h"

namespace glint::kernels {

// A whole NHWC tensor of float32.
struct ReferenceImage {
  size_t height = 0, width = 0, channels = 0;
  std::vector<float> data;
  ReferenceImage(size_t h, size_t w, size_t c)
      : height(h), width(w), channels(c), data(h * w * c) {}
  float AtOrZero(int64_t y, int64_t x, size_t c) const {
    if (y < 0 || x < 0 || y >= static_cast<int64_t>(height) || x >= static_cast<int64_t>(width))
      return 0.0f;
    return data[(static_cast<size_t>(y) * width + static_cast<size_t>(x)) * channels + c];
  }
};

// One output of a convolution: its value in double; the sum of the magnitudes of all terms, to
// which rounding errors are proportional; and the value of the exact class, a float chain in the
// order that kernels/conv.h states.
struct ReferenceSum {
  double value = 0;
  double magnitude = 0;
  float chain = 0;
  size_t terms = 0;
};

ReferenceSum ReferenceConv(const ConvSpec& spec, const float* weight, const float* bias,
                           const std::vector<ReferenceImage>& sources, size_t oy, size_t ox,
                           size_t oc);

// One output channel of GDN over the channels of a pixel.
double ReferenceGdn(size_t channels, Gdn::Form form, bool inverse, const float* beta,
                    const float* gamma, const float* pixel, size_t oc);

}  // namespace glint::kernels

#endif  // GLINT_TESTS_KERNEL_REFERENCE_H_
