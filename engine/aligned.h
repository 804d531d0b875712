// The one place that allocates large buffers: 64-byte aligned, zeroed, move-only, failure as
// nullptr. Used by engine/ and codec/.
// Thread rules: none of its own.
#ifndef GLINT_ENGINE_ALIGNED_H_
#define GLINT_ENGINE_ALIGNED_H_

#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "kernels/memory_hooks.h"

namespace glint {

template <typename T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;

  // False when the memory cannot be had. The content is zero.
  bool Allocate(size_t count) {
    if (count > (std::numeric_limits<size_t>::max() - kAlign) / sizeof(T)) return false;
    const size_t bytes = (count * sizeof(T) + kAlign - 1) / kAlign * kAlign;
    const kernels::MemoryHooks* hooks = kernels::CurrentMemoryHooks();
    data_ = {static_cast<T*>(Take(hooks, bytes == 0 ? kAlign : bytes)), Free{hooks}};
    size_ = data_ ? count : 0;
    if (data_) std::memset(static_cast<void*>(data_.get()), 0, bytes);
    return data_ != nullptr;
  }

  T* get() { return data_.get(); }
  const T* get() const { return data_.get(); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }

 private:
  static constexpr size_t kAlign = 64;

  static void* Take(const kernels::MemoryHooks* hooks, size_t bytes) {
    if (hooks != nullptr) return hooks->allocate(hooks->opaque, bytes, kAlign);
    return ::operator new (bytes, std::align_val_t{kAlign}, std::nothrow);
  }

  struct Free {
    const kernels::MemoryHooks* hooks = nullptr;  // that it came from
    void operator()(T* p) const {
      if (hooks != nullptr) return hooks->release(hooks->opaque, p);
      ::operator delete (p, std::align_val_t{kAlign});
    }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_ALIGNED_H_
