// Numbers of few digits: in messages, and rates that a user can name again. Internal to codec/.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_SHORT_NUMBER_H_
#define GLINT_CODEC_SHORT_NUMBER_H_

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

namespace glint {

#ifdef __cpp_lib_to_chars

// The shortest text that reads back the same: "0.0005", "1e-40".
template <typename Float>
std::string ShortNumber(Float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

// `value` in so many significant digits.
inline double RoundedNumber(double value, int digits) {
  std::array<char, 32> text{};
  char* const end = text.data() + text.size();
  const auto written =
      std::to_chars(text.data(), end, value, std::chars_format::scientific, digits - 1);
  double rounded = value;
  std::from_chars(text.data(), written.ptr, rounded);
  return rounded;
}

#else  // The library of Emscripten 3.1.6 has integers only; its locale is always "C".

template <typename Float>
std::string ShortNumber(Float value) {
  std::array<char, 32> text{};
  for (int digits = 1; digits <= std::numeric_limits<Float>::max_digits10; ++digits) {
    std::snprintf(text.data(), text.size(), "%.*g", digits, static_cast<double>(value));
    if (static_cast<Float>(std::strtod(text.data(), nullptr)) == value) break;
  }
  return text.data();
}

inline double RoundedNumber(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*e", digits - 1, value);
  return std::strtod(text.data(), nullptr);
}

#endif

}  // namespace glint

#endif  // GLINT_CODEC_SHORT_NUMBER_H_
