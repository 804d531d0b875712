// Arrays of packed weights: aligned for vectors of every target. Called by kernels/ only.
// Thread rules: none of its own.
#ifndef GLINT_KERNELS_ALIGNED_ARRAY_H_
#define GLINT_KERNELS_ALIGNED_ARRAY_H_

#include <cstddef>
#include <new>

#include "hwy/aligned_allocator.h"

namespace glint::kernels {

template <typename T>
using AlignedArray = hwy::AlignedFreeUniquePtr<T[]>;

// Not set to anything. Throws std::bad_alloc, where Highway gives a null pointer.
template <typename T>
AlignedArray<T> NewAlignedArray(size_t count) {
  AlignedArray<T> array = hwy::AllocateAligned<T>(count);
  if (!array) throw std::bad_alloc();
  return array;
}

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_ALIGNED_ARRAY_H_
