// The flags by which `glint decode` is told what to do with alpha.
// Used by tools/commands/decode_command.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_COMMANDS_ALPHA_FLAGS_H_
#define GLINT_TOOLS_COMMANDS_ALPHA_FLAGS_H_

#include <optional>
#include <string>

#include "glint/glint.hpp"

namespace CLI {
class App;
}

namespace glint::tools {

// --background and --no-alpha, into the options.
void AddAlphaFlags(CLI::App* app, DecodeOptions* options);
// "white", "black", "gray", "#rrggbb", "#rgb", also without "#" (which begins a comment in a
// shell); nothing if malformed.
std::optional<Rgb8> ParseColour(const std::string& text);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_ALPHA_FLAGS_H_
