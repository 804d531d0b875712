#include "tools/common/messages.h"

#include "tools/common/console.h"
#include "tools/common/text.h"

namespace glint::tools {

std::string WarningOf(const std::string& file, const std::string& text) {
  return "warning: " + file + ": " + text;
}

void Warn(const std::string& tool, const std::string& file, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) Complain(tool, WarningOf(file, text));
}

Error CheckRoom(uint64_t bytes, const Limits& limits) {
  const uint64_t needed = limits.held_memory + bytes;
  if (needed <= limits.max_memory) return {};
  Error error =
      MakeError(ErrorCode::kLimit, "needs " + ByteSize(static_cast<double>(needed)) + " (" +
                                       std::to_string(needed) + " bytes) of memory, the limit is " +
                                       ByteSize(static_cast<double>(limits.max_memory)));
  error.memory_needed = needed;
  return error;
}

std::string MessageOf(const Error& error) {
  if (error.memory_needed == 0) return error.message;
  return error.message + "; --max-memory " + SizeFlag(error.memory_needed) + " would do";
}

}  // namespace glint::tools
