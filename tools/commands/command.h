// One command of `glint`: what CLI11 knows of it, and what it does once its flags are read.
// Used by tools/glint.cc, which holds the list, and by the files of the commands.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_COMMANDS_COMMAND_H_
#define GLINT_TOOLS_COMMANDS_COMMAND_H_

#include <functional>

namespace CLI {
class App;
}

namespace glint::tools {

struct Command {
  const CLI::App* app;       // belongs to the program's app
  std::function<int()> run;  // owns the command's flags; returns the exit code
};

inline constexpr const char* kGlint = "glint";  // the program in messages

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_COMMAND_H_
