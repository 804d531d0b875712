// What a fuzz input says: the options of its calls, then bytes to call with; and how a target says
// that a promise is broken.
// Used by tests/fuzz/ only.
// Thread rules: values; Fail may be called from any thread.
#ifndef GLINT_TESTS_FUZZ_INPUT_H_
#define GLINT_TESTS_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::fuzz {

using Bytes = std::vector<uint8_t>;

// A promise is broken: says so and aborts, which the fuzzer and the replay both count.
[[noreturn]] void Fail(const std::string& what);
inline void Require(bool holds, const std::string& what) {
  if (!holds) Fail(what);
}

// An error that a caller may see: of one of these codes, and with a text.
void RequireError(const Error& error, std::initializer_list<ErrorCode> codes);

// Bytes that choose options, one after the other; behind their end are zeros. Zero always means the
// usual option, so an input without any is called in the plainest way.
class Choices {
 public:
  explicit Choices(std::span<const uint8_t> bytes = {}) : bytes_(bytes) {}

  bool empty() const { return at_ >= bytes_.size(); }
  uint8_t Byte() { return empty() ? uint8_t{0} : bytes_[at_++]; }
  uint32_t Word() {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word = word << 8 | Byte();
    return word;
  }
  // 0 .. count - 1, of at most 256.
  uint32_t Below(uint32_t count) { return Byte() % count; }
  bool OneIn(uint32_t count) { return Below(count) == count - 1; }
  template <typename T>
  T Of(std::initializer_list<T> list) {
    return *(list.begin() + Below(static_cast<uint32_t>(list.size())));
  }
  // The next bytes, as many of `count` as there are.
  std::span<const uint8_t> Take(size_t count) {
    const size_t begin = std::min(at_, bytes_.size());
    const auto taken = bytes_.subspan(begin, std::min(count, bytes_.size() - begin));
    at_ = begin + taken.size();
    return taken;
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

// An input that begins with this has kChoiceBytes of options behind it, then its data. Any other is
// data alone: a file from anywhere is an input as it is.
inline constexpr char kChoicesMark[] = {'o', 'p', 't', ':'};
inline constexpr size_t kChoiceBytes = 24;

struct Input {
  Choices choices;
  std::span<const uint8_t> data;
};

// How many bytes of an input are its mark and options; 0: it has none.
inline size_t PrefixBytes(std::span<const uint8_t> bytes) {
  constexpr size_t kPrefix = sizeof(kChoicesMark) + kChoiceBytes;
  const bool marked = bytes.size() >= kPrefix &&
                      std::equal(std::begin(kChoicesMark), std::end(kChoicesMark), bytes.begin());
  return marked ? kPrefix : 0;
}

inline Input SplitInput(std::span<const uint8_t> bytes) {
  const size_t prefix = PrefixBytes(bytes);
  if (prefix == 0) return {Choices(), bytes};
  return {Choices(bytes.subspan(sizeof(kChoicesMark), kChoiceBytes)), bytes.subspan(prefix)};
}

// An input of these options, fewer than kChoiceBytes, and data.
Bytes MakeInput(std::initializer_list<uint8_t> choices, const Bytes& data);

}  // namespace glint::fuzz

#endif  // GLINT_TESTS_FUZZ_INPUT_H_
