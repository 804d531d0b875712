#include "tools/commands/alpha_flags.h"

#include <cstdint>

#include "CLI/CLI.hpp"
#include "tools/common/text.h"
#include "tools/program/flag_texts.h"

namespace glint::tools {

void AddAlphaFlags(CLI::App* app, DecodeOptions* options) {
  CLI::Option* const drop = app->add_flag_callback(
                                   "--no-alpha", [options] { options->alpha = AlphaOutput::kDrop; },
                                   "Leave alpha out; colours stay as they are")
                                ->group(kPictureGroup);
  app->add_option_function<std::string>(
         "--background",
         [options](const std::string& text) {
           const std::optional<Rgb8> colour = ParseColour(text);
           if (!colour) {
             throw CLI::ValidationError("--background",
                                        text + ": not white, black, gray, rrggbb or rgb");
           }
           options->alpha = AlphaOutput::kBlend;
           options->background = *colour;
         },
         "Blend pictures with alpha over this colour: white, black, gray, or hexadecimal rrggbb "
         "or rgb, with or without #")
      ->type_name("COLOUR")
      ->group(kPictureGroup)
      ->excludes(drop);
}

std::optional<Rgb8> ParseColour(const std::string& text) {
  const std::string name = Lower(text);
  if (name == "white") return Rgb8{255, 255, 255};
  if (name == "black") return Rgb8{0, 0, 0};
  if (name == "gray" || name == "grey") return Rgb8{128, 128, 128};
  std::string digits = name.substr(name.rfind('#', 0) == 0 ? 1 : 0);
  if (digits.size() == 3) {
    digits = {digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]};
  }
  if (digits.size() != 6 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  const auto rgb = static_cast<uint32_t>(std::stoul(digits, nullptr, 16));
  return Rgb8{static_cast<uint8_t>(rgb >> 16), static_cast<uint8_t>(rgb >> 8),
              static_cast<uint8_t>(rgb)};
}

}  // namespace glint::tools
