#include "tools/program/effort_flag.h"

#include "CLI/CLI.hpp"
#include "tools/common/console.h"
#include "tools/program/flag_checks.h"

namespace glint::tools {
namespace {

constexpr int kMostEffort = 9;

}  // namespace

CLI::Option* AddEffortFlag(CLI::App* app, const std::string& help, int* effort) {
  return app
      ->add_option("--effort", *effort,
                   "How long encoding looks for symbols that lose less for their bits, 0 to 9 "
                   "(default 0: not at all; 9: some hundred times as long as without)" +
                       help)
      ->check(WholeNumber())
      ->check(CLI::Range(0, kMostEffort))
      ->type_name("N");
}

Error CheckEffort(const Model& model, const EncodeOptions& options) {
  if (options.effort == 0) return {};
  PictureInfo smallest;
  smallest.width = smallest.height = 1;
  return At("--effort " + std::to_string(options.effort),
            PlanMemory(model, smallest, options).error());
}

}  // namespace glint::tools
