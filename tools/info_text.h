// What `glint info` says for people: a model or a stream in a few aligned lines.
// Used by tools/glint.cc.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_INFO_TEXT_H_
#define GLINT_TOOLS_INFO_TEXT_H_

#include <string>

#include "glint/glint.hpp"

namespace glint::tools {

std::string ModelText(const ModelInfo& model);
std::string StreamText(const StreamInfo& stream);
std::string PictureText(const PictureInfo& picture);  // "768x512, RGB, 8 bits"

}  // namespace glint::tools

#endif  // GLINT_TOOLS_INFO_TEXT_H_
