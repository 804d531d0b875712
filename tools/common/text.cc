#include "tools/common/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace glint::tools {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// A finite number at the front of [*begin, end), which moves past it.
std::optional<double> TakeNumber(const char** begin, const char* end) {
  double value = 0;
  const auto [next, error] = std::from_chars(*begin, end, value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  *begin = next;
  return value;
}

// 1, 1024, 1024^2, ...; nothing for an unknown suffix.
std::optional<double> SuffixFactor(std::string suffix) {
  suffix = Lower(suffix);
  if (suffix.empty() || suffix == "b") return 1.0;
  const size_t power = std::string("kmgt").find(suffix[0]);
  const std::string unit = suffix.substr(1);
  if (power == std::string::npos || !(unit.empty() || unit == "b" || unit == "ib")) {
    return std::nullopt;
  }
  return std::exp2(10.0 * static_cast<double>(power + 1));
}

}  // namespace

std::string Fixed(double value, int decimals) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  constexpr double kAllDigitsMean = 1e15;
  if (std::abs(value) >= kAllDigitsMean) return Shortest(value);
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

std::string Shortest(double value) {
  // Rates are numbers such as 0.0004, which people read more easily than 4e-04.
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e9);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::general;
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
  return std::string(buffer.data(), result.ptr);
}

double NearFloat(double value) {
  std::array<char, 64> buffer{};
  char* const end = buffer.data() + buffer.size();
  const auto text = std::to_chars(buffer.data(), end, static_cast<float>(value));
  double near = value;
  std::from_chars(buffer.data(), text.ptr, near);
  return near;
}

std::string Grouped(uint64_t value) {
  std::string text = std::to_string(value);
  for (size_t from_end = 3; from_end < text.size(); from_end += 4) {
    text.insert(text.size() - from_end, ",");
  }
  return text;
}

std::string ByteSize(double bytes) {
  static constexpr std::array<const char*, 4> kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return Fixed(bytes, 0) + " bytes";
  size_t unit = 0;
  double value = bytes / 1024;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return Fixed(value, value < 100 ? 2 : 1) + " " + kUnits[unit];
}

std::string SizeFlag(uint64_t bytes) {
  constexpr uint64_t kKib = 1024, kMib = kKib * kKib;
  const uint64_t unit = bytes < 4 * kMib ? kKib : kMib;
  return std::to_string((bytes + unit - 1) / unit) + (unit == kKib ? "K" : "M");
}

std::string Count(size_t count, const std::string& noun) {
  return Grouped(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string Duration(double seconds) {
  const auto whole = static_cast<uint64_t>(std::clamp(std::ceil(seconds), 0.0, 1e9));
  const auto two = [](uint64_t large, const char* unit, uint64_t small, const char* rest) {
    return Grouped(large) + unit + (small > 0 ? " " + std::to_string(small) + rest : "");
  };
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return two(whole / 60, " min", whole % 60, " s");
  return two(whole / 3600, " h", whole / 60 % 60, " min");
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

size_t DisplayWidth(const std::string& utf8) {
  size_t width = 0;
  for (const char c : utf8) width += IsContinuation(c) ? 0 : 1;
  return width;
}

std::string Printable(const std::string& name, size_t max_width) {
  std::string clean = name;
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  if (DisplayWidth(clean) <= max_width) return clean;
  static constexpr size_t kTail = 12;  // keeps the number and the ending, where names differ
  if (max_width < kTail + 6) return clean;
  const size_t head_width = max_width - kTail - 3;
  size_t head = 0;
  for (size_t width = 0; head < clean.size(); ++head) {
    if (!IsContinuation(clean[head]) && width++ == head_width) break;
  }
  size_t tail = clean.size();
  for (size_t width = 0; tail > 0 && width < kTail;) {
    if (!IsContinuation(clean[--tail])) ++width;
  }
  return clean.substr(0, head) + "..." + clean.substr(tail);
}

std::optional<uint64_t> ParseByteSize(const std::string& text) {
  const char* begin = text.data();
  const char* const end = begin + text.size();
  const std::optional<double> number = TakeNumber(&begin, end);
  if (!number || *number < 0) return std::nullopt;
  const std::optional<double> factor = SuffixFactor(std::string(begin, end));
  if (!factor) return std::nullopt;
  const double bytes = std::floor(*number * *factor);
  if (bytes >= std::ldexp(1.0, 63)) return std::nullopt;
  return static_cast<uint64_t>(bytes);
}

std::optional<std::vector<double>> ParseNumbers(const std::string& text) {
  std::vector<double> numbers;
  const char* begin = text.data();
  const char* const end = begin + text.size();
  while (true) {
    const std::optional<double> number = TakeNumber(&begin, end);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    if (begin == end) return numbers;
    if (*begin++ != ',') return std::nullopt;
  }
}

}  // namespace glint::tools
