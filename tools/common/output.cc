#include "tools/common/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "glint/image_io.hpp"
#include "tools/common/console.h"
#include "tools/common/signals.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

// Device and number of a file; nothing for what is none.
std::optional<std::pair<uint64_t, uint64_t>> IdentityOf(const std::string& path, int standard) {
  struct stat info {};
  const int failed = path == "-" ? fstat(standard, &info) : stat(path.c_str(), &info);
  if (failed != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return std::pair(static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino));
}

bool IsTerminal(const std::string& out) {
  if (out == "-") return isatty(STDOUT_FILENO) == 1;
  struct stat info {};
  if (stat(out.c_str(), &info) != 0 || !S_ISCHR(info.st_mode)) return false;
  const int device = open(out.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) return false;
  const bool terminal = isatty(device) == 1;
  close(device);
  return terminal;
}

}  // namespace

void InputFiles::Add(const std::string& path) {
  const auto identity = IdentityOf(path, STDIN_FILENO);
  if (identity) names_.emplace(*identity, path);
}

Error InputFiles::Check(const std::string& out) const {
  const auto identity = IdentityOf(out, STDOUT_FILENO);
  const auto input = identity ? names_.find(*identity) : names_.end();
  if (input == names_.end()) return {};
  const std::string same =
      input->second == out ? "" : ", for it is the same file as " + InputName(input->second);
  return MakeError(ErrorCode::kInvalidArgument, OutputName(out) + ": would overwrite what is read" +
                                                    same + "; choose another name for the output");
}

Error CheckNoTerminal(const std::string& out) {
  if (!IsTerminal(out)) return {};
  return MakeError(ErrorCode::kInvalidArgument,
                   OutputName(out) +
                       ": is a terminal, and what would be written is no text; name a file, or "
                       "redirect it (--force writes it all the same)");
}

fs::path PlaceOf(const std::string& path) {
  constexpr int kMostLinks = 40;  // as Linux has it
  std::error_code error;
  fs::path place = fs::absolute(path, error);
  // A link to what is not there yet, which weakly_canonical leaves as it is.
  for (int links = 0; links < kMostLinks && fs::is_symlink(place, error); ++links) {
    place = place.parent_path() / fs::read_symlink(place, error);
  }
  place = fs::weakly_canonical(place, error);
  return error ? fs::path(path) : place;
}

Error CheckOutputPath(const std::string& flag, const std::string& path) {
  if (path == "-") return {};
  if (path.empty()) return MakeError(ErrorCode::kInvalidArgument, flag + ": names no file");
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return MakeError(ErrorCode::kInvalidArgument, flag + " " + path + ": is a folder");
  }
  if (error == std::errc::filename_too_long || error == std::errc::too_many_symbolic_link_levels) {
    return MakeError(ErrorCode::kInvalidArgument, flag + " " + path + ": " + error.message());
  }
  const fs::path folder = fs::absolute(path, error).parent_path();
  if (fs::is_directory(folder, error)) {
    const bool stored = WritesStoredFile(path);
    if (!stored || access(fs::canonical(folder, error).c_str(), W_OK) == 0) return {};
    return MakeError(ErrorCode::kIo,
                     flag + " " + path + ": the folder " + folder.string() + " takes no new files");
  }
  return MakeError(ErrorCode::kNotFound,
                   flag + " " + path + ": there is no folder " + folder.string());
}

Error WriteOutput(const std::string& path, const void* data, size_t size, Existing existing) {
  const UnfinishedFile unfinished(path);
  if (!unfinished.allowed()) return MakeError(ErrorCode::kCancelled, "interrupted");
  return At(OutputName(path), WriteFile(path, data, size, existing));
}

Error WritePictureOutput(const std::string& path, const Picture& picture) {
  const UnfinishedFile unfinished(path);
  if (!unfinished.allowed()) return MakeError(ErrorCode::kCancelled, "interrupted");
  return At(OutputName(path), WritePicture(path, picture));
}

}  // namespace glint::tools
