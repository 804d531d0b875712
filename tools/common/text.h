// Numbers and names as text for people, and numbers from flags.
// Used by the tools and their tests; knows nothing of the codec.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_COMMON_TEXT_H_
#define GLINT_TOOLS_COMMON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace glint::tools {

// "31.20"; "inf", "-" when there is none (NaN); Shortest from 1e15 on, where decimals say nothing.
std::string Fixed(double value, int decimals);
std::string Shortest(double value);   // the shortest text that reads back the same
double NearFloat(double value);       // the shortest number that is the same as a float
std::string Grouped(uint64_t value);  // "23,123"
std::string ByteSize(double bytes);   // "3.82 MiB"
// "1537M": the least size with a unit that is not below `bytes`, as ParseByteSize reads it.
std::string SizeFlag(uint64_t bytes);
std::string Count(size_t count, const std::string& noun);  // "1 picture", "24 pictures"
std::string Duration(double seconds);                      // "45 s", "1 min 20 s", "2 h 5 min"
std::string Upper(std::string text);                       // ASCII only
std::string Lower(std::string text);

// A name for the terminal: control characters become '?', long names lose their middle.
std::string Printable(const std::string& name, size_t max_width = 48);
size_t DisplayWidth(const std::string& utf8);  // code points

// "512", "64K", "1.5G" (powers of 1024, K M G T, with or without "B" or "iB"); nothing if
// malformed.
std::optional<uint64_t> ParseByteSize(const std::string& text);
// Finite numbers with commas between; nothing if one is malformed or missing.
std::optional<std::vector<double>> ParseNumbers(const std::string& text);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_TEXT_H_
