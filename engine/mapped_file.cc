#include "engine/mapped_file.h"

#include <algorithm>
#include <new>
#include <utility>

#include "engine/platform_file.h"

namespace glint {
namespace {

Status FileError(StatusCode code, const std::string& path, const std::string& what) {
  return Status::Error(code, path + ": " + what);
}

Status ReadWhole(const PlatformFile& from, const std::string& path, WorkProgress* progress,
                 std::vector<uint8_t>* out) {
  const auto size = static_cast<size_t>(from.size());
  try {
    out->resize(size);
  } catch (const std::bad_alloc&) {
    return FileError(StatusCode::kLimit, path, "no memory for " + std::to_string(size) + " bytes");
  }
  constexpr size_t kPiece = size_t{16} << 20;
  for (size_t at = 0; at < size;) {
    const Result<size_t> got = from.ReadAt(at, out->data() + at, std::min(size - at, kPiece));
    if (!got.ok()) return got.status().WithContext(path);
    if (*got == 0) return FileError(StatusCode::kIo, path, "became shorter while it was read");
    at += *got;
    GLINT_TRY(progress->Done(static_cast<double>(*got) / static_cast<double>(size)));
  }
  return Status::Ok();
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path, uint64_t max_bytes, Access access,
                                    MemoryBudget* budget, WorkProgress* progress) {
  const Result<PlatformFile> opened = PlatformFile::Open(path);
  if (!opened.ok()) return opened.status().WithContext(path);
  const uint64_t size = opened->size();
  if (size == 0) return FileError(StatusCode::kIo, path, "is empty");
  if (size > max_bytes || size > SIZE_MAX) {
    return FileError(
        StatusCode::kLimit, path,
        "has " + std::to_string(size) + " bytes, the limit is " + std::to_string(max_bytes));
  }
  MappedFile file;
  if (access == Access::kMap || (access == Access::kMapLarge && size >= kLarge)) {
    file.mapping_ = opened->Map(static_cast<size_t>(size));
    if (file.mapping_ != nullptr) {
      file.bytes_ = {static_cast<const uint8_t*>(file.mapping_), static_cast<size_t>(size)};
      return file;
    }
  }
  GLINT_TRY(budget->Take(size, path + ": its bytes"));
  GLINT_TRY(ReadWhole(*opened, path, progress, &file.copy_));
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
  if (mapping_ != nullptr) PlatformFile::Unmap(mapping_, bytes_.size());
  mapping_ = nullptr;
}

}  // namespace glint
