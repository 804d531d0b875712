// `glint encode`: pictures to .glint streams.
// Used by tools/glint.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_COMMANDS_ENCODE_COMMAND_H_
#define GLINT_TOOLS_COMMANDS_ENCODE_COMMAND_H_

#include "tools/commands/command.h"

namespace glint::tools {

Command AddEncodeCommand(CLI::App* app);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_ENCODE_COMMAND_H_
