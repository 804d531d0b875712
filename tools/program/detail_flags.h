// The flags by which `glint` and `evaluate` are told what to do about details.
// Used by the files of the commands.
// Thread rules: main thread only, but for DetailName.
#ifndef GLINT_TOOLS_PROGRAM_DETAIL_FLAGS_H_
#define GLINT_TOOLS_PROGRAM_DETAIL_FLAGS_H_

#include <optional>
#include <string>

#include "glint/glint.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace glint::tools {

std::string DetailName(Detail detail);  // "auto", "off" or "on"

// --detail; `help` says which it is without.
CLI::Option* AddDetailFlag(CLI::App* app, const std::string& help, std::optional<Detail>* detail);

struct LossFlags {
  std::optional<Detail> detail;
  std::optional<int> max_error;
  bool lossless = false;
};
// --detail, --max-error and --lossless, the last two of which leave no choice of a rate, and no
// symbols to look for: call it after AddRateFlags and AddEffortFlag.
void AddLossFlags(CLI::App* app, LossFlags* flags);
// Puts the flags into the options, unless they contradict one another.
Error SetLoss(const LossFlags& flags, EncodeOptions* options);
// Whether the flags of --max-error and --lossless are in the options.
inline bool LimitsErrors(const EncodeOptions& options) {
  return options.lossless || options.max_error >= 0;
}

// --no-detail and --skip-damaged-detail of `glint decode`, into the options.
void AddDetailOutputFlags(CLI::App* app, DecodeOptions* options);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_DETAIL_FLAGS_H_
