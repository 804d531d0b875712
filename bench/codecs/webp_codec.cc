// WebP with loss by libwebp, as `cwebp -m 6` and `dwebp` do it.
#include <algorithm>
#include <utility>

#include "bench/codecs/picture_codec.h"
#include "webp/decode.h"
#include "webp/encode.h"

namespace glint::bench {
namespace {

std::string LibraryVersion() {
  const int version = WebPGetEncoderVersion();
  return "libwebp " + std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) +
         "." + std::to_string(version & 255);
}

class Webp final : public PictureCodec {
 public:
  explicit Webp(std::vector<double> qualities)
      : PictureCodec("WebP 4:2:0, method 6", LibraryVersion(), std::move(qualities)) {}

  Expected<std::vector<uint8_t>> Encode(const Picture& picture, double setting) override {
    if (std::max(picture.info.width, picture.info.height) > WEBP_MAX_DIMENSION) {
      return CodecError("libwebp", "WebP has at most 16383 columns and rows");
    }
    WebPConfig config;
    WebPPicture input;
    if (WebPConfigInit(&config) == 0 || WebPPictureInit(&input) == 0) {
      return CodecError("libwebp", "another version than it was built for");
    }
    config.method = 6;
    config.quality = static_cast<float>(setting);
    input.width = static_cast<int>(picture.info.width);
    input.height = static_cast<int>(picture.info.height);
    WebPMemoryWriter writer;
    WebPMemoryWriterInit(&writer);
    input.writer = WebPMemoryWrite;
    input.custom_ptr = &writer;
    const bool done = WebPPictureImportRGB(&input, picture.samples.data(),
                                           static_cast<int>(picture.info.RowBytes())) != 0 &&
                      WebPEncode(&config, &input) != 0;
    const int code = static_cast<int>(input.error_code);
    std::vector<uint8_t> bytes(writer.mem, writer.mem + (done ? writer.size : 0));
    WebPMemoryWriterClear(&writer);
    WebPPictureFree(&input);
    if (!done) return CodecError("libwebp", "encoding error " + std::to_string(code));
    return bytes;
  }

  Expected<Picture> Decode(const std::vector<uint8_t>& bytes) override {
    int width = 0, height = 0;
    if (WebPGetInfo(bytes.data(), bytes.size(), &width, &height) == 0) {
      return CodecError("libwebp", "no picture");
    }
    Picture picture = BlackPicture(static_cast<uint32_t>(width), static_cast<uint32_t>(height));
    if (WebPDecodeRGBInto(bytes.data(), bytes.size(), picture.samples.data(),
                          picture.samples.size(),
                          static_cast<int>(picture.info.RowBytes())) == nullptr) {
      return CodecError("libwebp", "the picture does not decode");
    }
    return picture;
  }
};

}  // namespace

PictureCodecs WebpCodecs() {
  PictureCodecs codecs;
  codecs.push_back(std::make_unique<Webp>(std::vector<double>{1, 10, 30, 55, 75, 88, 95}));
  return codecs;
}

}  // namespace glint::bench
