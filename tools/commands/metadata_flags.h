// The flags by which `glint encode` and `glint decode` are told what to keep of metadata.
// Used by the files of the commands.
// Thread rules: main thread only; DroppedText any thread.
#ifndef GLINT_TOOLS_COMMANDS_METADATA_FLAGS_H_
#define GLINT_TOOLS_COMMANDS_METADATA_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace CLI {
class App;
}

namespace glint::tools {

// --strip and --keep; `kinds` gets an "or" of MetadataKind.
void AddMetadataFlags(CLI::App* app, uint32_t* kinds);
// "icc,xmp": an "or" of MetadataKind; nothing if a name is unknown or missing.
std::optional<uint32_t> ParseMetadataKinds(const std::string& names);
// "EXIF (1.20 KiB), XMP (51.90 KiB)": what of `metadata` is of none of `kinds`; empty if nothing
// is.
std::string DroppedText(const Metadata& metadata, uint32_t kinds);

// Warnings for metadata that change how the picture looks and are left out, being of none of
// `kinds`.
std::vector<std::string> WarningsOfLeaving(const Metadata& metadata, uint32_t kinds);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_METADATA_FLAGS_H_
