// JPEG by libjpeg, as `cjpeg -optimize` and `djpeg` do it.
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "bench/codecs/picture_codec.h"
// After cstdio: it uses FILE without saying so.
#include "jpeglib.h"

namespace glint::bench {
namespace {

// What libjpeg calls where it cannot go on; it must not come back.
struct Failure {
  jpeg_error_mgr manager;
  std::jmp_buf jump;
  std::array<char, JMSG_LENGTH_MAX> reason;

  static void Leave(j_common_ptr jpeg) {
    auto* const failure = reinterpret_cast<Failure*>(jpeg->err);
    jpeg->err->format_message(jpeg, failure->reason.data());
    std::longjmp(failure->jump, 1);
  }

  jpeg_error_mgr* Start() {
    jpeg_std_error(&manager);
    manager.error_exit = Leave;
    return &manager;
  }
};

// The bytes are libjpeg's, to be freed with std::free; not after a failure, which leaves nobody
// knowing whose they are. Nothing here has a destructor: longjmp leaves it at any place.
bool Compress(const Picture& picture, int quality, int chroma_step, Failure* failure,
              unsigned char** bytes, unsigned long* size) {
  jpeg_compress_struct jpeg{};
  jpeg.err = failure->Start();
  if (setjmp(failure->jump) != 0) {
    jpeg_destroy_compress(&jpeg);
    return false;
  }
  jpeg_create_compress(&jpeg);
  jpeg_mem_dest(&jpeg, bytes, size);
  jpeg.image_width = picture.info.width;
  jpeg.image_height = picture.info.height;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg.optimize_coding = TRUE;
  jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = chroma_step;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPLE*>(picture.samples.data() +
                                     size_t{jpeg.next_scanline} * picture.info.RowBytes());
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  return true;
}

// As above: what is made on the way is gone, or the caller's, before libjpeg is called again.
bool Decompress(const std::vector<uint8_t>& bytes, Failure* failure, Picture* picture) {
  jpeg_decompress_struct jpeg{};
  jpeg.err = failure->Start();
  if (setjmp(failure->jump) != 0) {
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, bytes.data(), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  *picture = BlackPicture(jpeg.image_width, jpeg.image_height);
  jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&jpeg);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPLE* row =
        picture->samples.data() + size_t{jpeg.output_scanline} * picture->info.RowBytes();
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return true;
}

std::string LibraryVersion() {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  constexpr int kNumber = LIBJPEG_TURBO_VERSION_NUMBER;  // 2001005 is 2.1.5
  return "libjpeg-turbo " + std::to_string(kNumber / 1000000) + "." +
         std::to_string(kNumber / 1000 % 1000) + "." + std::to_string(kNumber % 1000);
#else
  return "libjpeg " + std::to_string(JPEG_LIB_VERSION);
#endif
}

class Jpeg final : public PictureCodec {
 public:
  // chroma_step: 2 is 4:2:0, 1 is 4:4:4
  Jpeg(const char* name, int chroma_step, std::vector<double> qualities)
      : PictureCodec(name, LibraryVersion(), std::move(qualities)), chroma_step_(chroma_step) {}

  Expected<std::vector<uint8_t>> Encode(const Picture& picture, double setting) override {
    Failure failure;
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    const bool done =
        Compress(picture, static_cast<int>(setting), chroma_step_, &failure, &bytes, &size);
    if (!done) return CodecError("libjpeg", failure.reason.data());
    std::vector<uint8_t> out(bytes, bytes + size);
    std::free(bytes);
    return out;
  }

  Expected<Picture> Decode(const std::vector<uint8_t>& bytes) override {
    Failure failure;
    Picture picture;
    if (!Decompress(bytes, &failure, &picture)) {
      return CodecError("libjpeg", failure.reason.data());
    }
    return picture;
  }

 private:
  const int chroma_step_;
};

}  // namespace

PictureCodecs JpegCodecs() {
  PictureCodecs codecs;
  codecs.push_back(
      std::make_unique<Jpeg>("JPEG 4:2:0", 2, std::vector<double>{8, 15, 30, 50, 70, 85, 93}));
  codecs.push_back(
      std::make_unique<Jpeg>("JPEG 4:4:4", 1, std::vector<double>{6, 12, 25, 45, 65, 80, 90}));
  return codecs;
}

}  // namespace glint::bench
