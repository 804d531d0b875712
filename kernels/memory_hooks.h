// Where large memory comes from: the process's own, or functions that the program gave. Used by
// what allocates arrays in kernels/ and engine/.
// Thread rules: SetMemoryHooks while nothing is allocated by another thread.
#ifndef GLINT_KERNELS_MEMORY_HOOKS_H_
#define GLINT_KERNELS_MEMORY_HOOKS_H_

#include <cstddef>

namespace glint::kernels {

struct MemoryHooks {
  void* (*allocate)(void* opaque, size_t size, size_t alignment) = nullptr;
  void (*release)(void* opaque, void* memory) = nullptr;
  void* opaque = nullptr;

  bool operator==(const MemoryHooks&) const = default;
};

// nullptr: the process's own. They live for ever, for memory is given back where it came from.
const MemoryHooks* CurrentMemoryHooks();
// Both functions or none. Throws std::bad_alloc; then nothing changes.
void SetMemoryHooks(const MemoryHooks& hooks);

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_MEMORY_HOOKS_H_
