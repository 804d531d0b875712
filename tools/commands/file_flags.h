// The files that `glint encode` and `glint decode` are given: one to one, or many into a folder.
// Used by their commands.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_COMMANDS_FILE_FLAGS_H_
#define GLINT_TOOLS_COMMANDS_FILE_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "tools/common/shard.h"

namespace CLI {
class App;
}

namespace glint::tools {

struct FileFlags {
  std::vector<std::string> files;  // inputs; without --out an input and an output
  std::optional<std::string> out;  // a folder
  bool recursive = false;
  int jobs = 1;
  bool force = false;
  std::optional<Shard> shard;  // of many files
};

// `what` are the files: "picture".
void AddFileFlags(CLI::App* app, const std::string& what, FileFlags* flags);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_FILE_FLAGS_H_
