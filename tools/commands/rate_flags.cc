#include "tools/commands/rate_flags.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/common/console.h"
#include "tools/common/models.h"
#include "tools/common/text.h"
#include "tools/program/flag_checks.h"
#include "tools/program/flag_texts.h"

namespace glint::tools {
namespace {

CLI::Option* AddTarget(CLI::App* app, const std::string& name, Target::Kind kind,
                       const std::string& help, RateFlags* flags) {
  const auto parse = [name, kind, flags](const std::string& text) {
    const std::optional<std::vector<double>> numbers = ParseNumbers(text);
    std::optional<double> value;
    if (numbers && numbers->size() == 1) value = numbers->front();
    if (kind == Target::Kind::kBytes) {
      const std::optional<uint64_t> bytes = ParseByteSize(text);
      value = bytes ? std::optional<double>(static_cast<double>(*bytes)) : std::nullopt;
    }
    if (!value || !(*value > 0)) {
      throw CLI::ValidationError(name, "'" + text + "' is no positive number");
    }
    flags->target = Target{kind, *value};
  };
  return app->add_option_function<std::string>(name, parse, help);
}

}  // namespace

void AddRateFlags(CLI::App* app, RateFlags* flags) {
  const std::array<CLI::Option*, 5> options = {
      app->add_option("--quality", flags->quality,
                      "0, the lowest rate, to 100, the highest; docs/EVALUATE.md has a table")
          ->check(NotEmpty())
          ->check(Number())
          ->type_name("N"),
      app->add_option("--lrd", flags->lrd,
                      "Rate, larger is more bits (`glint info MODEL` has the range; default: the "
                      "model's)")
          ->check(NotEmpty())
          ->check(Number())
          ->type_name("N"),
      AddTarget(app, "--target-size", Target::Kind::kBytes,
                "The largest stream of at most so many bytes (K, M: powers of 1024), by encoding "
                "up to 8 times",
                flags)
          ->type_name("SIZE"),
      AddTarget(app, "--target-bpp", Target::Kind::kBitsPerPixel,
                "The same, in bits for each pixel of the picture", flags)
          ->type_name("N"),
      AddTarget(app, "--target-psnr", Target::Kind::kPsnr,
                "The smallest stream of at least so many dB, by encoding and decoding up to 8 "
                "times",
                flags)
          ->type_name("N")};
  for (CLI::Option* option : options) {
    option->group(kRateGroup);
    for (CLI::Option* other : options) {
      if (option != other) option->excludes(other);
    }
  }
}

Error SetRate(const RateFlags& flags, const ModelInfo& model, EncodeOptions* options) {
  if (flags.quality) {
    const Expected<double> lrd = LrdOfQuality(model, *flags.quality, options->detail);
    if (lrd) options->lrd = *lrd;
    return At("--quality", lrd.error());
  }
  if (!flags.lrd) return {};
  const Error valid = CheckLrd(model, *flags.lrd, options->detail);
  if (valid.ok()) options->lrd = *flags.lrd;
  return valid;
}

}  // namespace glint::tools
