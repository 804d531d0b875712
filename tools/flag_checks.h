// What values of flags must be, beyond what CLI11 knows.
// Used by the files that declare flags.
// Thread rules: free functions.
#ifndef GLINT_TOOLS_FLAG_CHECKS_H_
#define GLINT_TOOLS_FLAG_CHECKS_H_

#include <string>

#include "CLI/CLI.hpp"

namespace glint::tools {

// For flags that name a file or folder. An empty value is a slip, such as an unset variable of the
// shell.
inline CLI::Validator NotEmpty() {
  const auto check = [](const std::string& text) {
    return text.empty() ? std::string("is empty") : std::string();
  };
  return CLI::Validator(check, "");
}

}  // namespace glint::tools

#endif  // GLINT_TOOLS_FLAG_CHECKS_H_
