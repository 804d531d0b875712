// Models, streams and pictures as JSON, and how the tools write JSON.
// Used by the tools; tools/evaluation_output.h adds the results of evaluate.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_JSON_OUTPUT_H_
#define GLINT_TOOLS_JSON_OUTPUT_H_

#include <string>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "nlohmann/json.hpp"
#include "tools/picture_facts.h"

namespace glint::tools {

using Json = nlohmann::ordered_json;

Json ModelJson(const ModelInfo& model);
Json PictureFileJson(const PictureFacts& facts);
Json OtherFileJson(const FileFormat& format);
Json StreamJson(const StreamInfo& stream);

Json Finite(double value);  // null for infinity and NaN, which JSON does not have
// Indented text with a line feed at its end; what is no UTF-8 in names is replaced.
std::string JsonText(const Json& json);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_JSON_OUTPUT_H_
