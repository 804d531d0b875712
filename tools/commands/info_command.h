// `glint info`: what a file is: a stream, or a model.
// Used by tools/glint.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_COMMANDS_INFO_COMMAND_H_
#define GLINT_TOOLS_COMMANDS_INFO_COMMAND_H_

#include "tools/commands/command.h"

namespace glint::tools {

Command AddInfoCommand(CLI::App* app);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_INFO_COMMAND_H_
