// How the tools write JSON.
// Used by everything in tools/ and bench/ that does.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_COMMON_JSON_OUTPUT_H_
#define GLINT_TOOLS_COMMON_JSON_OUTPUT_H_

#include <string>

#include "nlohmann/json.hpp"

namespace glint::tools {

using Json = nlohmann::ordered_json;

Json Finite(double value);  // null for infinity and NaN, which JSON does not have
// Indented text with a line feed at its end; what is no UTF-8 in names is replaced.
std::string JsonText(const Json& json);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_JSON_OUTPUT_H_
