// What the tools say alike: messages, exit codes, the status line.
// Used by everything in tools/.
// Thread rules: main thread only, but for the making of errors.
#ifndef GLINT_TOOLS_COMMON_CONSOLE_H_
#define GLINT_TOOLS_COMMON_CONSOLE_H_

#include <cstddef>
#include <string>

#include "glint/glint.hpp"

namespace glint::tools {

inline constexpr int kExitOk = 0;
inline constexpr int kExitSomeFailed = 1;  // some pictures of a folder could not be done
inline constexpr int kExitBad = 2;         // a bad flag, file, model or stream: nothing was written

// "tool: message" on standard error, control characters made harmless.
void Complain(const std::string& tool, const std::string& message);
// The error's message with "place: " in front, unless it already begins so.
Error At(const std::string& place, const Error& error);
Error MakeError(ErrorCode code, std::string message);
// "-" by its role, other names as they are.
std::string InputName(const std::string& path);
std::string OutputName(const std::string& path);
// A file, or nothing yet: neither "-" nor a pipe or a device, whose bytes come or go once, and are
// waited for. (Whether an output takes its name when it is complete, WritesStoredFile tells.)
bool IsStoredFile(const std::string& path);
// By whatever name: "-", "/dev/stdout".
bool IsStandardOutput(const std::string& path);

// Prints the error and gives the exit code that it means. Does not return from an interrupt.
int ExitCodeFor(const std::string& tool, const Error& error);

// One line on standard error that is rewritten in place; nothing where that is no terminal, or one
// that cannot do it (TERM=dumb).
class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { Clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  bool visible() const { return visible_; }
  void Show(const std::string& text);  // at most ten times a second
  // With a bar and percent.
  void ShowProgress(const std::string& what, double done, const std::string& more = "");
  void Clear();

 private:
  bool visible_ = false;
  size_t shown_ = 0;  // columns
  double next_ = 0;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_CONSOLE_H_
