// A whole regular file as read-only bytes: read into memory, or mapped. Called by
// engine/model_file.cc. Empty and special files (folders, pipes, devices) are refused.
// Thread rules: immutable after Open. A file that was read may change then. One that is mapped must
// not: what is written to it is seen here, and reading where it has been cut off ends the process.
#ifndef GLINT_ENGINE_MAPPED_FILE_H_
#define GLINT_ENGINE_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/memory_budget.h"
#include "engine/status.h"
#include "engine/work_progress.h"

namespace glint {

class MappedFile {
 public:
  // Files below this size are read, unless one asks for a mapping.
  static constexpr uint64_t kLarge = uint64_t{64} << 20;
  // kMapLarge and kMap: read where the system cannot map.
  enum class Access { kMapLarge, kRead, kMap };

  // Errors: kNotFound (cannot be opened), kIo (special, empty or unreadable), kLimit (> max_bytes,
  // or of memory), kCancelled. `progress` hears what share of the bytes is read.
  static Result<MappedFile> Open(const std::string& path, uint64_t max_bytes, Access access,
                                 MemoryBudget* budget, WorkProgress* progress);

  MappedFile() = default;
  ~MappedFile() { Unmap(); }
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  void Unmap();

  std::span<const uint8_t> bytes_;
  void* mapping_ = nullptr;
  std::vector<uint8_t> copy_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_MAPPED_FILE_H_
