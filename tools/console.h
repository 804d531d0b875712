// What every tool does alike at its edges: flags, messages, exit codes, interrupts, the status
// line. Used by the mains of the tools. Thread rules: main thread only, except Interrupted().
#ifndef GLINT_TOOLS_CONSOLE_H_
#define GLINT_TOOLS_CONSOLE_H_

#include <functional>
#include <string>

#include "CLI/CLI.hpp"
#include "glint/glint.hpp"

namespace glint::tools {

inline constexpr int kExitOk = 0;
inline constexpr int kExitSomeFailed = 1;  // some pictures of a folder could not be done
inline constexpr int kExitBad = 2;         // a bad flag, file, model or stream: nothing was written
inline constexpr int kExitInterrupted = 130;

// "tool: message" on standard error, control characters made harmless.
void Complain(const std::string& tool, const std::string& message);
// The error's message with "place: " in front, unless it already begins so.
Error At(const std::string& place, const Error& error);
Error MakeError(ErrorCode code, std::string message);
// "-" by its role, other names as they are.
std::string InputName(const std::string& path);
std::string OutputName(const std::string& path);

// Parses flags, runs `body`, checks that standard output took everything. Returns the exit code;
// every exception becomes a message and kExitBad.
int RunTool(const std::string& tool, CLI::App& app, int argc, char** argv,
            const std::function<int()>& body);
// Prints the error and gives the exit code that it means.
int ExitCodeFor(const std::string& tool, const Error& error);

// The first Ctrl-C only raises a flag, so that temporary files are removed on the way out; the
// second ends the process.
void CatchInterrupts();
bool Interrupted();

// A byte count ("512M") as a flag; the value is left alone when the flag is not given.
CLI::Option* AddByteSizeOption(CLI::App* app, const std::string& name, uint64_t* value,
                               const std::string& help);

// One line on standard error that is rewritten in place; nothing where that is not a terminal.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { Clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  bool visible() const { return visible_; }
  void Show(const std::string& text);                       // at most ten times a second
  void ShowProgress(const std::string& what, double done);  // with a bar and percent
  void Clear();

 private:
  bool visible_ = false;
  bool dirty_ = false;
  double next_ = 0;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_CONSOLE_H_
