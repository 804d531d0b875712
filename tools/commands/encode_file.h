// One picture file to one stream, with a model that is loaded.
// Used by tools/commands/encode_command.cc.
// Thread rules: may be called on several threads at once, for different files.
#ifndef GLINT_TOOLS_COMMANDS_ENCODE_FILE_H_
#define GLINT_TOOLS_COMMANDS_ENCODE_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "glint/rate.hpp"
#include "tools/commands/coding_flags.h"

namespace glint::tools {

// "-" is standard input or output. With a target the rate is searched for; options.lrd is 0 then.
// Where options limit errors, the stream is decoded and compared before the file is written.
// `metadata`: what to keep, an "or" of MetadataKind. Errors begin with the name of the file that
// they are about.
Expected<CodingSummary> EncodeFile(const Model& model, const std::string& in,
                                   const std::string& out, const EncodeOptions& options,
                                   const std::optional<Target>& target = std::nullopt,
                                   uint32_t metadata = kMetadataAll,
                                   Existing existing = Existing::kReplace);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_ENCODE_FILE_H_
