#include "codec/picture_files/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>

#include "codec/picture_files/byte_io.h"

namespace glint {
namespace {

// A folder may allow files to be made but not to be listed.
#ifdef O_PATH
constexpr int kFolderFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

// Behind a symbolic link, the file that it names is replaced or made, not the link.
std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (real == nullptr) {
    std::filesystem::path name = path;
    for (int i = 0; i < kMostLinks; ++i) {
      const std::optional<std::filesystem::path> target = LinkTarget(name);
      if (!target) break;
      name = *target;
    }
    return name.string();
  }
  return real.get();
}

bool IsPermission(int error) { return error == EACCES || error == EPERM || error == EROFS; }

// The bits of the group without what others may not do.
mode_t WithoutGroup(mode_t mode) {
  const mode_t others = mode & S_IRWXO;
  return (mode & ~static_cast<mode_t>(S_IRWXG)) | (mode & S_IRWXG & (others << 3));
}

}  // namespace

std::optional<std::filesystem::path> LinkTarget(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(path, error);
  if (error) return std::nullopt;
  return path.parent_path() / target;
}

OutputFile::OutputFile(std::string name, const std::string& path, Existing existing)
    : name_(std::move(name)), keeps_existing_(existing == Existing::kKeep) {
  // A link that must stay is not followed.
  const std::string real = keeps_existing_ ? path : RealPath(path);
  const size_t slash = real.rfind('/');
  folder_path_ = slash == std::string::npos ? "." : slash == 0 ? "/" : real.substr(0, slash);
  base_ = real.substr(slash == std::string::npos ? 0 : slash + 1);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlinkat(folder_, temporary_.c_str(), 0);
  if (folder_ >= 0) close(folder_);
}

Error OutputFile::Fail(const std::string& what) const {
  return FileError(ErrorCode::kIo, name_, what + ": " + std::strerror(errno));
}

Error OutputFile::IsThere() const {
  return FileError(ErrorCode::kInvalidArgument, name_, "is there already");
}

Error OutputFile::Open() {
  Error error = OpenFolder();
  if (error.ok()) error = CheckExisting();
  if (error.ok()) error = OpenTemporary();
  if (error.ok() && exists_) KeepOwnerAndMode();
  return error;
}

Error OutputFile::OpenFolder() {
  folder_ = open(folder_path_.c_str(), kFolderFlags);
  if (folder_ >= 0) return {};
  if (errno == ENOENT) {
    return FileError(ErrorCode::kIo, name_,
                     "cannot be written: there is no folder " + folder_path_);
  }
  return Fail("cannot be written: " + folder_path_);
}

Error OutputFile::CheckExisting() {
  if (base_.empty() || base_ == "." || base_ == "..") {
    errno = EISDIR;
    return Fail("cannot be written");
  }
  const int flags = keeps_existing_ ? AT_SYMLINK_NOFOLLOW : 0;
  exists_ = fstatat(folder_, base_.c_str(), &existing_, flags) == 0;
  if (!exists_) return errno == ENOENT ? Error{} : Fail("cannot be written");
  if (keeps_existing_) return IsThere();
  if (faccessat(folder_, base_.c_str(), W_OK, AT_EACCESS) == 0) return {};
  return Fail("cannot be replaced, for it is protected from writing");
}

Error OutputFile::OpenTemporary() {
  constexpr int kAttempts = 1000;
  // Not made of the file's own name: that may be as long as a name can be.
  const std::string start = ".glint-" + std::to_string(getpid()) + "-";
  // The file is private until it has its mode: nobody may read what the mode will keep from them.
  const mode_t mode = exists_ ? 0600 : 0666;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::string temporary = start + std::to_string(attempt) + ".tmp";
    descriptor_ = openat(folder_, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor_ >= 0) {
      temporary_.swap(temporary);  // takes no memory, for then the file would stay
      return {};
    }
    if (errno != EEXIST) break;
  }
  if (!IsPermission(errno)) return Fail("cannot be written");
  const std::string refused =
      "the folder " + folder_path_ + " takes no new files (" + std::strerror(errno) + ")";
  if (!exists_) return FileError(ErrorCode::kIo, name_, "cannot be written: " + refused);
  return FileError(ErrorCode::kIo, name_,
                   "cannot be replaced: " + refused +
                       ", and a file is replaced only by one that is complete; write to another "
                       "folder, or to standard output and from there into the file");
}

// Nothing of this is an error: some file systems have no owners, and few may give files away.
void OutputFile::KeepOwnerAndMode() const {
  struct stat made {};
  if (fstat(descriptor_, &made) != 0) return;
  constexpr auto kSameOwner = static_cast<uid_t>(-1);
  constexpr auto kSameGroup = static_cast<gid_t>(-1);
  if (made.st_uid != existing_.st_uid) {
    [[maybe_unused]] const int ignored = fchown(descriptor_, existing_.st_uid, kSameGroup);
  }
  const bool has_group =
      made.st_gid == existing_.st_gid || fchown(descriptor_, kSameOwner, existing_.st_gid) == 0;
  const mode_t mode = existing_.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
  fchmod(descriptor_, has_group ? mode : WithoutGroup(mode));
}

Error OutputFile::Commit() {
  const int closed = close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) return Fail("cannot be written");
  if (!TakeName()) {
    return keeps_existing_ && errno == EEXIST ? IsThere() : Fail("cannot take its name");
  }
  temporary_.clear();
  return {};
}

// What cannot rename without replacing may have hard links; what has neither replaces.
bool OutputFile::TakeName() const {
  const char* const from = temporary_.c_str();
  const char* const to = base_.c_str();
  if (keeps_existing_) {
#ifdef RENAME_NOREPLACE
    if (renameat2(folder_, from, folder_, to, RENAME_NOREPLACE) == 0) return true;
    if (errno == EEXIST) return false;
#endif
    if (linkat(folder_, from, folder_, to, 0) == 0) {
      unlinkat(folder_, from, 0);
      return true;
    }
    if (errno == EEXIST) return false;
  }
  return renameat(folder_, from, folder_, to) == 0;
}

}  // namespace glint
