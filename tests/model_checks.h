// Loads models that tests have built, and checks how broken ones are refused.
// Used by tests only.
// Thread rules: functions of their arguments; checks report to doctest.
#ifndef GLINT_TESTS_MODEL_CHECKS_H_
#define GLINT_TESTS_MODEL_CHECKS_H_

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/model_file.h"

namespace glint::testing {

inline Result<std::shared_ptr<const ModelFile>> Load(const std::vector<uint8_t>& bytes) {
  return ModelFile::FromMemory(bytes, "tiny.safetensors");
}

// The error must be kBadModel, begin with the file's name and have every one of `parts`.
inline void CheckRefused(const std::vector<uint8_t>& bytes, const std::vector<std::string>& parts) {
  const auto model = Load(bytes);
  REQUIRE_FALSE(model.ok());
  const std::string& message = model.status().message();
  CAPTURE(message);
  CHECK(model.status().code() == StatusCode::kBadModel);
  CHECK(message.rfind("tiny.safetensors: ", 0) == 0);
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
}

}  // namespace glint::testing

#endif  // GLINT_TESTS_MODEL_CHECKS_H_
