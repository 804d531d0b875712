// Models, streams, pictures and other files as JSON: `glint info --json`.
// Used by tools/commands/info_command.cc.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_COMMANDS_INFO_JSON_H_
#define GLINT_TOOLS_COMMANDS_INFO_JSON_H_

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/commands/picture_facts.h"
#include "tools/common/json_output.h"

namespace glint::tools {

Json ModelJson(const ModelInfo& model);
Json PictureFileJson(const PictureFacts& facts);
Json OtherFileJson(const FileFormat& format);
Json StreamJson(const StreamInfo& stream);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_INFO_JSON_H_
