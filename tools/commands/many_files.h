// Many files, one after the other or several at a time: progress, failures that do not stop the
// rest, and a summary. Used by `glint encode` and `glint decode`.
// Thread rules: main thread only; it calls CodeFile on threads of its own.
#ifndef GLINT_TOOLS_COMMANDS_MANY_FILES_H_
#define GLINT_TOOLS_COMMANDS_MANY_FILES_H_

#include <functional>
#include <string>

#include "tools/commands/coding_flags.h"
#include "tools/commands/file_flags.h"
#include "tools/commands/file_plan.h"

namespace glint::tools {

// Codes one pair of files; `call` has its threads, limits and progress.
using CodeFile =
    std::function<Expected<CodingSummary>(const FilePair& pair, const CallOptions& call)>;

struct ManyFiles {
  FilePlan plan;
  std::string kind;   // "picture"
  std::string doing;  // "encoding"
  std::string done;   // "encoded"
  CodeFile code;
};

// The plan's files as the flags say. Returns the exit code: kExitSomeFailed when one failed.
int CodeMany(const ManyFiles& files, const FileFlags& flags, const CodingFlags& coding);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_MANY_FILES_H_
