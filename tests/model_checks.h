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

#include "codec/model/model_document.h"
#include "engine/model_file.h"
#include "tests/model_builder.h"

namespace glint::testing {

inline Result<std::shared_ptr<const ModelFile>> Load(const std::vector<uint8_t>& bytes) {
  return ModelFile::FromMemory(bytes, "tiny.safetensors");
}

// What the codec asks of the file as well.
inline Result<ModelDocument> LoadWhole(const std::vector<uint8_t>& bytes) {
  GLINT_ASSIGN(const auto file, Load(bytes));
  return LoadDocument(*file);
}

// The error must be kBadModel, begin with the file's name and have every one of `parts`.
inline void CheckRefused(const std::vector<uint8_t>& bytes, const std::vector<std::string>& parts) {
  const auto model = LoadWhole(bytes);
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

inline Json& TensorOf(ModelBuilder& b, const char* graph, const char* name) {
  return b.document["graphs"][graph]["tensors"][name];
}

inline Json& NodeOf(ModelBuilder& b, const char* graph, const char* name) {
  for (Json& node : b.document["graphs"][graph]["nodes"]) {
    if (node["name"] == name) return node;
  }
  FAIL("no such node");
  return b.document;
}

// A change that makes a sound model bad, and what the message then says.
struct Broken {
  const char* what;
  void (*change)(ModelBuilder& b);
  std::vector<std::string> message;
};

inline void CheckAllRefused(const std::vector<Broken>& list, const ModelBuilder& sound) {
  for (const Broken& broken : list) {
    const std::string what = broken.what;
    CAPTURE(what);
    ModelBuilder b = sound;
    broken.change(b);
    CheckRefused(b.Build(), broken.message);
  }
}

}  // namespace glint::testing

#endif  // GLINT_TESTS_MODEL_CHECKS_H_
