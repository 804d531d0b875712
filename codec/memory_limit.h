// How the codec counts memory against Limits, and what it says when there is too little.
// Called by the readers of picture files, the encoder and the decoder.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_MEMORY_LIMIT_H_
#define GLINT_CODEC_MEMORY_LIMIT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint {

// Sums and products of bytes stay at this value once they are beyond all machines.
inline constexpr uint64_t kBeyondMemory = uint64_t{1} << 60;

inline uint64_t AddBytes(uint64_t a, uint64_t b) {
  return a >= kBeyondMemory - std::min(b, kBeyondMemory) ? kBeyondMemory : a + b;
}
inline uint64_t MultiplyBytes(uint64_t a, uint64_t b) {
  return b != 0 && a > kBeyondMemory / b ? kBeyondMemory : a * b;
}

// Deflate makes nothing more than so many times smaller: what claims more is no deflated data.
inline constexpr uint64_t kMostInflation = 1032;

// The limit of a call: never more than this machine can address, which may have 32 bits.
inline uint64_t MostMemory(const Limits& limits) {
  return std::min<uint64_t>(limits.max_memory, SIZE_MAX / 2);
}

// What is left of it.
inline uint64_t FreeMemory(const Limits& limits) {
  return MostMemory(limits) - std::min(limits.held_memory, MostMemory(limits));
}

// "1537 MiB (1610612737 bytes)", rounded up, so that it would do as a limit.
std::string MemoryText(uint64_t bytes);

// Resizes a vector without letting std::bad_alloc out.
template <typename T>
bool TryResize(std::vector<T>* vector, size_t size) {
  try {
    vector->resize(size);
  } catch (const std::bad_alloc&) {
    return false;
  } catch (const std::length_error&) {
    return false;
  }
  return true;
}

// Empty, or kLimit when a call cannot have `bytes` besides what is held. `what`: begins the
// message, "needs ..." follows.
Error CheckMemory(const std::string& what, uint64_t bytes, const Limits& limits);

}  // namespace glint

#endif  // GLINT_CODEC_MEMORY_LIMIT_H_
