// What values of flags must be, beyond what CLI11 knows.
// Used by the files that declare flags.
// Thread rules: free functions.
#ifndef GLINT_TOOLS_PROGRAM_FLAG_CHECKS_H_
#define GLINT_TOOLS_PROGRAM_FLAG_CHECKS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "tools/common/text.h"

namespace glint::tools {

// For flags that name a file or folder. An empty value is a slip, such as an unset variable of the
// shell.
inline CLI::Validator NotEmpty() {
  const auto check = [](const std::string& text) {
    return text.empty() ? std::string("is empty") : std::string();
  };
  return CLI::Validator(check, "");
}

// For flags of whole numbers, beside their range: CLI11 would take 011 for 9 and 0x1F for 31.
inline CLI::Validator WholeNumber() {
  const auto check = [](const std::string& text) {
    const std::string digits = text.substr(text.rfind('-', 0) == 0 ? 1 : 0);
    const bool plain =
        !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
    if (plain && (digits.size() == 1 || digits[0] != '0')) return std::string();
    return text + ": not a whole number in decimal digits";
  };
  return CLI::Validator(check, "");
}

// For flags of real numbers: CLI11 would take 0x20, " 30", +3, nan and inf.
inline CLI::Validator Number() {
  const auto check = [](const std::string& text) {
    const auto numbers = ParseNumbers(text);
    return numbers && numbers->size() == 1 ? std::string() : text + ": not a decimal number";
  };
  return CLI::Validator(check, "");
}

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_FLAG_CHECKS_H_
