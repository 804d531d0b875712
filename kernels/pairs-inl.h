// Pairs of int16 in the lanes of int32, the first of a pair in the lower half: what
// WidenMulPairwiseAdd multiplies and sums. Included by the kernels of the detail layer only, once
// per SIMD target. Thread rules: functions of their arguments.

// The guard toggles: every target compiles its own copy.
#if defined(GLINT_KERNELS_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLINT_KERNELS_PAIRS_INL_H_
#undef GLINT_KERNELS_PAIRS_INL_H_
#else
#define GLINT_KERNELS_PAIRS_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The same pair in all lanes of D, a tag of int32.
template <class D>
HWY_INLINE hn::Vec<hn::Repartition<int16_t, D>> SetPair(D d, int first, int second) {
  const hn::Repartition<int16_t, D> d16;
  return hn::BitCast(d16, hn::Set(d, (first & 0xffff) | (second * 65536)));
}

// Pairs of the upper halves of two vectors of int32: a shift by 16 that costs little.
template <class V>
HWY_INLINE hn::Vec<hn::Repartition<int16_t, hn::DFromV<V>>> UpperHalves(V first, V second) {
  const hn::Repartition<int16_t, hn::DFromV<V>> d16;
  return hn::OddEven(hn::BitCast(d16, second), hn::BitCast(d16, hn::ShiftRight<16>(first)));
}

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_PAIRS_INL_H_
