#include "engine/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace glint {
namespace {

Status FileError(StatusCode code, const std::string& path, const std::string& what) {
  return Status::Error(code, path + ": " + what);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Status ReadWhole(int fd, const std::string& path, size_t size, WorkProgress* progress,
                 std::vector<uint8_t>* out) {
  try {
    out->resize(size);
  } catch (const std::bad_alloc&) {
    return FileError(StatusCode::kLimit, path, "no memory for " + std::to_string(size) + " bytes");
  }
  constexpr size_t kPiece = size_t{16} << 20;
  for (size_t at = 0; at < size;) {
    const ssize_t got =
        pread(fd, out->data() + at, std::min(size - at, kPiece), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(StatusCode::kIo, path, std::strerror(errno));
    if (got == 0) return FileError(StatusCode::kIo, path, "became shorter while it was read");
    at += static_cast<size_t>(got);
    GLINT_TRY(progress->Done(static_cast<double>(got) / static_cast<double>(size)));
  }
  return Status::Ok();
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path, uint64_t max_bytes, Access access,
                                    MemoryBudget* budget, WorkProgress* progress) {
  // Not blocking, so that a pipe without a writer is refused instead of waited for.
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return FileError(StatusCode::kNotFound, path, std::strerror(errno));
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return FileError(StatusCode::kIo, path, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return FileError(StatusCode::kIo, path, "is not a regular file");
  if (info.st_size <= 0) return FileError(StatusCode::kIo, path, "is empty");
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (size > max_bytes || size > SIZE_MAX) {
    return FileError(
        StatusCode::kLimit, path,
        "has " + std::to_string(size) + " bytes, the limit is " + std::to_string(max_bytes));
  }
  MappedFile file;
  if (access == Access::kMap || (access == Access::kMapLarge && size >= kLarge)) {
    void* mapping = mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (mapping != MAP_FAILED) {
      file.mapping_ = mapping;
      file.bytes_ = {static_cast<const uint8_t*>(mapping), static_cast<size_t>(size)};
      return file;
    }
  }
  GLINT_TRY(budget->Take(size, path + ": its bytes"));
  GLINT_TRY(ReadWhole(fd.get(), path, static_cast<size_t>(size), progress, &file.copy_));
  file.bytes_ = file.copy_;
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})),
      mapping_(std::exchange(other.mapping_, nullptr)),
      copy_(std::move(other.copy_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  Unmap();
  bytes_ = std::exchange(other.bytes_, {});
  mapping_ = std::exchange(other.mapping_, nullptr);
  copy_ = std::move(other.copy_);
  return *this;
}

void MappedFile::Unmap() {
  if (mapping_ != nullptr) munmap(mapping_, bytes_.size());
  mapping_ = nullptr;
}

}  // namespace glint
