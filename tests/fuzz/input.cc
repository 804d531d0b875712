#include "tests/fuzz/input.h"

#include <cstdio>
#include <cstdlib>

namespace glint::fuzz {

void Fail(const std::string& what) {
  std::fprintf(stderr, "fuzz: broken promise: %s\n", what.c_str());
  std::abort();
}

void RequireError(const Error& error, std::initializer_list<ErrorCode> codes) {
  const bool is_known = std::find(codes.begin(), codes.end(), error.code) != codes.end();
  Require(is_known,
          "error code " + std::to_string(static_cast<int>(error.code)) + ": " + error.message);
  Require(!error.message.empty(), "an error without a text");
}

Bytes MakeInput(std::initializer_list<uint8_t> choices, const Bytes& data) {
  Require(choices.size() <= kChoiceBytes, "a seed with too many options");
  Bytes input(std::begin(kChoicesMark), std::end(kChoicesMark));
  input.insert(input.end(), choices.begin(), choices.end());
  input.resize(sizeof(kChoicesMark) + kChoiceBytes);
  input.insert(input.end(), data.begin(), data.end());
  return input;
}

}  // namespace glint::fuzz
