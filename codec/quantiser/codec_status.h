// The quantiser calls the codec by its public face: the way back from its errors. Internal.
// Thread rules: a pure function.
#ifndef GLINT_CODEC_QUANTISER_CODEC_STATUS_H_
#define GLINT_CODEC_QUANTISER_CODEC_STATUS_H_

#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint::quantiser {

inline Status ToStatus(const Error& error) {
  return Status::Error(static_cast<StatusCode>(error.code), error.message);
}

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_CODEC_STATUS_H_
