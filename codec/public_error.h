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

// And back, for functions that call public ones.
inline Status ToStatus(const Error& error) {
  if (error.ok()) return Status::Ok();
  Status status = Status::Error(static_cast<StatusCode>(error.code), error.message);
  status.set_memory_needed(error.memory_needed);
  return status;
}

}  // namespace glint

#endif  // GLINT_CODEC_PUBLIC_ERROR_H_
