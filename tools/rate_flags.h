// The flags by which `glint encode` is told how many bits to spend, and what they mean to a model.
// Used by tools/encode_command.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_RATE_FLAGS_H_
#define GLINT_TOOLS_RATE_FLAGS_H_

#include <optional>

#include "CLI/CLI.hpp"
#include "glint/glint.hpp"

namespace glint::tools {

struct RateFlags {
  std::optional<double> lrd;
};

void AddRateFlags(CLI::App* app, RateFlags* flags);
// Checks the flags against the model and puts them into the options.
Error SetRate(const RateFlags& flags, const ModelInfo& model, EncodeOptions* options);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_RATE_FLAGS_H_
