#include "tools/commands/part_flags.h"

#include <charconv>
#include <cstdint>
#include <system_error>

#include "CLI/CLI.hpp"
#include "tools/program/flag_texts.h"

namespace glint::tools {

void AddPartFlags(CLI::App* app, DecodeOptions* options) {
  app->add_option_function<std::string>(
         "--crop",
         [options](const std::string& text) {
           options->crop = ParseCrop(text);
           if (options->crop) return;
           throw CLI::ValidationError("--crop", text + ": not like 640x480+10+20");
         },
         "Only this part of the picture: width, height, and how far its upper left corner is from "
         "the left and the top; what lies elsewhere is hardly looked at")
      ->type_name("WxH+X+Y")
      ->group(kPictureGroup);
  app->add_option_function<std::string>(
         "--shrink", [options](const std::string& text) { options->shrink = std::stoi(text); },
         "The picture with so many times fewer columns and rows: sooner, if the model has a graph "
         "for it and the stream's details are not needed; --crop is then of this picture")
      ->check(CLI::IsMember({"2", "4", "8"}))
      ->type_name("2|4|8")
      ->group(kPictureGroup);
  app->add_flag("--deep", options->deep,
                "16 bits for pictures that had 16 when they were encoded, instead of 8")
      ->group(kPictureGroup);
}

std::optional<Crop> ParseCrop(const std::string& text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto take = [&](const char* before, uint32_t* value) {
    if (*before != '\0' && (at == end || *at++ != *before)) return false;
    const auto [stop, error] = std::from_chars(at, end, *value);
    at = stop;
    return error == std::errc();
  };
  Crop crop;
  if (!take("", &crop.width) || !take("x", &crop.height)) return std::nullopt;
  if (at != end && (!take("+", &crop.x) || !take("+", &crop.y))) return std::nullopt;
  if (at != end || crop.width == 0 || crop.height == 0) return std::nullopt;
  return crop;
}

}  // namespace glint::tools
