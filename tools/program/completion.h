// What shells need to complete the flags, commands and files of a program, from its CLI11
// definition. Used by tools/program/program.cc (--generate bash|zsh|fish) at build time.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_PROGRAM_COMPLETION_H_
#define GLINT_TOOLS_PROGRAM_COMPLETION_H_

#include <string>

#include "tools/program/flag_texts.h"

namespace glint::tools {

std::string BashCompletion(const CommandText& program);
std::string ZshCompletion(const CommandText& program);
std::string FishCompletion(const CommandText& program);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_COMPLETION_H_
