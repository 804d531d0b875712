#include "tools/program/detail_flags.h"

#include <array>

#include "CLI/CLI.hpp"
#include "tools/common/console.h"
#include "tools/program/flag_checks.h"
#include "tools/program/flag_texts.h"

namespace glint::tools {
namespace {

constexpr const char* kLossGroup = "Loss";
constexpr int kMostError = 127;
constexpr std::array<Detail, 3> kAll = {Detail::kAuto, Detail::kOff, Detail::kOn};

}  // namespace

std::string DetailName(Detail detail) {
  switch (detail) {
    case Detail::kAuto:
      return "auto";
    case Detail::kOff:
      return "off";
    case Detail::kOn:
      return "on";
  }
  return "";
}

CLI::Option* AddDetailFlag(CLI::App* app, const std::string& help, std::optional<Detail>* detail) {
  const auto set = [detail](const std::string& text) {
    for (const Detail one : kAll) {
      if (DetailName(one) == text) *detail = one;
    }
  };
  return app->add_option_function<std::string>("--detail", set, help)
      ->check(CLI::IsMember({"auto", "off", "on"}));
}

void AddLossFlags(CLI::App* app, LossFlags* flags) {
  AddDetailFlag(app,
                "Details, what the model's picture lacks: in blocks that are better for them "
                "(default auto), in none, or in all",
                &flags->detail)
      ->group(kLossGroup);
  CLI::Option* const max_error =
      app->add_option("--max-error", flags->max_error,
                      "No sample of 8 bits is further off than N levels, 0 to 127; colours where "
                      "alpha is 0 only with --exact. Decodes the stream to prove it")
          ->check(WholeNumber())
          ->check(CLI::Range(0, kMostError))
          ->type_name("N")
          ->group(kLossGroup);
  CLI::Option* const lossless =
      app->add_flag("--lossless", flags->lossless,
                    "Nothing is lost: --max-error 0 --exact. Pictures of 8 bits or fewer")
          ->group(kLossGroup);
  max_error->excludes(lossless);
  for (CLI::Option* const option : {max_error, lossless}) {
    for (const char* const other :
         {"--quality", "--lrd", "--target-size", "--target-bpp", "--target-psnr", "--effort"}) {
      option->excludes(app->get_option(other));
    }
  }
}

Error SetLoss(const LossFlags& flags, EncodeOptions* options) {
  options->detail = flags.detail.value_or(Detail::kAuto);
  options->max_error = flags.max_error.value_or(options->max_error);
  options->lossless = flags.lossless;
  if (options->detail != Detail::kOff || !LimitsErrors(*options)) return {};
  return MakeError(ErrorCode::kInvalidArgument,
                   std::string(flags.lossless ? "--lossless" : "--max-error") +
                       ": is done by details, which --detail off leaves out");
}

void AddDetailOutputFlags(CLI::App* app, DecodeOptions* options) {
  CLI::Option* const none =
      app->add_flag_callback(
             "--no-detail", [options] { options->detail = DetailOutput::kSkip; },
             "Leave details out: a preview, made sooner")
          ->group(kPictureGroup);
  app->add_flag_callback(
         "--skip-damaged-detail", [options] { options->detail = DetailOutput::kSkipDamaged; },
         "Leave those details out that are damaged, with a warning that names their rows")
      ->group(kPictureGroup)
      ->excludes(none);
}

}  // namespace glint::tools
