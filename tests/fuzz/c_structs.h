// Handles and structs of the C interface, for sequences of C calls.
// Used by tests/fuzz/ only.
// Thread rules: values.
#ifndef GLINT_TESTS_FUZZ_C_STRUCTS_H_
#define GLINT_TESTS_FUZZ_C_STRUCTS_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "glint/glint.h"
#include "tests/c_handles.h"
#include "tests/fuzz/input.h"

namespace glint::fuzz {

using testing::Owned;

// A struct with a struct_size, of any size, on the heap at just that size: a sanitizer sees what
// the library reads or writes beyond.
template <typename T>
class SizedStruct {
 public:
  using Init = glint_status (*)(T*, size_t);
  SizedStruct(size_t size, Init init)
      : size_(size), bytes_(std::calloc(1, std::max(size, kLeast))) {
    Require(bytes_ != nullptr, "no memory");
    const glint_status status = init(get(), size);
    Require((status == GLINT_OK) == (size >= kLeast), "a size is taken or refused wrongly");
  }
  ~SizedStruct() { std::free(bytes_); }
  SizedStruct(const SizedStruct&) = delete;
  SizedStruct& operator=(const SizedStruct&) = delete;

  T* get() { return static_cast<T*>(bytes_); }
  // Sets the field at that offset where the struct is long enough to have it.
  template <typename Value>
  void Set(size_t offset, Value value) {
    if (offset + sizeof(value) > size_) return;
    std::memcpy(static_cast<uint8_t*>(bytes_) + offset, &value, sizeof(value));
  }

 private:
  static constexpr size_t kLeast = sizeof(size_t);
  const size_t size_;
  void* const bytes_;
};
// Most often that of the struct, else any: an older caller, a newer one, one that forgot it.
template <typename T>
size_t ChooseSize(Choices* choices) {
  switch (choices->Below(8)) {
    case 5:
      return choices->Byte();
    case 6:
      return sizeof(T) + choices->Below(64);
    case 7:
      return sizeof(T) - std::min(sizeof(T), sizeof(size_t) * choices->Below(6));
    default:
      return sizeof(T);
  }
}

}  // namespace glint::fuzz

#endif  // GLINT_TESTS_FUZZ_C_STRUCTS_H_
