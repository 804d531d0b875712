// From the internal Status to the public Error, and what every public function does around its
// body. Called by the files that implement the public interface.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_PUBLIC_ERROR_H_
#define GLINT_CODEC_PUBLIC_ERROR_H_

#include <new>
#include <stdexcept>
#include <utility>

#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

inline ErrorCode ToErrorCode(StatusCode code) {
  static_assert(static_cast<int>(StatusCode::kInvalidArgument) ==
                static_cast<int>(ErrorCode::kInvalidArgument));
  static_assert(static_cast<int>(StatusCode::kBadStream) ==
                static_cast<int>(ErrorCode::kBadStream));
  static_assert(static_cast<int>(StatusCode::kCancelled) ==
                static_cast<int>(ErrorCode::kCancelled));
  static_assert(static_cast<int>(StatusCode::kUnreachable) ==
                static_cast<int>(ErrorCode::kUnreachable));
  return static_cast<ErrorCode>(code);
}

inline Error ToError(const Status& status) {
  return {ToErrorCode(status.code()), status.message(), status.memory_needed()};
}

inline Error ToPublic(Error error) { return error; }
inline Error ToPublic(const Status& status) { return ToError(status); }
template <typename T>
Expected<T> ToPublic(Expected<T> expected) {
  return expected;
}
template <typename T>
Expected<T> ToPublic(Result<T>&& result) {
  if (!result.ok()) return ToError(result.status());
  return std::move(*result);
}

// Runs the body of a public function, which gives a Status, Result, Error or Expected, and makes an
// Error or Expected of it. When memory runs out, be it for the words of an error, it is kLimit.
// Only exceptions of the caller's callbacks leave it.
template <typename Body>
auto PublicCall(Body&& body) -> decltype(ToPublic(body())) {
  // Short enough to need no memory.
  constexpr const char* kText = "out of memory";
  try {
    return ToPublic(std::forward<Body>(body)());
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kLimit, kText};
  } catch (const std::length_error&) {
    return Error{ErrorCode::kLimit, kText};
  }
}

// And back, for functions that call public ones.
inline Status ToStatus(const Error& error) {
  if (error.ok()) return Status::Ok();
  Status status = Status::Error(static_cast<StatusCode>(error.code), error.message);
  status.set_memory_needed(error.memory_needed);
  return status;
}

}  // namespace glint

#endif  // GLINT_CODEC_PUBLIC_ERROR_H_
