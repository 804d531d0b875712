// In the place of jpeg_reader.cc in a build without libjpeg.

#include "codec/picture_files/picture_files.h"

namespace glint {

bool ReadsJpeg() { return false; }

Expected<std::unique_ptr<PictureReader>> OpenJpeg(std::unique_ptr<ByteSource> source,
                                                  const Limits& /*limits*/) {
  return FileError(ErrorCode::kUnsupported, source->name(), "JPEG is not read by this build");
}

}  // namespace glint
