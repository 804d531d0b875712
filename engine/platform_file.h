// A regular file that is read: what differs between operating systems, and no more. One file of
// code for each of them. Called by engine/mapped_file.cc.
// Thread rules: one caller at a time.
#ifndef GLINT_ENGINE_PLATFORM_FILE_H_
#define GLINT_ENGINE_PLATFORM_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/status.h"

namespace glint {

class PlatformFile {
 public:
  // `path` is UTF-8 on Windows. Errors, which do not name the file: kNotFound (cannot be opened),
  // kIo (not a regular file, or unreadable). Does not wait for a pipe's writer.
  static Result<PlatformFile> Open(const std::string& path);

  PlatformFile() = default;
  ~PlatformFile() { Close(); }
  PlatformFile(PlatformFile&& other) noexcept
      : handle_(std::exchange(other.handle_, kNone)), size_(other.size_) {}
  PlatformFile& operator=(PlatformFile&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(size_, other.size_);
    return *this;
  }

  uint64_t size() const { return size_; }
  // At most `size` bytes from `offset` on; how many, 0 at the end.
  Result<size_t> ReadAt(uint64_t offset, void* bytes, size_t size) const;
  // The first `size` bytes, to read only; nullptr where the system cannot. They outlive this.
  void* Map(size_t size) const;
  static void Unmap(void* mapping, size_t size);

 private:
  static constexpr intptr_t kNone = -1;

  void Close();

  intptr_t handle_ = kNone;  // descriptor or handle
  uint64_t size_ = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_PLATFORM_FILE_H_
