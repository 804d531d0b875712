// The manual page of a program, from its CLI11 definition.
// Used by tools/program/program.cc (--generate man) at build time.
// Thread rules: a pure function.
#ifndef GLINT_TOOLS_PROGRAM_MAN_PAGE_H_
#define GLINT_TOOLS_PROGRAM_MAN_PAGE_H_

#include <string>

#include "tools/program/flag_texts.h"

namespace glint::tools {

// For section 1, in the macros of man(7). The same for the same version: it has no date.
std::string ManPage(const CommandText& program);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_MAN_PAGE_H_
