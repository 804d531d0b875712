// What values of flags must be, beyond what CLI11 knows.
// Used by the files that declare flags. Thread rules: free functions.
#ifndef GLINT_TOOLS_FLAG_CHECKS_H_
#define GLINT_TOOLS_FLAG_CHECKS_H_

#include <string>

#include "CLI/CLI.hpp"

namespace glint::tools {

// For flags that name a file or folder: "" is a slip, as of a variable of the shell that is empty.
inline CLI::Validator NotEmpty() {
  const auto check = [](const std::string& text) {
    return text.empty() ? std::string("is empty") : std::string();
  };
  return CLI::Validator(check, "");
}

}  // namespace glint::tools

#endif  // GLINT_TOOLS_FLAG_CHECKS_H_
