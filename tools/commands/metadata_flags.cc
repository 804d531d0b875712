#include "tools/commands/metadata_flags.h"

#include <algorithm>
#include <sstream>

#include "CLI/CLI.hpp"
#include "tools/common/orientation.h"
#include "tools/common/text.h"
#include "tools/program/flag_texts.h"

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

std::vector<std::string> WarningsOfLeaving(const Metadata& metadata, uint32_t kinds) {
  if ((kinds & kMetadataExif) != 0 || OrientationOf(metadata.exif) == kUpright) {
    return {};
  }
  return {"EXIF, which is left out, says that the picture is to be turned; pixels are not turned"};
}

}  // namespace glint::tools
