// Numbers in messages. Called by codec/api and codec/quantiser.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_SHORT_NUMBER_H_
#define GLINT_CODEC_SHORT_NUMBER_H_

#include <array>
#include <charconv>
#include <string>

namespace glint {

// The shortest text that reads back the same: "0.0005", "1e-40".
template <typename Float>
std::string ShortNumber(Float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

}  // namespace glint

#endif  // GLINT_CODEC_SHORT_NUMBER_H_
