// Proof, before a stream takes its name, that what it decodes to is as near to the source as was
// asked for (--max-error, --lossless).
// Used by tools/commands/encode_file.cc.
// Thread rules: may be called on several threads at once, for different pictures.
#ifndef GLINT_TOOLS_COMMANDS_ERROR_CHECK_H_
#define GLINT_TOOLS_COMMANDS_ERROR_CHECK_H_

#include <cstdint>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

struct WantedFidelity {
  int max_error = 0;   // of colour samples, in levels of 8 bits at most
  bool exact = false;  // also of those that alpha hides; alpha is never off
};
WantedFidelity FidelityOf(const EncodeOptions& options);

// Decodes `stream` and compares it row by row with the rows of `source`, which are read from the
// first one on; neither picture is ever whole in memory. An error says which row is off, and by how
// much. Of `call` threads, bands, limits and progress count.
Error CheckErrors(const Model& model, const std::vector<uint8_t>& stream, const PictureInfo& info,
                  const RowReader& source, const WantedFidelity& wanted, const CallOptions& call);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMANDS_ERROR_CHECK_H_
