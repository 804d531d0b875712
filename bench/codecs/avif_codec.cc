// AVIF by libavif: as `avifenc -y 444 --min 0 --max 63 -a end-usage=q -a cq-level=Q -a tune=psnr`.
#include <memory>
#include <utility>

#include "avif/avif.h"
#include "bench/codecs/picture_codec.h"

namespace glint::bench {
namespace {

struct Destroy {
  void operator()(avifImage* image) const { avifImageDestroy(image); }
  void operator()(avifEncoder* encoder) const { avifEncoderDestroy(encoder); }
  void operator()(avifDecoder* decoder) const { avifDecoderDestroy(decoder); }
};
template <typename T>
using Owned = std::unique_ptr<T, Destroy>;

Error Failed(avifResult result) { return CodecError("libavif", avifResultToString(result)); }

std::string LibraryVersion() {
  char codecs[256] = {};
  avifCodecVersions(codecs);
  return std::string("libavif ") + avifVersion() + " (" + codecs + ")";
}

avifRGBImage RgbOf(const avifImage* image, const uint8_t* samples, size_t row_bytes) {
  avifRGBImage rgb;
  avifRGBImageSetDefaults(&rgb, image);
  rgb.depth = 8;
  rgb.format = AVIF_RGB_FORMAT_RGB;
  rgb.pixels = const_cast<uint8_t*>(samples);
  rgb.rowBytes = static_cast<uint32_t>(row_bytes);
  return rgb;
}

class Avif final : public PictureCodec {
 public:
  Avif(int speed, std::vector<double> levels)
      : PictureCodec("AVIF 4:4:4, speed " + std::to_string(speed), LibraryVersion(),
                     std::move(levels)),
        speed_(speed) {}

  Expected<std::vector<uint8_t>> Encode(const Picture& picture, double setting) override {
    const Owned<avifImage> image(
        avifImageCreate(picture.info.width, picture.info.height, 8, AVIF_PIXEL_FORMAT_YUV444));
    const Owned<avifEncoder> encoder(avifEncoderCreate());
    if (image == nullptr || encoder == nullptr) return Failed(AVIF_RESULT_UNKNOWN_ERROR);
    image->matrixCoefficients = AVIF_MATRIX_COEFFICIENTS_BT601;  // as avifenc
    const avifRGBImage rgb = RgbOf(image.get(), picture.samples.data(), picture.info.RowBytes());
    avifResult result = avifImageRGBToYUV(image.get(), &rgb);
    if (result != AVIF_RESULT_OK) return Failed(result);
    encoder->codecChoice = AVIF_CODEC_CHOICE_AOM;  // the options below are its own
    encoder->maxThreads = 1;
    encoder->speed = speed_;
    encoder->minQuantizer = 0;
    encoder->maxQuantizer = 63;
    const std::string level = std::to_string(static_cast<int>(setting));
    avifEncoderSetCodecSpecificOption(encoder.get(), "end-usage", "q");
    avifEncoderSetCodecSpecificOption(encoder.get(), "cq-level", level.c_str());
    avifEncoderSetCodecSpecificOption(encoder.get(), "tune", "psnr");
    avifRWData data = AVIF_DATA_EMPTY;
    result = avifEncoderWrite(encoder.get(), image.get(), &data);
    std::vector<uint8_t> bytes(data.data, data.data + data.size);
    avifRWDataFree(&data);
    if (result != AVIF_RESULT_OK) return Failed(result);
    return bytes;
  }

  Expected<Picture> Decode(const std::vector<uint8_t>& bytes) override {
    const Owned<avifImage> image(avifImageCreateEmpty());
    const Owned<avifDecoder> decoder(avifDecoderCreate());
    if (image == nullptr || decoder == nullptr) return Failed(AVIF_RESULT_UNKNOWN_ERROR);
    decoder->maxThreads = 1;
    avifResult result =
        avifDecoderReadMemory(decoder.get(), image.get(), bytes.data(), bytes.size());
    if (result != AVIF_RESULT_OK) return Failed(result);
    Picture picture = BlackPicture(image->width, image->height);
    avifRGBImage rgb = RgbOf(image.get(), picture.samples.data(), picture.info.RowBytes());
    result = avifImageYUVToRGB(image.get(), &rgb);
    if (result != AVIF_RESULT_OK) return Failed(result);
    return picture;
  }

 private:
  const int speed_;
};

}  // namespace

PictureCodecs AvifCodecs() {
  PictureCodecs codecs;
  for (const int speed : {6, 8}) {
    codecs.push_back(
        std::make_unique<Avif>(speed, std::vector<double>{58, 50, 42, 34, 26, 18, 10}));
  }
  return codecs;
}

}  // namespace glint::bench
