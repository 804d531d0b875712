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

// Once for all targets.
#ifndef GLINT_KERNELS_GDN_ONCE_
#define GLINT_KERNELS_GDN_ONCE_
namespace glint::kernels {
namespace {

// Pixels that one call reads and writes; strides in elements.
struct Runs {
  size_t pixels, channels, in_stride, out_stride;
};

}  // namespace
}  // namespace glint::kernels
#endif  // GLINT_KERNELS_GDN_ONCE_

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Calls body(in, out, count) for each vector of all pixels: D's lanes, or what is left of a pixel.
// Pixels without gaps are one run.
template <class D, typename T, typename U, class Body>
HWY_INLINE void ForVectors(D d, const Runs& all, const T* HWY_RESTRICT in, U* HWY_RESTRICT out,
                           const Body& body) {
  const size_t lanes = hn::Lanes(d);
  const bool gapless = all.in_stride == all.channels && all.out_stride == all.channels;
  const Runs runs = gapless ? Runs{1, all.pixels * all.channels, 0, 0} : all;
  for (size_t p = 0; p < runs.pixels; ++p, in += runs.in_stride, out += runs.out_stride) {
    size_t i = 0;
    for (; i + lanes <= runs.channels; i += lanes) body(in + i, out + i, lanes);
    if (i < runs.channels) body(in + i, out + i, runs.channels - i);
  }
}

// |x| or x^2.
template <typename T, class Loader>
HWY_INLINE void FloatMagnitudes(const T* in, float* out, const Runs& runs, Gdn::Form form,
                                const Loader& load) {
  const hn::ScalableTag<float> d;
  const bool is_abs = form == Gdn::Form::kAbs;
  ForVectors(d, runs, in, out, [&](const T* from, float* to, size_t count) HWY_ATTR {
    const auto x = load(from, count);
    StoreCount(is_abs ? hn::Abs(x) : hn::Mul(x, x), d, to, count);
  });
}

void Magnitudes(const float* in, float* out, const Runs& runs, Gdn::Form form) {
  FloatMagnitudes(in, out, runs, form, [](const float* from, size_t count) HWY_ATTR {
    return LoadCount(hn::ScalableTag<float>(), from, count);
  });
}

void MagnitudesOfFloat16(const hwy::float16_t* in, float* out, const Runs& runs, Gdn::Form form) {
  FloatMagnitudes(in, out, runs, form, [](const hwy::float16_t* from, size_t count) HWY_ATTR {
    return LoadFloat16(hn::ScalableTag<float>(), from, count);
  });
}

void Magnitudes16(const int16_t* in, int16_t* out, const Runs& runs) {
  const hn::ScalableTag<int16_t> d;
  ForVectors(d, runs, in, out, [&](const int16_t* from, int16_t* to, size_t count) HWY_ATTR {
    StoreCount(hn::Abs(LoadCount(d, from, count)), d, to, count);
  });
}

void Magnitudes8(const uint8_t* in, uint8_t* out, const Runs& runs, int zero) {
  const hn::ScalableTag<uint8_t> d;
  const auto z = hn::Set(d, static_cast<uint8_t>(zero));
  ForVectors(d, runs, in, out, [&](const uint8_t* from, uint8_t* to, size_t count) HWY_ATTR {
    const auto x = LoadCount(d, from, count);
    StoreCount(hn::Or(hn::SaturatedSub(x, z), hn::SaturatedSub(z, x)), d, to, count);
  });
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

void Squares16(const int16_t* in, int16_t* out, const Runs& runs, float* pixel_scale) {
  for (size_t p = 0; p < runs.pixels; ++p, in += runs.in_stride, out += runs.out_stride) {
    pixel_scale[p] = static_cast<float>(1 << Squares(Words{in}, out, runs.channels));
  }
}
void Squares8(const uint8_t* in, int16_t* out, const Runs& runs, int zero, float* pixel_scale) {
  for (size_t p = 0; p < runs.pixels; ++p, in += runs.in_stride, out += runs.out_stride) {
    pixel_scale[p] = static_cast<float>(1 << Squares(Bytes{in, zero}, out, runs.channels));
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

  // Magnitudes of `pixels` pixels into the scratch.
  void FillScratch(const void* in, size_t in_stride, size_t pixels, float* floats) const {
    const Runs runs{pixels, channels, in_stride, scratch_stride()};
    void* const scratch = floats;
    if (input == Element::kF32) {
      HWY_DYNAMIC_DISPATCH(Magnitudes)(static_cast<const float*>(in), floats, runs, form);
    } else if (input == Element::kF16) {
      HWY_DYNAMIC_DISPATCH(MagnitudesOfFloat16)
      (static_cast<const hwy::float16_t*>(in), floats, runs, form);
    } else if (form == Form::kSqrt) {
      FillSquares(in, runs, floats);
    } else if (input == Element::kI16) {
      HWY_DYNAMIC_DISPATCH(Magnitudes16)
      (static_cast<const int16_t*>(in), static_cast<int16_t*>(scratch), runs);
    } else {
      HWY_DYNAMIC_DISPATCH(Magnitudes8)
      (static_cast<const uint8_t*>(in), static_cast<uint8_t*>(scratch), runs, zero);
    }
  }

  void FillSquares(const void* in, const Runs& runs, float* scratch) const {
    int16_t* out = static_cast<int16_t*>(static_cast<void*>(scratch));
    if (input == Element::kI16) {
      HWY_DYNAMIC_DISPATCH(Squares16)
      (static_cast<const int16_t*>(in), out, runs, PixelScales(scratch));
    } else {
      HWY_DYNAMIC_DISPATCH(Squares8)
      (static_cast<const uint8_t*>(in), out, runs, zero, PixelScales(scratch));
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
    impl_->FillScratch(from + x * in_bytes, in_stride, row.pixels, scratch);
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
