// The flags by which `glint decode` is told to make a part of a picture or a smaller one, and with
// how many bits.
// Used by tools/commands/decode_command.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_COMMANDS_PART_FLAGS_H_
#define GLINT_TOOLS_COMMANDS_PART_FLAGS_H_

#include <optional>
#include <string>

#include "glint/glint.hpp"

namespace CLI {
class App;
}

namespace glint::tools {

// --crop, --shrink and --deep, into the options.
void AddPartFlags(CLI::App* app, DecodeOptions* options);
// "640x480+10+20": width, height, left, top; without the last two from the upper left. Nothing if
// malformed, or for no pixels.
std::optional<Crop> ParseCrop(const std::string& text);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_PART_FLAGS_H_
