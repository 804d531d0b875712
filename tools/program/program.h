// A program from its first flag to its exit code: what the mains of the tools have in common.
// Used by the mains of the tools.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_PROGRAM_PROGRAM_H_
#define GLINT_TOOLS_PROGRAM_PROGRAM_H_

#include <cstdint>
#include <functional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace glint::tools {

// What a program was called by, without its folder: `evaluate` is installed as `glint-evaluate`,
// and names itself in messages, its manual page and its completion.
std::string ProgramName(const char* path);

// The call as a shell reads it, with the variables that Glint heeds in front.
std::string CommandLineText(const std::string& tool, int argc, char** argv);

// Parses flags, runs `body`, checks that standard output took everything. Returns the exit code;
// every exception becomes a message and kExitBad. Signals are caught from here on
// (tools/common/signals.h).
// `--generate man|bash|zsh|fish` as the only flag prints the manual page or a shell's completion.
int RunTool(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

// A byte count ("512M") as a flag; the value is left alone when the flag is not given.
CLI::Option* AddByteSizeOption(CLI::App* app, const std::string& name, uint64_t* value,
                               const std::string& help);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_PROGRAM_H_
