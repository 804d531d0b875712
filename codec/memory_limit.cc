#include "codec/memory_limit.h"

namespace glint {

std::string MemoryText(uint64_t bytes) {
  constexpr uint64_t kKib = 1024, kMib = kKib * kKib;
  const std::string exact = std::to_string(bytes) + " bytes";
  if (bytes < kKib) return exact;
  const uint64_t unit = bytes < 4 * kMib ? kKib : kMib;
  return std::to_string(bytes / unit + (bytes % unit != 0 ? 1 : 0)) +
         (unit == kKib ? " KiB (" : " MiB (") + exact + ")";
}

Error CheckMemory(const std::string& what, uint64_t bytes, const Limits& limits) {
  if (bytes <= FreeMemory(limits)) return {};
  const std::string limit = ", the limit is " + MemoryText(MostMemory(limits));
  const uint64_t needed = AddBytes(limits.held_memory, bytes);
  if (needed >= kBeyondMemory) {
    return Error{ErrorCode::kLimit, what + " needs more memory than any machine has" + limit};
  }
  return Error{ErrorCode::kLimit, what + " needs " + MemoryText(needed) + " of memory" + limit,
               needed};
}

}  // namespace glint
