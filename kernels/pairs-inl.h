// Pairs of int16 in the lanes of int32: what WidenMulPairwiseAdd multiplies and sums. Included by
// the kernels of the detail layer only, once per SIMD target. Thread rules: functions of their
// arguments.

// The guard toggles: every target compiles its own copy.
#if defined(GLINT_KERNELS_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLINT_KERNELS_PAIRS_INL_H_
#undef GLINT_KERNELS_PAIRS_INL_H_
#else
#define GLINT_KERNELS_PAIRS_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "kernels/words.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The same pair in all lanes of D, a tag of int32.
template <class D>
HWY_INLINE hn::Vec<hn::Repartition<int16_t, D>> SetPair(D d, int first, int second) {
  const hn::Repartition<int16_t, D> d16;
  const int low = kFirstIsLow ? first : second, high = kFirstIsLow ? second : first;
  return hn::BitCast(d16, hn::Set(d, (low & 0xffff) | (high * 65536)));
}

// The first of each pair in the place of its second, and the second in that of the first. What is
// left in the other place does not count.
template <class V16>
HWY_INLINE V16 FirstsToSeconds(V16 v) {
  const hn::DFromV<V16> d16;
  const hn::RepartitionToWide<decltype(d16)> d;
  if constexpr (kFirstIsLow) return hn::BitCast(d16, hn::ShiftLeft<16>(hn::BitCast(d, v)));
  return hn::BitCast(d16, hn::ShiftRight<16>(hn::BitCast(d, v)));
}
template <class V16>
HWY_INLINE V16 SecondsToFirsts(V16 v) {
  const hn::DFromV<V16> d16;
  const hn::RepartitionToWide<decltype(d16)> d;
  if constexpr (kFirstIsLow) return hn::BitCast(d16, hn::ShiftRight<16>(hn::BitCast(d, v)));
  return hn::BitCast(d16, hn::ShiftLeft<16>(hn::BitCast(d, v)));
}

// Pairs of the upper halves of two vectors of int32, which is what a shift by 16 would leave.
template <class V>
HWY_INLINE hn::Vec<hn::Repartition<int16_t, hn::DFromV<V>>> UpperHalves(V first, V second) {
  const hn::Repartition<int16_t, hn::DFromV<V>> d16;
  const auto firsts = hn::BitCast(d16, first), seconds = hn::BitCast(d16, second);
  if constexpr (kFirstIsLow) return hn::OddEven(seconds, SecondsToFirsts(firsts));
  return hn::OddEven(FirstsToSeconds(seconds), firsts);
}

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_PAIRS_INL_H_
