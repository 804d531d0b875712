// A file that is written under a temporary name in its folder and takes its own name when it is
// complete, so that a failure leaves an older file of that name as it was.
// Used by ByteSink.
// Thread rules: a file belongs to one thread at a time.
#ifndef GLINT_CODEC_PICTURE_FILES_OUTPUT_FILE_H_
#define GLINT_CODEC_PICTURE_FILES_OUTPUT_FILE_H_

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"

namespace glint {

// What a symbolic link names; nothing for what is no link.
std::optional<std::filesystem::path> LinkTarget(const std::filesystem::path& path);
inline constexpr int kMostLinks = 40;  // one behind the other, as in Linux

class OutputFile {
 public:
  // `name` is what messages call it, `path` where it is to be.
  OutputFile(std::string name, const std::string& path, Existing existing);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Makes the temporary file. A file that is there already must be writable, and gives the new one
  // its mode, and its owner and group where this process may do that; with kKeep it is an error.
  Error Open();
  int descriptor() const { return descriptor_; }
  // Closes the file and gives it its name, with kKeep only where nothing has that name meanwhile.
  // Without this nothing stays of it.
  Error Commit();

 private:
  Error OpenFolder();
  Error CheckExisting();
  Error OpenTemporary();
  void KeepOwnerAndMode() const;
  bool TakeName() const;  // false: errno says why
  Error IsThere() const;
  Error Fail(const std::string& what) const;  // with errno

  std::string name_;
  const bool keeps_existing_;
  std::string folder_path_;
  std::string base_;       // the last part of the path
  std::string temporary_;  // in the folder; empty: there is none
  int folder_ = -1;
  int descriptor_ = -1;
  bool exists_ = false;
  struct stat existing_ {};
};

}  // namespace glint

#endif  // GLINT_CODEC_PICTURE_FILES_OUTPUT_FILE_H_
