// Sums in float: how a product is added, and what the epilogue loads and stores.
// Included by the kernels of products only, once per SIMD target.
// Thread rules: functions of their arguments.

// The guard toggles: every target compiles its own copy.
#if defined(GLINT_KERNELS_FLOAT_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLINT_KERNELS_FLOAT_SUMS_INL_H_
#undef GLINT_KERNELS_FLOAT_SUMS_INL_H_
#else
#define GLINT_KERNELS_FLOAT_SUMS_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kernels/float16-inl.h"
#include "kernels/tap_gemm.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

struct Fused {
  static HWY_INLINE V Accumulate(V x, V w, V sum) { return hn::MulAdd(x, w, sum); }
};
struct Separate {
  static HWY_INLINE V Accumulate(V x, V w, V sum) { return hn::Add(sum, hn::Mul(w, x)); }
};

struct Place {
  size_t channel;        // of the vector's first lane
  size_t count;          // channels that exist from here
  const void* residual;  // of the pixel
  void* out;
};

HWY_INLINE V LoadCount(const float* from, size_t count) {
  const D d;
  return count >= hn::Lanes(d) ? hn::LoadU(d, from) : hn::LoadN(d, from, count);
}

HWY_INLINE void StoreCount(V v, float* to, size_t count) {
  const D d;
  if (HWY_LIKELY(count >= hn::Lanes(d))) {
    hn::StoreU(v, d, to);
  } else {
    hn::StoreN(v, d, to, count);
  }
}

// `count` lanes of a pixel from `channel` on: of the residual, or of the input of a GDN.
template <Element R>
HWY_INLINE V LoadResidual(const void* pixel, size_t channel, size_t count, const float* scale) {
  if constexpr (R == Element::kF32) {
    return LoadCount(static_cast<const float*>(pixel) + channel, count);
  } else {
    const V x = LoadFloat16(D(), static_cast<const hwy::float16_t*>(pixel) + channel, count);
    return hn::Mul(x, LoadCount(scale + channel, count));
  }
}

HWY_INLINE V LoadResidual(const Place& at, const Epilogue& epilogue) {
  const float* scale = epilogue.residual_scale;
  return epilogue.residual == Element::kF32
             ? LoadResidual<Element::kF32>(at.residual, at.channel, at.count, scale)
             : LoadResidual<Element::kF16>(at.residual, at.channel, at.count, scale);
}

template <Element Out>
HWY_INLINE void StoreElement(V v, void* pixel, size_t channel, size_t count, float low,
                             float high) {
  if constexpr (Out == Element::kF32) {
    StoreCount(v, static_cast<float*>(pixel) + channel, count);
  } else {
    StoreFloat16(Limited(D(), v, low, high), D(), static_cast<hwy::float16_t*>(pixel) + channel,
                 count);
  }
}

HWY_INLINE void StoreElement(V v, const Place& at, const Epilogue& epilogue) {
  if (epilogue.out == Element::kF32) {
    StoreElement<Element::kF32>(v, at.out, at.channel, at.count, epilogue.low, epilogue.high);
  } else {
    StoreElement<Element::kF16>(v, at.out, at.channel, at.count, epilogue.low, epilogue.high);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_FLOAT_SUMS_INL_H_
