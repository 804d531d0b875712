// JSON as tests build and read it: nlohmann's own values, beside which those of the engine stand.
// Used by tests only.
// Thread rules: values.
#ifndef GLINT_TESTS_TEST_JSON_H_
#define GLINT_TESTS_TEST_JSON_H_

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "engine/json.h"

namespace glint::testing {

using Json = nlohmann::json;

// As the engine has it from a file.
inline glint::Json AsRead(const Json& json) {
  Result<glint::Json> parsed = ParseJson(json.dump(), "test");
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  return std::move(parsed).value();
}

}  // namespace glint::testing

#endif  // GLINT_TESTS_TEST_JSON_H_
