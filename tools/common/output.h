// Where the programs may write, and writing there so that neither a failure nor a signal leaves
// half a file. Used by the tools.
// Thread rules: free functions; may be called on several threads at once.
#ifndef GLINT_TOOLS_COMMON_OUTPUT_H_
#define GLINT_TOOLS_COMMON_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"

namespace glint::tools {

// The files that a program reads, which it must not overwrite.
class InputFiles {
 public:
  // "-" is standard input. What is no file, such as a pipe or nothing, cannot be overwritten.
  void Add(const std::string& path);
  // An error when `out` is one of them by whatever name: through links, or as the file that "-",
  // standard output, is redirected to.
  Error Check(const std::string& out) const;

 private:
  std::map<std::pair<uint64_t, uint64_t>, std::string> names_;  // by device and number
};

// An error when `out` is a terminal, which bytes that are no text would confuse.
Error CheckNoTerminal(const std::string& out);

// Where a file is or would be, whichever name or links lead there.
std::filesystem::path PlaceOf(const std::string& path);

// Checks a flag's file before the run, which would be lost if the file could not be written at its
// end. An error when there is no folder for the file, or the path is a folder itself.
Error CheckOutputPath(const std::string& flag, const std::string& path);

// WriteFile and WritePicture, with the output's name in front of errors. A signal leaves no file
// that is half written.
Error WriteOutput(const std::string& path, const void* data, size_t size,
                  Existing existing = Existing::kReplace);
Error WritePictureOutput(const std::string& path, const Picture& picture);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_OUTPUT_H_
