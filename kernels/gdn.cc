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
#include "kernels/int_sums-inl.h"

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

// The integers of `n` channels less their zero: 16 bits, as many as the target has lanes of floats.
struct Words {
  const int16_t* HWY_RESTRICT in;
  template <class D>
  HWY_INLINE hn::VFromD<D> Load(D d, size_t i, size_t count) const {
    const hn::Rebind<int16_t, D> d16;
    return hn::PromoteTo(d, LoadCount(d16, in + i, count));
  }
};
struct Bytes {
  const uint8_t* HWY_RESTRICT in;
  int zero;
  template <class D>
  HWY_INLINE hn::VFromD<D> Load(D d, size_t i, size_t count) const {
    const hn::Rebind<uint8_t, D> d8;
    const auto q = hn::PromoteTo(d, LoadCount(d8, in + i, count));
    // Lanes that do not exist are 0 in all of this.
    return hn::IfThenElseZero(hn::FirstN(d, count), hn::Sub(q, hn::Set(d, zero)));
  }
};

// Gdn::Form::kSqrt over integers: m of the channels; returns k.
template <class Input>
int Squares(const Input& input, int16_t* HWY_RESTRICT out, size_t n) {
  const hn::ScalableTag<int32_t> d;
  const hn::Rebind<int16_t, decltype(d)> d16;
  const size_t lanes = hn::Lanes(d);
  auto most = hn::Zero(d);
  for (size_t i = 0; i < n; i += lanes) {
    most = hn::Max(most, hn::Abs(input.Load(d, i, HWY_MIN(lanes, n - i))));
  }
  const int32_t widest = hn::ReduceMax(d, most);
  int k = 0;
  while (widest * widest > kMostSquare << k) ++k;
  const auto half = hn::Set(d, (1 << k) >> 1);
  for (size_t i = 0; i < n; i += lanes) {
    const size_t count = HWY_MIN(lanes, n - i);
    const auto q = input.Load(d, i, count);
    const auto m = hn::ShiftRightSame(hn::Add(hn::Mul(q, q), half), k);
    StoreCount(hn::DemoteTo(d16, m), d16, out + i, count);
  }
  return k;
}

int Squares16(const int16_t* HWY_RESTRICT in, int16_t* HWY_RESTRICT out, size_t n) {
  return Squares(Words{in}, out, n);
}
int Squares8(const uint8_t* HWY_RESTRICT in, int16_t* HWY_RESTRICT out, size_t n, int zero) {
  return Squares(Bytes{in, zero}, out, n);
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
HWY_EXPORT(Squares16);
HWY_EXPORT(Squares8);

struct Gdn::Impl {
  size_t channels = 0;
  Form form = Form::kAbs;
  Element input = Element::kF32;
  int zero = 0;
  Join join = Join::kDivide;
  size_t chunk = 0;  // pixels whose magnitudes are in the scratch at a time: a few tiles
  PackedTaps packed;
  PackedIntTaps packed_ints;

  Impl(size_t channel_count, Form gdn_form, bool inverse)
      : channels(channel_count), form(gdn_form), chunk(4 * TilePixels()) {
    if (form == Form::kAbs) {
      join = inverse ? Join::kMultiply : Join::kDivide;
    } else {
      join = inverse ? Join::kMultiplyRoot : Join::kDivideRoot;
    }
  }

  // Channels of a pixel in the scratch: whole words for integer kernels.
  size_t scratch_stride() const { return (channels + 3) / 4 * 4; }
  // Behind the magnitudes: what the sums of each pixel count for.
  float* PixelScales(float* scratch) const { return scratch + chunk * scratch_stride() + 16; }

  template <typename T>
  std::vector<T> Transposed(const T* gamma) const {
    std::vector<T> dense(channels * channels);
    for (size_t o = 0; o < channels; ++o) {
      for (size_t c = 0; c < channels; ++c) dense[c * channels + o] = gamma[o * channels + c];
    }
    return dense;
  }

  void FillSquares(const void* pixel, size_t p, float* scratch) const {
    int16_t* out = static_cast<int16_t*>(static_cast<void*>(scratch)) + p * scratch_stride();
    const int k =
        input == Element::kI16
            ? HWY_DYNAMIC_DISPATCH(Squares16)(static_cast<const int16_t*>(pixel), out, channels)
            : HWY_DYNAMIC_DISPATCH(Squares8)(static_cast<const uint8_t*>(pixel), out, channels,
                                             zero);
    PixelScales(scratch)[p] = static_cast<float>(1 << k);
  }

  void FillScratch(const void* pixel, size_t p, float* floats) const {
    if (IsInteger(input) && form == Form::kSqrt) return FillSquares(pixel, p, floats);
    void* const scratch = floats;
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
Gdn::Gdn(size_t channels, Form form, Element input, int zero, bool inverse, const int16_t* gamma)
    : impl_(new Impl(channels, form, inverse)) {
  impl_->input = input;
  impl_->zero = zero;
  // The magnitudes have their zero at 0, and squares are words.
  impl_->packed_ints =
      PackIntTaps(form == Form::kSqrt ? Element::kI16 : input, {static_cast<uint32_t>(channels)},
                  channels, impl_->Transposed(gamma).data(), 0);
}
Gdn::~Gdn() = default;
Gdn::Gdn(Gdn&&) noexcept = default;
Gdn& Gdn::operator=(Gdn&&) noexcept = default;

Element Gdn::input() const { return impl_->input; }
size_t Gdn::ScratchFloats() const { return impl_->chunk * (impl_->scratch_stride() + 1) + 16; }
size_t Gdn::packed_bytes() const {
  return IsInteger(impl_->input) ? impl_->packed_ints.bytes() : impl_->packed.bytes();
}
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
  row.pixel_scale = impl_->PixelScales(scratch);
  for (size_t x = 0; x < pixels; x += impl_->chunk) {
    row.pixels = std::min(impl_->chunk, pixels - x);
    for (size_t p = 0; p < row.pixels; ++p) {
      impl_->FillScratch(from + (x + p) * in_bytes, p, scratch);
    }
    row.out = static_cast<uint8_t*>(out) + x * out_stride * BytesOf(epilogue.out);
    row.residual = from + x * in_bytes;
    if (IsInteger(impl_->input)) {
      RunIntTaps(impl_->packed_ints, row, impl_->join, epilogue, 0, impl_->packed_ints.blocks());
    } else {
      RunTaps(impl_->packed, row, Numerics::kClose, impl_->join, epilogue, 0,
              impl_->packed.blocks());
    }
  }
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
