// One stream to one picture file, with a model that is loaded.
// Used by tools/commands/decode_command.cc.
// Thread rules: may be called on several threads at once, for different files.
#ifndef GLINT_TOOLS_COMMANDS_DECODE_FILE_H_
#define GLINT_TOOLS_COMMANDS_DECODE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "tools/commands/coding_flags.h"

namespace glint::tools {

struct StreamFile {
  std::string name;  // for messages
  std::vector<uint8_t> bytes;
  StreamInfo info;
};

// "-" is standard input. Errors begin with the name of the file that they are about. `detail`:
// unless it is kDecode, damaged details are no error.
Expected<StreamFile> ReadStream(const std::string& path, const Limits& limits, DetailOutput detail);

// Where `out` is no stored file and has no ending, it gets `format`. `metadata`: what to keep, an
// "or" of MetadataKind. A model that the stream was not made with is an error that names both.
Expected<CodingSummary> DecodeFile(const Model& model, const StreamFile& stream,
                                   const std::string& out, const std::string& format,
                                   const DecodeOptions& options, uint32_t metadata = kMetadataAll,
                                   Existing existing = Existing::kReplace);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_DECODE_FILE_H_
