// Which files `glint encode` and `glint decode` make out of which, settled before any is touched.
// Used by their commands.
// Thread rules: free functions.
#ifndef GLINT_TOOLS_COMMANDS_FILE_PLAN_H_
#define GLINT_TOOLS_COMMANDS_FILE_PLAN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/commands/file_flags.h"

namespace glint::tools {

struct FilePair {
  std::string in, out;
  Existing existing = Existing::kReplace;  // of `out`
};

// What a command makes of what.
struct FileKinds {
  std::string in;         // "picture"
  std::string out;        // "stream"
  bool reads_streams;     // which files of a folder count: .glint, or pictures
  std::string extension;  // of what is written into a folder: ".glint"
};

struct FilePlan {
  std::vector<FilePair> pairs;
  bool many = false;               // into a folder; else one pair
  size_t skipped = 0;              // other files of the folders
  std::vector<std::string> notes;  // files that are named like ours but left out
  std::vector<Error> failures;     // folders that cannot be read
};

// An error where the flags say nothing that can be done, or where an output would destroy an input
// or another output. Outputs in a folder are called as evaluate's --out calls them.
// `model`: the model's file, which no output may be either; empty: not known yet.
Expected<FilePlan> PlanFiles(const FileFlags& flags, const FileKinds& kinds,
                             const std::string& model);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_FILE_PLAN_H_
