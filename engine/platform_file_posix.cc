#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/platform_file.h"

namespace glint {
namespace {

Status LastError(StatusCode code) { return Status::Error(code, std::strerror(errno)); }

}  // namespace

Result<PlatformFile> PlatformFile::Open(const std::string& path) {
  PlatformFile file;
  // Not blocking, so that a pipe without a writer is refused instead of waited for.
  file.handle_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.handle_ < 0) return LastError(StatusCode::kNotFound);
  struct stat info = {};
  if (fstat(static_cast<int>(file.handle_), &info) != 0) return LastError(StatusCode::kIo);
  if (!S_ISREG(info.st_mode)) return Status::Error(StatusCode::kIo, "is not a regular file");
  file.size_ = info.st_size < 0 ? 0 : static_cast<uint64_t>(info.st_size);
  return file;
}

Result<size_t> PlatformFile::ReadAt(uint64_t offset, void* bytes, size_t size) const {
  ssize_t got = -1;
  do {
    got = pread(static_cast<int>(handle_), bytes, size, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return LastError(StatusCode::kIo);
  return static_cast<size_t>(got);
}

void* PlatformFile::Map(size_t size) const {
  void* mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, static_cast<int>(handle_), 0);
  return mapping == MAP_FAILED ? nullptr : mapping;
}

void PlatformFile::Unmap(void* mapping, size_t size) { munmap(mapping, size); }

void PlatformFile::Close() {
  if (handle_ >= 0) close(static_cast<int>(handle_));
  handle_ = kNone;
}

}  // namespace glint
