// Arrays of packed weights: aligned for vectors of every target. Called by kernels/ only.
// Thread rules: none of its own.
#ifndef GLINT_KERNELS_ALIGNED_ARRAY_H_
#define GLINT_KERNELS_ALIGNED_ARRAY_H_

#include <cstddef>
#include <new>

#include "hwy/aligned_allocator.h"
#include "kernels/memory_hooks.h"

namespace glint::kernels {

template <typename T>
using AlignedArray = hwy::AlignedFreeUniquePtr<T[]>;

// Not set to anything. Throws std::bad_alloc, where Highway gives a null pointer.
template <typename T>
AlignedArray<T> NewAlignedArray(size_t count) {
  // Highway aligns what it gets.
  const auto allocate = [](void* opaque, size_t bytes) {
    const auto* hooks = static_cast<const MemoryHooks*>(opaque);
    return hooks->allocate(hooks->opaque, bytes, alignof(std::max_align_t));
  };
  const auto release = [](void* opaque, void* memory) {
    const auto* hooks = static_cast<const MemoryHooks*>(opaque);
    hooks->release(hooks->opaque, memory);
  };
  const MemoryHooks* hooks = CurrentMemoryHooks();
  AlignedArray<T> array =
      hooks == nullptr
          ? hwy::AllocateAligned<T>(count)
          : hwy::AllocateAligned<T>(count, allocate, release, const_cast<MemoryHooks*>(hooks));
  if (!array) throw std::bad_alloc();
  return array;
}

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_ALIGNED_ARRAY_H_
