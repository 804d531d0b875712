#include "tests/kernel_reference.h"

#include <cmath>
#include <cstdint>

namespace glint::kernels {
namespace {

// Input position of tap k for output position o; false when the tap does not meet it.
bool InputAt(const ConvSpec& spec, size_t o, size_t k, int64_t* i) {
  const int64_t pad = static_cast<int64_t>(spec.padding),
                stride = static_cast<int64_t>(spec.stride);
  if (spec.kind == ConvSpec::Kind::kConv) {
    *i = static_cast<int64_t>(o) * stride - pad + static_cast<int64_t>(k);
    return true;
  }
  const int64_t twice = static_cast<int64_t>(o) + pad - static_cast<int64_t>(k);
  *i = twice / stride;
  return twice >= 0 && twice % stride == 0;
}

}  // namespace

ReferenceSum ReferenceConv(const ConvSpec& spec, const float* weight, const float* bias,
                           const std::vector<ReferenceImage>& sources, size_t oy, size_t ox,
                           size_t oc) {
  size_t in_total = 0;
  for (const ReferenceImage& source : sources) in_total += source.channels;
  ReferenceSum sum;
  sum.chain = bias == nullptr ? 0.0f : bias[oc];
  sum.value = static_cast<double>(sum.chain);
  sum.magnitude = std::abs(sum.value);
  size_t first = 0;
  for (const ReferenceImage& source : sources) {
    for (size_t ky = 0; ky < spec.kernel; ++ky) {
      for (size_t kx = 0; kx < spec.kernel; ++kx) {
        int64_t iy = 0, ix = 0;
        if (spec.mask == ConvMask::kCheckerboard && (ky + kx) % 2 == 0) continue;
        const size_t middle = spec.kernel / 2;
        const bool passed = ky < middle || (ky == middle && kx < middle);
        if (spec.mask == ConvMask::kCausal && !passed) continue;
        if (!InputAt(spec, oy, ky, &iy) || !InputAt(spec, ox, kx, &ix)) continue;
        for (size_t c = 0; c < source.channels; ++c) {
          const size_t in = first + c;
          const size_t at =
              spec.kind == ConvSpec::Kind::kConv ? oc * in_total + in : in * spec.out_channels + oc;
          const float w = weight[(at * spec.kernel + ky) * spec.kernel + kx];
          const float x = source.AtOrZero(iy, ix, c);
          const float product = w * x;
          sum.chain = sum.chain + product;
          sum.value += static_cast<double>(w) * static_cast<double>(x);
          sum.magnitude += std::abs(static_cast<double>(w) * static_cast<double>(x));
          ++sum.terms;
        }
      }
    }
    first += source.channels;
  }
  return sum;
}

double ReferenceGdn(size_t channels, Gdn::Form form, bool inverse, const float* beta,
                    const float* gamma, const float* pixel, size_t oc) {
  double norm = static_cast<double>(beta[oc]);
  for (size_t c = 0; c < channels; ++c) {
    const double x = static_cast<double>(pixel[c]);
    norm += static_cast<double>(gamma[oc * channels + c]) *
            (form == Gdn::Form::kAbs ? std::abs(x) : x * x);
  }
  if (form == Gdn::Form::kSqrt) norm = std::sqrt(norm);
  const double x = static_cast<double>(pixel[oc]);
  return inverse ? x * norm : x / norm;
}

}  // namespace glint::kernels
