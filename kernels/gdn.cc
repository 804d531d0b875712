#include "kernels/gdn.h"

#include <algorithm>
#include <vector>

#include "kernels/tap_gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gdn.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// |x| or x^2 of `n` channels.
void Magnitudes(const float* HWY_RESTRICT in, float* HWY_RESTRICT out, size_t n, Gdn::Form form) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < n; i += lanes) {
    const bool whole = i + lanes <= n;
    const auto x = whole ? hn::LoadU(d, in + i) : hn::LoadN(d, in + i, n - i);
    const auto y = form == Gdn::Form::kAbs ? hn::Abs(x) : hn::Mul(x, x);
    if (whole) {
      hn::StoreU(y, d, out + i);
    } else {
      hn::StoreN(y, d, out + i, n - i);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(Magnitudes);

struct Gdn::Impl {
  size_t channels = 0;
  Form form = Form::kAbs;
  TapStore store = TapStore::kDivide;
  size_t tile = 0;
  PackedTaps packed;
};

Gdn::Gdn(size_t channels, Form form, bool inverse, const float* beta, const float* gamma)
    : impl_(new Impl) {
  impl_->channels = channels;
  impl_->form = form;
  if (form == Form::kAbs) {
    impl_->store = inverse ? TapStore::kMultiply : TapStore::kDivide;
  } else {
    impl_->store = inverse ? TapStore::kMultiplyRoot : TapStore::kDivideRoot;
  }
  impl_->tile = TilePixels();
  std::vector<float> dense(channels * channels);
  for (size_t o = 0; o < channels; ++o) {
    for (size_t c = 0; c < channels; ++c) dense[c * channels + o] = gamma[o * channels + c];
  }
  impl_->packed = PackTaps({static_cast<uint32_t>(channels)}, channels, dense.data(), beta);
}
Gdn::~Gdn() = default;
Gdn::Gdn(Gdn&&) noexcept = default;
Gdn& Gdn::operator=(Gdn&&) noexcept = default;

size_t Gdn::ScratchFloats() const { return impl_->tile * impl_->channels + 16; }
double Gdn::MacsPerPixel() const { return static_cast<double>(impl_->channels * impl_->channels); }

void Gdn::Run(const float* in, float* out, size_t pixels, size_t pixel_stride, const float* gain,
              float* scratch) const {
  const size_t channels = impl_->channels;
  Epilogue epilogue;
  epilogue.gain = gain;
  const float* tap = scratch;
  TapRow row;
  row.taps = &tap;
  row.steps = &channels;
  row.out_step = row.residual_step = pixel_stride;
  for (size_t x = 0; x < pixels; x += impl_->tile) {
    row.pixels = std::min(impl_->tile, pixels - x);
    for (size_t p = 0; p < row.pixels; ++p) {
      HWY_DYNAMIC_DISPATCH(Magnitudes)
      (in + (x + p) * pixel_stride, scratch + p * channels, channels, impl_->form);
    }
    row.out = out + x * pixel_stride;
    row.residual = in + x * pixel_stride;
    RunTaps(impl_->packed, row, Numerics::kClose, impl_->store, epilogue, 0,
            impl_->packed.blocks());
  }
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
