// JPEG XL by libjxl, as `cjxl -d DISTANCE` and `djxl` do it.
#include <memory>
#include <utility>

#include "bench/codecs/picture_codec.h"
#include "jxl/decode_cxx.h"
#include "jxl/encode_cxx.h"

namespace glint::bench {
namespace {

constexpr JxlPixelFormat kRgb8 = {3, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};

std::string LibraryVersion() {
  const uint32_t version = JxlEncoderVersion();
  return "libjxl " + std::to_string(version / 1000000) + "." +
         std::to_string(version / 1000 % 1000) + "." + std::to_string(version % 1000);
}

class Jxl final : public PictureCodec {
 public:
  Jxl(int effort, std::vector<double> distances)
      : PictureCodec("JPEG XL, effort " + std::to_string(effort), LibraryVersion(),
                     std::move(distances)),
        effort_(effort) {}

  Expected<std::vector<uint8_t>> Encode(const Picture& picture, double setting) override {
    const JxlEncoderPtr encoder = JxlEncoderMake(nullptr);
    JxlBasicInfo info;
    JxlEncoderInitBasicInfo(&info);
    info.xsize = picture.info.width;
    info.ysize = picture.info.height;
    info.bits_per_sample = 8;
    info.num_color_channels = 3;
    info.uses_original_profile = JXL_FALSE;
    JxlColorEncoding colour;
    JxlColorEncodingSetToSRGB(&colour, JXL_FALSE);
    JxlEncoderFrameSettings* const frame = JxlEncoderFrameSettingsCreate(encoder.get(), nullptr);
    const bool set =
        JxlEncoderSetBasicInfo(encoder.get(), &info) == JXL_ENC_SUCCESS &&
        JxlEncoderSetColorEncoding(encoder.get(), &colour) == JXL_ENC_SUCCESS &&
        JxlEncoderFrameSettingsSetOption(frame, JXL_ENC_FRAME_SETTING_EFFORT, effort_) ==
            JXL_ENC_SUCCESS &&
        JxlEncoderSetFrameDistance(frame, static_cast<float>(setting)) == JXL_ENC_SUCCESS &&
        JxlEncoderAddImageFrame(frame, &kRgb8, picture.samples.data(), picture.samples.size()) ==
            JXL_ENC_SUCCESS;
    if (!set) return CodecError("libjxl", "the encoder refuses the picture or its settings");
    JxlEncoderCloseInput(encoder.get());
    std::vector<uint8_t> bytes(picture.samples.size() / 4 + 4096);
    size_t size = 0;
    for (;;) {
      uint8_t* next = bytes.data() + size;
      size_t room = bytes.size() - size;
      const JxlEncoderStatus status = JxlEncoderProcessOutput(encoder.get(), &next, &room);
      size = bytes.size() - room;
      if (status == JXL_ENC_SUCCESS) break;
      if (status != JXL_ENC_NEED_MORE_OUTPUT) return CodecError("libjxl", "encoding failed");
      bytes.resize(2 * bytes.size());
    }
    bytes.resize(size);
    return bytes;
  }

  Expected<Picture> Decode(const std::vector<uint8_t>& bytes) override {
    const JxlDecoderPtr decoder = JxlDecoderMake(nullptr);
    const Error broken = CodecError("libjxl", "the picture does not decode");
    if (JxlDecoderSubscribeEvents(decoder.get(), JXL_DEC_BASIC_INFO | JXL_DEC_FULL_IMAGE) !=
            JXL_DEC_SUCCESS ||
        JxlDecoderSetInput(decoder.get(), bytes.data(), bytes.size()) != JXL_DEC_SUCCESS) {
      return broken;
    }
    JxlDecoderCloseInput(decoder.get());
    Picture picture;
    for (;;) {
      const JxlDecoderStatus status = JxlDecoderProcessInput(decoder.get());
      if (status == JXL_DEC_BASIC_INFO) {
        JxlBasicInfo info;
        if (JxlDecoderGetBasicInfo(decoder.get(), &info) != JXL_DEC_SUCCESS) return broken;
        picture = BlackPicture(info.xsize, info.ysize);
      } else if (status == JXL_DEC_NEED_IMAGE_OUT_BUFFER) {
        if (JxlDecoderSetImageOutBuffer(decoder.get(), &kRgb8, picture.samples.data(),
                                        picture.samples.size()) != JXL_DEC_SUCCESS) {
          return broken;
        }
      } else if (status == JXL_DEC_FULL_IMAGE || status == JXL_DEC_SUCCESS) {
        return picture;
      } else {
        return broken;
      }
    }
  }

 private:
  const int effort_;
};

}  // namespace

PictureCodecs JxlCodecs() {
  PictureCodecs codecs;
  for (const int effort : {3, 7}) {
    codecs.push_back(
        std::make_unique<Jxl>(effort, std::vector<double>{15, 8, 4.5, 2.8, 1.7, 1, 0.5}));
  }
  return codecs;
}

}  // namespace glint::bench
