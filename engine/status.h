// Status and Result: how every fallible function of the engine and the codec reports failure.
// Used by all rooms above kernels/. No exceptions cross a library border.
// Thread rules: values, no shared state.
#ifndef GLINT_ENGINE_STATUS_H_
#define GLINT_ENGINE_STATUS_H_

#include <cstdint>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace glint {

enum class StatusCode {
  kOk = 0,
  kInvalidArgument,  // the caller's options or sizes
  kNotFound,         // a file that does not exist or cannot be opened
  kIo,               // reading or writing failed midway
  kBadModel,         // a model file that breaks the rules of docs/MODEL_FORMAT.md
  kBadStream,        // a stream that breaks the rules of docs/BITSTREAM.md
  kWrongModel,       // a sound stream that asks for another model
  kBadImage,         // a picture file that cannot be read
  kLimit,            // a limit on pixels or memory would be exceeded
  kUnsupported,      // sound, but not within what this build does
  kCancelled,        // a callback of the caller asked to stop
  kUnreachable,      // a size or quality that no rate of the model gives
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  static Status Ok() { return Status(); }
  static Status Error(StatusCode code, std::string message) {
    Status status;
    status.code_ = code;
    status.message_ = std::move(message);
    return status;
  }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // kLimit: the limit on memory that would do; 0: not known.
  uint64_t memory_needed() const { return memory_needed_; }
  void set_memory_needed(uint64_t bytes) { memory_needed_ = bytes; }

  // The same error with "prefix: " in front, to add the place on the way up.
  Status WithContext(const std::string& prefix) const {
    if (ok()) return *this;
    Status status = *this;
    status.message_ = prefix + ": " + message_;
    return status;
  }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  uint64_t memory_needed_ = 0;
};

// Either a value or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

// Runs body(), which returns a Status or Result; no exception leaves it but those of the caller's
// callbacks.
template <typename Body>
auto WithoutBadAlloc(Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return Status::Error(StatusCode::kLimit, "out of memory");
  } catch (const std::length_error&) {
    return Status::Error(StatusCode::kLimit, "out of memory");
  }
}

}  // namespace glint

// Returns from the enclosing function with the error, if there is one.
#define GLINT_TRY(expression)                            \
  do {                                                   \
    ::glint::Status glint_try_status = (expression);     \
    if (!glint_try_status.ok()) return glint_try_status; \
  } while (false)

#define GLINT_CONCAT_INNER(a, b) a##b
#define GLINT_CONCAT(a, b) GLINT_CONCAT_INNER(a, b)

// GLINT_ASSIGN(auto x, F()): declares x from a Result or returns its error.
#define GLINT_ASSIGN(declaration, expression) \
  GLINT_ASSIGN_IMPL(GLINT_CONCAT(glint_result_, __LINE__), declaration, expression)
#define GLINT_ASSIGN_IMPL(result, declaration, expression) \
  auto result = (expression);                              \
  if (!result.ok()) return result.status();                \
  declaration = std::move(result).value()

#endif  // GLINT_ENGINE_STATUS_H_
