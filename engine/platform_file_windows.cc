#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "engine/platform_file.h"

namespace glint {
namespace {

Status LastError(StatusCode code) {
  const auto error = static_cast<int>(GetLastError());
  return Status::Error(code, std::system_category().message(error));
}

std::wstring Wide(const std::string& text) {
  const int bytes = static_cast<int>(text.size());
  const int size = MultiByteToWideChar(CP_UTF8, 0, text.data(), bytes, nullptr, 0);
  std::wstring wide(static_cast<size_t>(std::max(size, 0)), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), bytes, wide.data(), size);
  return wide;
}

HANDLE HandleOf(intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

}  // namespace

Result<PlatformFile> PlatformFile::Open(const std::string& path) {
  PlatformFile file;
  const HANDLE handle = CreateFileW(Wide(path).c_str(), GENERIC_READ,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return LastError(StatusCode::kNotFound);
  file.handle_ = reinterpret_cast<intptr_t>(handle);
  if (GetFileType(handle) != FILE_TYPE_DISK) {
    return Status::Error(StatusCode::kIo, "is not a regular file");
  }
  LARGE_INTEGER size = {};
  if (GetFileSizeEx(handle, &size) == 0) return LastError(StatusCode::kIo);
  file.size_ = static_cast<uint64_t>(size.QuadPart);
  return file;
}

Result<size_t> PlatformFile::ReadAt(uint64_t offset, void* bytes, size_t size) const {
  constexpr size_t kMost = size_t{1} << 30;
  OVERLAPPED at = {};
  at.Offset = static_cast<DWORD>(offset);
  at.OffsetHigh = static_cast<DWORD>(offset >> 32);
  DWORD got = 0;
  if (ReadFile(HandleOf(handle_), bytes, static_cast<DWORD>(std::min(size, kMost)), &got, &at) ==
          0 &&
      GetLastError() != ERROR_HANDLE_EOF) {
    return LastError(StatusCode::kIo);
  }
  return static_cast<size_t>(got);
}

void* PlatformFile::Map(size_t size) const {
  const HANDLE mapping =
      CreateFileMappingW(HandleOf(handle_), nullptr, PAGE_READONLY, 0, 0, nullptr);
  if (mapping == nullptr) return nullptr;
  void* const bytes = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, size);
  CloseHandle(mapping);  // the view keeps it
  return bytes;
}

void PlatformFile::Unmap(void* mapping, size_t) { UnmapViewOfFile(mapping); }

void PlatformFile::Close() {
  if (handle_ != kNone) CloseHandle(HandleOf(handle_));
  handle_ = kNone;
}

}  // namespace glint
