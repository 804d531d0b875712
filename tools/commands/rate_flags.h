// The flags by which `glint encode` is told how many bits to spend, and what they mean to a model.
// Used by tools/commands/encode_command.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_COMMANDS_RATE_FLAGS_H_
#define GLINT_TOOLS_COMMANDS_RATE_FLAGS_H_

#include <optional>

#include "glint/glint.hpp"
#include "glint/rate.hpp"

namespace CLI {
class App;
}

namespace glint::tools {

struct RateFlags {  // one of them at most
  std::optional<double> lrd, quality;
  std::optional<Target> target;
};

void AddRateFlags(CLI::App* app, RateFlags* flags);
// Checks lrd or quality against the model, with details as options->detail says, and puts it into
// the options; flags.target is for EncodeFile.
Error SetRate(const RateFlags& flags, const ModelInfo& model, EncodeOptions* options);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_RATE_FLAGS_H_
