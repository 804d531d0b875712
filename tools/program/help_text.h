// What --help says: usage, flags by group, examples, all within 80 columns.
// Used by tools/program/flag_texts.cc, which gives it to CLI11.
// Thread rules: a pure function.
#ifndef GLINT_TOOLS_PROGRAM_HELP_TEXT_H_
#define GLINT_TOOLS_PROGRAM_HELP_TEXT_H_

#include <string>

#include "tools/program/flag_texts.h"

namespace glint::tools {

std::string HelpText(const CommandText& command);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_HELP_TEXT_H_
