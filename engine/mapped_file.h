// A whole regular file as read-only bytes: mapped into memory, or read where it cannot be mapped.
// Called by engine/model_file.cc. Empty and special files (folders, pipes, devices) are refused.
// Thread rules: immutable after Open; the file must not be shortened while it is open.
#ifndef GLINT_ENGINE_MAPPED_FILE_H_
#define GLINT_ENGINE_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/status.h"

namespace glint {

class MappedFile {
 public:
  enum class Access { kMapOrRead, kRead };

  // Errors: kNotFound (cannot be opened), kIo (special, empty or unreadable), kLimit (> max_bytes).
  static Result<MappedFile> Open(const std::string& path, uint64_t max_bytes,
                                 Access access = Access::kMapOrRead);

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
