// Numbers of files, which are little-endian, on machines that may not be.
// Used by engine/ (safetensors) and codec/.
// Thread rules: functions of their arguments.
#ifndef GLINT_ENGINE_BYTE_ORDER_H_
#define GLINT_ENGINE_BYTE_ORDER_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace glint {

// Turns each of `count` numbers of `bytes` bytes from the machine's order into the file's, or back.
inline void SwapToLittleEndian(uint8_t* numbers, size_t count, size_t bytes) {
  if constexpr (std::endian::native == std::endian::little) return;
  for (size_t i = 0; i < count; ++i) std::reverse(numbers + i * bytes, numbers + (i + 1) * bytes);
}

// `count` numbers from anywhere in a file.
template <typename T>
void CopyLittleEndian(const uint8_t* from, size_t count, T* out) {
  if (count == 0) return;
  std::memcpy(out, from, count * sizeof(T));
  SwapToLittleEndian(reinterpret_cast<uint8_t*>(out), count, sizeof(T));
}

template <typename T>
T LoadLittleEndian(const uint8_t* from) {
  T value;
  CopyLittleEndian(from, 1, &value);
  return value;
}

}  // namespace glint

#endif  // GLINT_ENGINE_BYTE_ORDER_H_
