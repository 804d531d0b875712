// What `glint info` says for people: a model, stream or picture in a few aligned lines.
// Used by tools/glint.cc.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_COMMANDS_INFO_TEXT_H_
#define GLINT_TOOLS_COMMANDS_INFO_TEXT_H_

#include <cstdint>
#include <string>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/commands/picture_facts.h"

namespace glint::tools {

std::string ModelText(const ModelInfo& model);
std::string StreamText(const StreamInfo& stream);
std::string PictureFileText(const PictureFacts& facts);
std::string OtherFileText(const FileFormat& format);
uint64_t DetailBytes(const StreamInfo& stream);       // of the chunks of details
std::string PictureText(const PictureInfo& picture);  // "768x512, RGB, 8 bits"

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_INFO_TEXT_H_
