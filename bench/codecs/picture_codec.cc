#include "bench/codecs/picture_codec.h"

namespace glint::bench {

Picture BlackPicture(uint32_t width, uint32_t height) {
  Picture picture;
  picture.info.width = width;
  picture.info.height = height;
  picture.samples.resize(size_t{height} * picture.info.RowBytes());
  return picture;
}

Error CodecError(const std::string& library, const std::string& what) {
  Error error;
  error.code = ErrorCode::kUnsupported;
  error.message = library + ": " + what;
  return error;
}

#ifndef GLINT_BENCH_JPEG
PictureCodecs JpegCodecs() { return {}; }
#endif
#ifndef GLINT_BENCH_WEBP
PictureCodecs WebpCodecs() { return {}; }
#endif
#ifndef GLINT_BENCH_JXL
PictureCodecs JxlCodecs() { return {}; }
#endif
#ifndef GLINT_BENCH_AVIF
PictureCodecs AvifCodecs() { return {}; }
#endif

}  // namespace glint::bench
