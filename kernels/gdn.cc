#include "kernels/gdn.h"

#include <algorithm>
#include <vector>

#include "kernels/int_gemm.h"
#include "kernels/tap_gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gdn.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/float16-inl.h"

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

void MagnitudesOfFloat16(const hwy::float16_t* HWY_RESTRICT in, float* HWY_RESTRICT out, size_t n,
                         Gdn::Form form) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < n; i += lanes) {
    const auto x = LoadFloat16(d, in + i, n - i);
    const auto y = form == Gdn::Form::kAbs ? hn::Abs(x) : hn::Mul(x, x);
    hn::StoreN(y, d, out + i, HWY_MIN(lanes, n - i));
  }
}

void Magnitudes16(const int16_t* HWY_RESTRICT in, int16_t* HWY_RESTRICT out, size_t n) {
  const hn::ScalableTag<int16_t> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Abs(hn::LoadU(d, in + i)), d, out + i);
  if (i < n) hn::StoreN(hn::Abs(hn::LoadN(d, in + i, n - i)), d, out + i, n - i);
}

void Magnitudes8(const uint8_t* HWY_RESTRICT in, uint8_t* HWY_RESTRICT out, size_t n, int zero) {
  const hn::ScalableTag<uint8_t> d;
  const size_t lanes = hn::Lanes(d);
  const auto z = hn::Set(d, static_cast<uint8_t>(zero));
  for (size_t i = 0; i < n; i += lanes) {
    const size_t count = HWY_MIN(lanes, n - i);
    const auto x = hn::LoadN(d, in + i, count);
    hn::StoreN(hn::Or(hn::SaturatedSub(x, z), hn::SaturatedSub(z, x)), d, out + i, count);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(Magnitudes);
HWY_EXPORT(MagnitudesOfFloat16);
HWY_EXPORT(Magnitudes16);
HWY_EXPORT(Magnitudes8);

struct Gdn::Impl {
  size_t channels = 0;
  Form form = Form::kAbs;
  Element input = Element::kF32;
  int zero = 0;
  TapStore store = TapStore::kDivide;
  size_t chunk = 0;  // pixels whose magnitudes are in the scratch at a time: a few tiles
  PackedTaps packed;
  PackedIntTaps packed_ints;

  Impl(size_t channel_count, Form gdn_form, bool inverse)
      : channels(channel_count), form(gdn_form), chunk(4 * TilePixels()) {
    if (form == Form::kAbs) {
      store = inverse ? TapStore::kMultiply : TapStore::kDivide;
    } else {
      store = inverse ? TapStore::kMultiplyRoot : TapStore::kDivideRoot;
    }
  }

  // Channels of a pixel in the scratch: whole words for integer kernels.
  size_t scratch_stride() const { return (channels + 3) / 4 * 4; }

  template <typename T>
  std::vector<T> Transposed(const T* gamma) const {
    std::vector<T> dense(channels * channels);
    for (size_t o = 0; o < channels; ++o) {
      for (size_t c = 0; c < channels; ++c) dense[c * channels + o] = gamma[o * channels + c];
    }
    return dense;
  }

  void FillScratch(const void* pixel, size_t p, void* scratch) const {
    const size_t at = p * scratch_stride();
    if (input == Element::kF32) {
      HWY_DYNAMIC_DISPATCH(Magnitudes)
      (static_cast<const float*>(pixel), static_cast<float*>(scratch) + at, channels, form);
    } else if (input == Element::kF16) {
      HWY_DYNAMIC_DISPATCH(MagnitudesOfFloat16)
      (static_cast<const hwy::float16_t*>(pixel), static_cast<float*>(scratch) + at, channels,
       form);
    } else if (input == Element::kI16) {
      HWY_DYNAMIC_DISPATCH(Magnitudes16)
      (static_cast<const int16_t*>(pixel), static_cast<int16_t*>(scratch) + at, channels);
    } else {
      HWY_DYNAMIC_DISPATCH(Magnitudes8)
      (static_cast<const uint8_t*>(pixel), static_cast<uint8_t*>(scratch) + at, channels, zero);
    }
  }
};

Gdn::Gdn(size_t channels, Form form, bool inverse, const float* beta, const float* gamma,
         Element input, Element kept)
    : impl_(new Impl(channels, form, inverse)) {
  impl_->input = input;
  // The magnitudes are floats.
  impl_->packed = PackTaps({Element::kF32, kept}, {static_cast<uint32_t>(channels)}, channels,
                           impl_->Transposed(gamma).data(), beta);
}
Gdn::Gdn(size_t channels, Element input, int zero, bool inverse, const int16_t* gamma)
    : impl_(new Impl(channels, Form::kAbs, inverse)) {
  impl_->input = input;
  impl_->zero = zero;
  // The magnitudes have their zero at 0.
  impl_->packed_ints = PackIntTaps(input, {static_cast<uint32_t>(channels)}, channels,
                                   impl_->Transposed(gamma).data(), 0);
}
Gdn::~Gdn() = default;
Gdn::Gdn(Gdn&&) noexcept = default;
Gdn& Gdn::operator=(Gdn&&) noexcept = default;

Element Gdn::input() const { return impl_->input; }
size_t Gdn::ScratchFloats() const { return impl_->chunk * impl_->scratch_stride() + 16; }
double Gdn::MacsPerPixel() const { return static_cast<double>(impl_->channels * impl_->channels); }

void Gdn::Run(const void* in, size_t in_stride, void* out, size_t out_stride, size_t pixels,
              const Epilogue& epilogue, float* scratch) const {
  const size_t stride = impl_->scratch_stride();
  const size_t in_bytes = in_stride * BytesOf(impl_->input);
  const uint8_t* from = static_cast<const uint8_t*>(in);
  const void* tap = scratch;
  TapRow row;
  row.taps = &tap;
  row.strides = &stride;
  row.out_stride = out_stride;
  row.residual_stride = in_stride;
  for (size_t x = 0; x < pixels; x += impl_->chunk) {
    row.pixels = std::min(impl_->chunk, pixels - x);
    for (size_t p = 0; p < row.pixels; ++p) {
      impl_->FillScratch(from + (x + p) * in_bytes, p, scratch);
    }
    row.out = static_cast<uint8_t*>(out) + x * out_stride * BytesOf(epilogue.out);
    row.residual = from + x * in_bytes;
    if (IsInteger(impl_->input)) {
      RunIntTaps(impl_->packed_ints, row, impl_->store, epilogue, 0, impl_->packed_ints.blocks());
    } else {
      RunTaps(impl_->packed, row, Numerics::kClose, impl_->store, epilogue, 0,
              impl_->packed.blocks());
    }
  }
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
