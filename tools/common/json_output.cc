#include "tools/common/json_output.h"

#include <cmath>

namespace glint::tools {

Json Finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::string JsonText(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace glint::tools
