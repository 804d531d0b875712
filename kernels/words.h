// Words of 32 bits that hold two or four integers, which kernels multiply at once. Words of inputs
// are loaded as they lie in memory, so others are put together in the same order: the first integer
// is in the lowest bits where the low byte comes first, and in the highest bits elsewhere.
// Thread rules: functions of their arguments.
#ifndef GLINT_KERNELS_WORDS_H_
#define GLINT_KERNELS_WORDS_H_

#include <bit>
#include <cstddef>

namespace glint::kernels {

constexpr bool kFirstIsLow = std::endian::native == std::endian::little;

// How many bits above the lowest one integer `index` of a word of `group` integers (2 or 4) lies.
constexpr int ShiftInWord(size_t group, size_t index) {
  return static_cast<int>(32 / group * (kFirstIsLow ? index : group - 1 - index));
}

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_WORDS_H_
