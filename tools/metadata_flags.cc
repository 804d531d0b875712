#include "tools/metadata_flags.h"

#include <algorithm>
#include <sstream>

#include "CLI/CLI.hpp"
#include "tools/flag_texts.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

struct KindName {
  MetadataKind kind;
  const char* flag;
  const char* text;
};

constexpr KindName kKinds[] = {{kMetadataIcc, "icc", "colour profile"},
                               {kMetadataExif, "exif", "EXIF"},
                               {kMetadataXmp, "xmp", "XMP"},
                               {kMetadataText, "text", "texts"},
                               {kMetadataOther, "other", "other chunks"}};

}  // namespace

void AddMetadataFlags(CLI::App* app, uint32_t* kinds) {
  CLI::Option* const strip = app->add_flag_callback(
                                    "--strip", [kinds] { *kinds = 0; }, "Keep no metadata")
                                 ->group(kPictureGroup);
  app->add_option_function<std::string>(
         "--keep",
         [kinds](const std::string& names) {
           const std::optional<uint32_t> parsed = ParseMetadataKinds(names);
           if (!parsed) {
             throw CLI::ValidationError(
                 "--keep", names + ": not icc, exif, xmp, text or other, with commas between");
           }
           *kinds = *parsed;
         },
         "Keep these metadata only: icc (colour profile), exif, xmp, text, other; with commas "
         "between (default: all)")
      ->type_name("KINDS")
      ->group(kPictureGroup)
      ->excludes(strip);
}

std::optional<uint32_t> ParseMetadataKinds(const std::string& names) {
  uint32_t kinds = 0;
  std::istringstream list(names + ",");
  for (std::string name; std::getline(list, name, ',');) {
    const auto* found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                     [&](const KindName& k) { return Lower(name) == k.flag; });
    if (found == std::end(kKinds)) return std::nullopt;
    kinds |= found->kind;
  }
  return kinds;
}

std::string DroppedText(const Metadata& metadata, uint32_t kinds) {
  std::string text;
  for (const KindName& k : kKinds) {
    const uint64_t bytes = MetadataSize(metadata, k.kind);
    if ((kinds & k.kind) != 0 || bytes == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(k.text) + " (" +
            ByteSize(static_cast<double>(bytes)) + ")";
  }
  return text;
}

bool TurnsPicture(const std::vector<uint8_t>& exif) {
  const bool little = exif.size() >= 8 && exif[0] == 'I';
  // A number of `bytes` bytes; 0 where the content ends before.
  const auto number = [&](size_t at, size_t bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < bytes && at + bytes <= exif.size(); ++i) {
      value = value << 8 | exif[little ? at + bytes - 1 - i : at + i];
    }
    return value;
  };
  constexpr size_t kEntryBytes = 12;
  constexpr uint32_t kOrientation = 0x0112, kUpright = 1, kMostOrientation = 8;
  const size_t directory = number(4, 4);
  const size_t entries = number(directory, 2);
  for (size_t i = 0; i < entries && directory + kEntryBytes * i < exif.size(); ++i) {
    const size_t entry = directory + 2 + kEntryBytes * i;
    if (number(entry, 2) != kOrientation) continue;
    const uint32_t value = number(entry + 8, 2);
    return value > kUpright && value <= kMostOrientation;
  }
  return false;
}

std::vector<std::string> WarningsOfLeaving(const Metadata& metadata, uint32_t kinds) {
  if ((kinds & kMetadataExif) != 0 || !TurnsPicture(metadata.exif)) return {};
  return {"EXIF, which is left out, says that the picture is to be turned; pixels are not turned"};
}

}  // namespace glint::tools
