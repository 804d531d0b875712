#include "kernels/pointwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pointwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/float16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using DF = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<DF>;

// Calls body(i, count) over [0, n): whole vectors, then once for what is left.
template <class D, class Body>
HWY_INLINE void ForVectors(D d, size_t n, const Body& body) {
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) body(i, lanes);
  if (i < n) body(i, n - i);
}

template <class D, typename T>
HWY_INLINE hn::Vec<D> Load(D d, const T* from, size_t count) {
  return count == hn::Lanes(d) ? hn::LoadU(d, from) : hn::LoadN(d, from, count);
}

template <class D, typename T>
HWY_INLINE void Store(hn::Vec<D> v, D d, T* to, size_t count) {
  if (count == hn::Lanes(d)) {
    hn::StoreU(v, d, to);
  } else {
    hn::StoreN(v, d, to, count);
  }
}

void LeakyReluT(const float* in, float* out, size_t n, float slope) {
  const DF d;
  const auto factor = hn::Set(d, slope);
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    const auto x = Load(d, in + i, count);
    Store(hn::Max(x, hn::Mul(x, factor)), d, out + i, count);
  });
}

void MoveChannelsT(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
                   size_t channels) {
  const DF d;
  const size_t lanes = hn::Lanes(d), whole = channels / lanes * lanes;
  for (size_t p = 0; p < pixels; ++p, in += in_stride, out += out_stride) {
    for (size_t c = 0; c < whole; c += lanes) hn::StoreU(hn::LoadU(d, in + c), d, out + c);
    if (whole < channels) {
      hn::StoreN(hn::LoadN(d, in + whole, channels - whole), d, out + whole, channels - whole);
    }
  }
}

void AddT(const float* a, const float* b, float* out, size_t n) {
  const DF d;
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    Store(hn::Add(Load(d, a + i, count), Load(d, b + i, count)), d, out + i, count);
  });
}

void MultiplyT(const float* a, const float* b, float* out, size_t n) {
  const DF d;
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    Store(hn::Mul(Load(d, a + i, count), Load(d, b + i, count)), d, out + i, count);
  });
}

void AbsT(const float* in, float* out, size_t n) {
  const DF d;
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    Store(hn::Abs(Load(d, in + i, count)), d, out + i, count);
  });
}

// Each of both that is there is one operation more.
template <bool kFactor, bool kShift>
void AffinePixels(const float* in, float* out, size_t pixels, size_t channels, size_t in_stride,
                  size_t out_stride, const float* factor, const float* shift) {
  const DF d;
  for (size_t p = 0; p < pixels; ++p) {
    const float* from = in + p * in_stride;
    float* to = out + p * out_stride;
    ForVectors(d, channels, [&](size_t i, size_t count) HWY_ATTR {
      auto x = Load(d, from + i, count);
      if constexpr (kFactor) x = hn::Mul(x, Load(d, factor + i, count));
      if constexpr (kShift) x = hn::Add(x, Load(d, shift + i, count));
      Store(x, d, to + i, count);
    });
  }
}

void AffineT(const float* in, float* out, size_t pixels, size_t channels, size_t in_stride,
             size_t out_stride, const float* factor, const float* shift) {
  const auto run = shift == nullptr    ? AffinePixels<true, false>
                   : factor == nullptr ? AffinePixels<false, true>
                                       : AffinePixels<true, true>;
  run(in, out, pixels, channels, in_stride, out_stride, factor, shift);
}

template <typename T>
void ElementsToFloatT(const T* in, float* out, size_t n, const float* scale, float zero) {
  const DF d;
  const DI di;
  const hn::Rebind<T, DF> dt;
  const auto shift = hn::Set(d, zero);
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    const auto x = hn::ConvertTo(d, hn::PromoteTo(di, Load(dt, in + i, count)));
    Store(hn::Mul(hn::Sub(x, shift), Load(d, scale + i, count)), d, out + i, count);
  });
}
void Elements16ToFloatT(const int16_t* in, float* out, size_t n, const float* scale, float zero) {
  ElementsToFloatT(in, out, n, scale, zero);
}
void Elements8ToFloatT(const uint8_t* in, float* out, size_t n, const float* scale, float zero) {
  ElementsToFloatT(in, out, n, scale, zero);
}

template <typename T>
void FloatToElementsT(const float* in, T* out, size_t n, const float* inverse_scale, float low,
                      float high, float zero) {
  const DF d;
  const DI di;
  const hn::Rebind<T, DF> dt;
  const auto least = hn::Set(d, low), most = hn::Set(d, high);
  // To the nearest integer, half to even: what lies behind the point does not fit beside kRound,
  // and the integer is in the last bits of the sum, above those of kRound itself.
  constexpr float kRound = 0x1.8p23f;
  constexpr int32_t kRoundBits = 0x4b400000;
  const auto round = hn::Set(d, kRound);
  const auto shift = hn::Set(di, static_cast<int32_t>(zero) - kRoundBits);
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    auto x = Load(d, in + i, count);
    x = hn::Mul(hn::IfThenElseZero(hn::Eq(x, x), x), Load(d, inverse_scale + i, count));
    x = hn::Min(hn::Max(x, least), most);
    const auto integer = hn::Add(hn::BitCast(di, hn::Add(x, round)), shift);
    Store(hn::DemoteTo(dt, integer), dt, out + i, count);
  });
}
void FloatToElements16T(const float* in, int16_t* out, size_t n, const float* inverse_scale,
                        float low, float high, float zero) {
  FloatToElementsT(in, out, n, inverse_scale, low, high, zero);
}
void FloatToElements8T(const float* in, uint8_t* out, size_t n, const float* inverse_scale,
                       float low, float high, float zero) {
  FloatToElementsT(in, out, n, inverse_scale, low, high, zero);
}

void Float16ToFloatT(const hwy::float16_t* in, float* out, size_t n, const float* scale) {
  const DF d;
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    Store(hn::Mul(LoadFloat16(d, in + i, count), Load(d, scale + i, count)), d, out + i, count);
  });
}

void FloatToFloat16T(const float* in, hwy::float16_t* out, size_t n, const float* inverse_scale,
                     float low, float high) {
  const DF d;
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    const auto x = hn::Mul(Load(d, in + i, count), Load(d, inverse_scale + i, count));
    StoreFloat16(Limited(d, x, low, high), d, out + i, count);
  });
}

// All digits of all channels first, in vectors; then those that are wanted are picked one by one.
// T: uint8_t, or int16_t where bytes are kept so.
template <typename T>
void SplitDigitsT(const int16_t* in, size_t in_stride, T* out, size_t out_stride, size_t pixels,
                  const Digits& digits) {
  const hn::ScalableTag<int16_t> d;
  const hn::Rebind<T, decltype(d)> dt;
  const auto store = [&](hn::Vec<decltype(d)> v, T* to, size_t count) HWY_ATTR {
    if constexpr (sizeof(T) == 1) {
      Store(hn::DemoteTo(dt, v), dt, to, count);
    } else {
      Store(v, d, to, count);
    }
  };
  const auto half = hn::Set(d, kDigit / 2), less = hn::Set(d, -kDigit / 2);
  const auto most = hn::Set(d, kDigit / 2 - 1);
  const auto low = hn::Set(d, static_cast<int16_t>(digits.low));
  const auto high = hn::Set(d, static_cast<int16_t>(digits.high));
  const auto zero = hn::Set(d, static_cast<int16_t>(digits.zero));
  const size_t channels = digits.channels;
  const bool has_low = !digits.low_of->empty(), has_coarse = !digits.coarse_of->empty();
  T lows[Digits::kMostChannels], coarse[Digits::kMostChannels];
  for (size_t p = 0; p < pixels; ++p) {
    ForVectors(d, channels, [&](size_t i, size_t count) HWY_ATTR {
      const auto q = Load(d, in + i, count);
      auto hi = hn::ShiftRight<4>(hn::SaturatedAdd(q, half));
      hi = hn::Min(hn::Max(hi, low), high);
      store(hn::Add(hi, zero), out + i, count);
      if (has_low) {
        const auto rest = hn::SaturatedSub(q, hn::ShiftLeft<4>(hi));
        store(hn::Add(hn::Min(hn::Max(rest, less), most), zero), lows + i, count);
      }
      if (has_coarse) store(hn::Add(hn::ShiftRight<4>(hn::Add(hi, half)), zero), coarse + i, count);
    });
    T* to = out + channels;
    for (const int c : *digits.low_of) *to++ = lows[c];
    for (const int c : *digits.coarse_of) *to++ = coarse[c];
    in += in_stride;
    out += out_stride;
  }
}
void SplitDigits8T(const int16_t* in, size_t in_stride, uint8_t* out, size_t out_stride,
                   size_t pixels, const Digits& digits) {
  SplitDigitsT(in, in_stride, out, out_stride, pixels, digits);
}
void SplitDigits16T(const int16_t* in, size_t in_stride, int16_t* out, size_t out_stride,
                    size_t pixels, const Digits& digits) {
  SplitDigitsT(in, in_stride, out, out_stride, pixels, digits);
}

// Without their signs floats are ordered as their bits are.
void MaxMagnitudesT(const float* in, size_t pixels, size_t channels, size_t stride, float* most) {
  const DF d;
  const DI di;
  for (size_t p = 0; p < pixels; ++p) {
    const float* from = in + p * stride;
    ForVectors(d, channels, [&](size_t i, size_t count) HWY_ATTR {
      const auto x = hn::BitCast(di, hn::Abs(Load(d, from + i, count)));
      const auto before = hn::BitCast(di, Load(d, most + i, count));
      Store(hn::BitCast(d, hn::Max(x, before)), d, most + i, count);
    });
  }
}

template <typename T>
void PixelsToFloatT(const T* in, float* out, size_t n, float max_value, float offset) {
  const DF d;
  const DI di;
  const hn::Rebind<T, DF> dt;
  const auto scale = hn::Set(d, 1.0f / max_value);
  const auto shift = hn::Set(d, offset);
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    const auto x = hn::ConvertTo(d, hn::PromoteTo(di, Load(dt, in + i, count)));
    Store(hn::Sub(hn::Mul(x, scale), shift), d, out + i, count);
  });
}
void Pixels8T(const uint8_t* in, float* out, size_t n, float max_value, float offset) {
  PixelsToFloatT(in, out, n, max_value, offset);
}
void Pixels16T(const uint16_t* in, float* out, size_t n, float max_value, float offset) {
  PixelsToFloatT(in, out, n, max_value, offset);
}

template <typename T>
void FloatToPixelsT(const float* in, T* out, size_t n, float max_value, float offset) {
  const DF d;
  const hn::Rebind<T, DF> dt;
  const auto shift = hn::Set(d, offset);
  const auto one = hn::Set(d, 1.0f), top = hn::Set(d, max_value);
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    auto x = hn::Add(Load(d, in + i, count), shift);
    x = hn::IfThenElseZero(hn::Eq(x, x), x);  // NaN
    x = hn::Mul(hn::Min(hn::Max(x, hn::Zero(d)), one), top);
    Store(hn::DemoteTo(dt, hn::NearestInt(x)), dt, out + i, count);
  });
}
void FloatToPixels8T(const float* in, uint8_t* out, size_t n, float max_value, float offset) {
  FloatToPixelsT(in, out, n, max_value, offset);
}
void FloatToPixels16T(const float* in, uint16_t* out, size_t n, float max_value, float offset) {
  FloatToPixelsT(in, out, n, max_value, offset);
}

size_t FloatToFixedT(const float* in, int16_t* out, size_t n, float scale) {
  const DF d;
  const hn::Rebind<int16_t, DF> di16;
  const auto factor = hn::Set(d, scale);
  const auto low = hn::Set(d, -32768.0f), high = hn::Set(d, 32767.0f);
  const auto least = hn::Set(d, -32768.5f), most = hn::Set(d, 32767.5f);  // what 16 bits can hold
  size_t saturated = 0;
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    auto x = hn::Mul(Load(d, in + i, count), factor);
    const auto fits = hn::And(hn::Ge(x, least), hn::Lt(x, most));
    saturated += hn::CountTrue(d, hn::Not(fits));
    x = hn::IfThenElseZero(hn::Eq(x, x), x);
    x = hn::Min(hn::Max(x, low), high);
    Store(hn::DemoteTo(di16, hn::NearestInt(x)), di16, out + i, count);
  });
  return saturated;
}

void FixedToFloatT(const int16_t* in, float* out, size_t n, float scale) {
  const DF d;
  const DI di;
  const hn::Rebind<int16_t, DF> di16;
  const auto factor = hn::Set(d, 1.0f / scale);
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    const auto x = hn::ConvertTo(d, hn::PromoteTo(di, Load(di16, in + i, count)));
    Store(hn::Mul(x, factor), d, out + i, count);
  });
}

void LimitT(const int16_t* in, int16_t* out, size_t n, int16_t most) {
  const hn::ScalableTag<int16_t> d;
  const auto high = hn::Set(d, most), low = hn::Set(d, static_cast<int16_t>(-most));
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    Store(hn::Min(hn::Max(Load(d, in + i, count), low), high), d, out + i, count);
  });
}

void IndexT(const float* raw, uint8_t* index, size_t n, const float* thresholds, size_t count) {
  constexpr size_t kGroup = 8;  // thresholds before the next look whether any lane goes on
  const DF d;
  const DI di;
  const hn::Rebind<uint8_t, DF> du8;
  ForVectors(d, n, [&](size_t i, size_t lanes) HWY_ATTR {
    const auto x = Load(d, raw + i, lanes);
    auto passed = hn::Zero(di);
    for (size_t begin = 0; begin < count; begin += kGroup) {
      if (hn::AllFalse(d, hn::Ge(x, hn::Set(d, thresholds[begin])))) break;
      const size_t end = HWY_MIN(begin + kGroup, count);
      for (size_t t = begin; t < end; ++t) {
        // A true lane is -1.
        passed = hn::Sub(passed,
                         hn::BitCast(di, hn::VecFromMask(d, hn::Ge(x, hn::Set(d, thresholds[t])))));
      }
    }
    Store(hn::DemoteTo(du8, passed), du8, index + i, lanes);
  });
}

void QuantiseT(const int16_t* y, const int16_t* mean, int16_t* symbol, int16_t* y_hat, size_t n,
               int fraction_bits) {
  const hn::ScalableTag<int32_t> d;
  const hn::Rebind<int16_t, decltype(d)> d16;
  const auto half = hn::Set(d, fraction_bits > 0 ? 1 << (fraction_bits - 1) : 0);
  const auto low = hn::Set(d, -32768), high = hn::Set(d, 32767);
  const auto below = hn::Set(d, (1 << fraction_bits) - 1);
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    const auto m = hn::PromoteTo(d, Load(d16, mean + i, count));
    const auto v = hn::Sub(hn::PromoteTo(d, Load(d16, y + i, count)), m);
    auto s = hn::ShiftRightSame(hn::Add(v, half), fraction_bits);
    // symbol * 2^f + mean in [low, high]: symbol in [ceil((low - mean) / 2^f), floor((high - mean)
    // / 2^f)].
    s = hn::Max(s, hn::ShiftRightSame(hn::Add(hn::Sub(low, m), below), fraction_bits));
    s = hn::Min(s, hn::ShiftRightSame(hn::Sub(high, m), fraction_bits));
    s = hn::Min(hn::Max(s, low), high);  // without fraction bits a far mean leaves 16 bits
    Store(hn::DemoteTo(d16, s), d16, symbol + i, count);
    Store(hn::DemoteTo(d16, hn::Add(hn::ShiftLeftSame(s, fraction_bits), m)), d16, y_hat + i,
          count);
  });
}

void DequantiseT(const int16_t* symbol, const int16_t* mean, int16_t* y_hat, size_t n,
                 int fraction_bits) {
  const hn::ScalableTag<int32_t> d;
  const hn::Rebind<int16_t, decltype(d)> d16;
  ForVectors(d, n, [&](size_t i, size_t count) HWY_ATTR {
    const auto s = hn::ShiftLeftSame(hn::PromoteTo(d, Load(d16, symbol + i, count)), fraction_bits);
    const auto m = hn::PromoteTo(d, Load(d16, mean + i, count));
    Store(hn::DemoteTo(d16, hn::Add(s, m)), d16, y_hat + i, count);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(LeakyReluT);
HWY_EXPORT(MoveChannelsT);
HWY_EXPORT(AddT);
HWY_EXPORT(MultiplyT);
HWY_EXPORT(AbsT);
HWY_EXPORT(AffineT);
HWY_EXPORT(Elements16ToFloatT);
HWY_EXPORT(Elements8ToFloatT);
HWY_EXPORT(Float16ToFloatT);
HWY_EXPORT(FloatToFloat16T);
HWY_EXPORT(FloatToElements16T);
HWY_EXPORT(FloatToElements8T);
HWY_EXPORT(SplitDigits8T);
HWY_EXPORT(SplitDigits16T);
HWY_EXPORT(MaxMagnitudesT);
HWY_EXPORT(Pixels8T);
HWY_EXPORT(Pixels16T);
HWY_EXPORT(FloatToPixels8T);
HWY_EXPORT(FloatToPixels16T);
HWY_EXPORT(FloatToFixedT);
HWY_EXPORT(FixedToFloatT);
HWY_EXPORT(LimitT);
HWY_EXPORT(IndexT);
HWY_EXPORT(QuantiseT);
HWY_EXPORT(DequantiseT);

void LeakyRelu(const float* in, float* out, size_t n, float slope) {
  HWY_DYNAMIC_DISPATCH(LeakyReluT)(in, out, n, slope);
}
void MoveChannels(const float* in, size_t in_stride, float* out, size_t out_stride, size_t pixels,
                  size_t channels) {
  HWY_DYNAMIC_DISPATCH(MoveChannelsT)(in, in_stride, out, out_stride, pixels, channels);
}
void Add(const float* a, const float* b, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(AddT)(a, b, out, n);
}
void Multiply(const float* a, const float* b, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(MultiplyT)(a, b, out, n);
}
void Abs(const float* in, float* out, size_t n) { HWY_DYNAMIC_DISPATCH(AbsT)(in, out, n); }
void Affine(const float* in, float* out, size_t pixels, size_t channels, size_t in_stride,
            size_t out_stride, const float* factor, const float* shift) {
  HWY_DYNAMIC_DISPATCH(AffineT)
  (in, out, pixels, channels, in_stride, out_stride, factor, shift);
}
void ElementsToFloat(Element element, const void* in, float* out, size_t n, const float* scale,
                     float zero) {
  if (element == Element::kF16) {
    HWY_DYNAMIC_DISPATCH(Float16ToFloatT)(static_cast<const hwy::float16_t*>(in), out, n, scale);
  } else if (element == Element::kI16) {
    HWY_DYNAMIC_DISPATCH(Elements16ToFloatT)
    (static_cast<const int16_t*>(in), out, n, scale, zero);
  } else {
    HWY_DYNAMIC_DISPATCH(Elements8ToFloatT)(static_cast<const uint8_t*>(in), out, n, scale, zero);
  }
}
void FloatToElements(const float* in, Element element, void* out, size_t n,
                     const float* inverse_scale, float low, float high, float zero) {
  if (element == Element::kF16) {
    HWY_DYNAMIC_DISPATCH(FloatToFloat16T)
    (in, static_cast<hwy::float16_t*>(out), n, inverse_scale, low, high);
  } else if (element == Element::kI16) {
    HWY_DYNAMIC_DISPATCH(FloatToElements16T)
    (in, static_cast<int16_t*>(out), n, inverse_scale, low, high, zero);
  } else {
    HWY_DYNAMIC_DISPATCH(FloatToElements8T)
    (in, static_cast<uint8_t*>(out), n, inverse_scale, low, high, zero);
  }
}
void SplitDigits(const int16_t* in, size_t in_stride, Element element, void* out, size_t out_stride,
                 size_t pixels, const Digits& digits) {
  if (element == Element::kU8) {
    HWY_DYNAMIC_DISPATCH(SplitDigits8T)
    (in, in_stride, static_cast<uint8_t*>(out), out_stride, pixels, digits);
  } else {
    HWY_DYNAMIC_DISPATCH(SplitDigits16T)
    (in, in_stride, static_cast<int16_t*>(out), out_stride, pixels, digits);
  }
}
void MaxMagnitudes(const float* in, size_t pixels, size_t channels, size_t stride, float* most) {
  HWY_DYNAMIC_DISPATCH(MaxMagnitudesT)(in, pixels, channels, stride, most);
}
void PixelsToFloat(const uint8_t* in, float* out, size_t n, float max_value, float offset) {
  HWY_DYNAMIC_DISPATCH(Pixels8T)(in, out, n, max_value, offset);
}
void PixelsToFloat(const uint16_t* in, float* out, size_t n, float max_value, float offset) {
  HWY_DYNAMIC_DISPATCH(Pixels16T)(in, out, n, max_value, offset);
}
void FloatToPixels(const float* in, uint8_t* out, size_t n, float max_value, float offset) {
  HWY_DYNAMIC_DISPATCH(FloatToPixels8T)(in, out, n, max_value, offset);
}
void FloatToPixels(const float* in, uint16_t* out, size_t n, float max_value, float offset) {
  HWY_DYNAMIC_DISPATCH(FloatToPixels16T)(in, out, n, max_value, offset);
}
size_t FloatToFixed(const float* in, int16_t* out, size_t n, float scale) {
  return HWY_DYNAMIC_DISPATCH(FloatToFixedT)(in, out, n, scale);
}
void FixedToFloat(const int16_t* in, float* out, size_t n, float scale) {
  HWY_DYNAMIC_DISPATCH(FixedToFloatT)(in, out, n, scale);
}
void Limit(const int16_t* in, int16_t* out, size_t n, int16_t most) {
  HWY_DYNAMIC_DISPATCH(LimitT)(in, out, n, most);
}
void IndexByThresholds(const float* raw, uint8_t* index, size_t n, const float* thresholds,
                       size_t count) {
  HWY_DYNAMIC_DISPATCH(IndexT)(raw, index, n, thresholds, count);
}
void Quantise(const int16_t* y, const int16_t* mean, int16_t* symbol, int16_t* y_hat, size_t n,
              int fraction_bits) {
  HWY_DYNAMIC_DISPATCH(QuantiseT)(y, mean, symbol, y_hat, n, fraction_bits);
}
void Dequantise(const int16_t* symbol, const int16_t* mean, int16_t* y_hat, size_t n,
                int fraction_bits) {
  HWY_DYNAMIC_DISPATCH(DequantiseT)(symbol, mean, y_hat, n, fraction_bits);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
