#include "tools/rate_flags.h"

#include "tools/models.h"

namespace glint::tools {

void AddRateFlags(CLI::App* app, RateFlags* flags) {
  app->add_option("--lrd", flags->lrd,
                  "Rate, larger is more bits (`glint info MODEL` has the range; default: the "
                  "model's)");
}

Error SetRate(const RateFlags& flags, const ModelInfo& model, EncodeOptions* options) {
  if (!flags.lrd) return {};
  const Error valid = CheckLrd(model, *flags.lrd);
  if (valid.ok()) options->lrd = *flags.lrd;
  return valid;
}

}  // namespace glint::tools
