// A picture that lies whole in memory, for the functions that read rows.
// Called by the files that implement the public interface.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_SAMPLES_WHOLE_PICTURE_H_
#define GLINT_CODEC_SAMPLES_WHOLE_PICTURE_H_

#include <cstring>
#include <string>

#include "codec/stream/container.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

// That its description is valid, and its samples are as many as that says.
inline Status CheckPicture(const Picture& picture, const Limits& limits) {
  GLINT_TRY(CheckPictureInfo(picture.info, limits));
  const size_t wanted = picture.info.RowBytes() * picture.info.height;
  if (picture.samples.size() == wanted) return Status::Ok();
  return Status::Error(StatusCode::kInvalidArgument,
                       "the picture has " + std::to_string(picture.samples.size()) +
                           " bytes of samples, its size wants " + std::to_string(wanted));
}

// The picture must outlive what is returned.
inline RowReader RowsOf(const Picture& picture) {
  return [&picture, row_bytes = picture.info.RowBytes()](uint32_t y, void* row) {
    std::memcpy(row, picture.samples.data() + size_t{y} * row_bytes, row_bytes);
    return true;
  };
}

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_WHOLE_PICTURE_H_
