// Warnings about files, and what the tools say when memory is short.
// Used by everything in tools/.
// Thread rules: free functions.
#ifndef GLINT_TOOLS_COMMON_MESSAGES_H_
#define GLINT_TOOLS_COMMON_MESSAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

std::string WarningOf(const std::string& file, const std::string& text);
// The same on standard error, for each of the texts: "tool: warning: file: text".
void Warn(const std::string& tool, const std::string& file, const std::vector<std::string>& texts);

// kLimit when `bytes` of memory are more than there may be.
Error CheckRoom(uint64_t bytes, const Limits& limits);

// The error's message, and for too little memory the flag that would do.
std::string MessageOf(const Error& error);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_MESSAGES_H_
