// What the page calls (worker.js): one model, and the last stream, picture and error. Samples are
// RGBA of 8 bits, as a canvas has them.
// Thread rules: one thread.
#include <emscripten.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "glint/glint.h"

EM_JS(void, PostProgress, (double done), {postMessage({kind : "progress", done})});

namespace {

struct Page {
  glint_model* model = nullptr;
  glint_error error = {};
  uint8_t* stream = nullptr;
  size_t stream_size = 0;
  std::vector<uint8_t> pixels;
  uint32_t width = 0, height = 0;
};

Page page;

int Progress(void*, double done) {
  PostProgress(done);
  return 1;
}

// What a canvas can hold, and a memory of 32 bits: 1 GiB of samples.
glint_decode_options DecodeOptions() {
  glint_decode_options options;
  glint_decode_options_init(&options, sizeof(options));
  options.max_pixels = uint64_t{1} << 28;
  options.progress = Progress;
  return options;
}

// The size of a stream's picture; false where it is no sound stream.
bool ReadSize(const void* stream, size_t size) {
  const glint_decode_options options = DecodeOptions();
  glint_stream_info* info = nullptr;
  if (glint_inspect(stream, size, &options, &info, &page.error) != GLINT_OK) return false;
  glint_picture_info output;
  glint_picture_info_init(&output, sizeof(output));
  glint_stream_get_output(info, &output);
  glint_stream_info_free(info);
  page.width = output.width;
  page.height = output.height;
  return true;
}

bool Decode(const void* stream, size_t size) {
  if (!ReadSize(stream, size)) return false;
  const glint_decode_options options = DecodeOptions();
  page.pixels.resize(size_t{page.width} * page.height * 4);
  glint_pixels pixels;
  glint_pixels_init(&pixels, sizeof(pixels));
  pixels.format = GLINT_PIXELS_RGBA;
  pixels.width = page.width;
  pixels.height = page.height;
  pixels.planes[0] = page.pixels.data();
  return glint_decode_pixels(page.model, stream, size, &options, &pixels, &page.error) == GLINT_OK;
}

bool Encode(const uint8_t* rgba, uint32_t width, uint32_t height, double quality) {
  glint_free(page.stream);
  page.stream = nullptr;
  page.stream_size = 0;
  glint_encode_options options;
  glint_encode_options_init(&options, sizeof(options));
  options.progress = Progress;
  if (glint_lrd_of_quality(page.model, quality, &options.lrd, &page.error) != GLINT_OK) {
    return false;
  }
  glint_picture_info info;
  glint_picture_info_init(&info, sizeof(info));
  info.width = width;
  info.height = height;
  info.has_alpha = 1;
  return glint_encode(page.model, &info, rgba, 0, nullptr, &options, &page.stream,
                      &page.stream_size, &page.error) == GLINT_OK;
}

}  // namespace

extern "C" {

// 1, or 0 with the reason in PageError(), from here on.
EMSCRIPTEN_KEEPALIVE int PageLoadModel(const void* bytes, size_t size) {
  return glint_model_from_memory(bytes, size, "light-int8", &page.model, &page.error) == GLINT_OK;
}

EMSCRIPTEN_KEEPALIVE const char* PageError() { return page.error.message; }

EMSCRIPTEN_KEEPALIVE const char* PageVersion() { return glint_version(); }

// The stream is then PageStream().
EMSCRIPTEN_KEEPALIVE int PageEncode(const uint8_t* rgba, uint32_t width, uint32_t height,
                                    double quality) {
  return Encode(rgba, width, height, quality);
}

EMSCRIPTEN_KEEPALIVE const uint8_t* PageStream() { return page.stream; }
EMSCRIPTEN_KEEPALIVE size_t PageStreamSize() { return page.stream_size; }

// The picture is then PagePixels().
EMSCRIPTEN_KEEPALIVE int PageDecode(const void* stream, size_t size) {
  return Decode(stream, size);
}

EMSCRIPTEN_KEEPALIVE const uint8_t* PagePixels() { return page.pixels.data(); }
EMSCRIPTEN_KEEPALIVE uint32_t PageWidth() { return page.width; }
EMSCRIPTEN_KEEPALIVE uint32_t PageHeight() { return page.height; }

// dB over the colours of the pixels that are seen at all; infinity where none differs.
EMSCRIPTEN_KEEPALIVE double PagePsnr(const uint8_t* rgba) {
  uint64_t squares = 0, samples = 0;
  for (size_t p = 0; p < page.pixels.size(); p += 4) {
    if (rgba[p + 3] == 0) continue;
    for (size_t c = 0; c < 3; ++c) {
      const int difference = int{rgba[p + c]} - int{page.pixels[p + c]};
      squares += static_cast<uint64_t>(difference * difference);
    }
    samples += 3;
  }
  if (squares == 0) return std::numeric_limits<double>::infinity();
  return 10 *
         std::log10(255.0 * 255.0 * static_cast<double>(samples) / static_cast<double>(squares));
}
}
