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
  glint_picture_info info = {};
};

Page page;

int Progress(void*, double done) {
  PostProgress(done);
  return 1;
}

// Rows of any kind of picture as RGBA of 8 bits.
void ToCanvas(const glint_picture_info& info, const void* samples, uint8_t* out) {
  const size_t channels = info.channels + (info.has_alpha ? 1 : 0);
  const size_t pixels = size_t{info.width} * info.height;
  const uint32_t most = (uint32_t{1} << info.bit_depth) - 1;
  const auto sample = [&](size_t i) {
    const uint32_t value = info.bit_depth > 8 ? static_cast<const uint16_t*>(samples)[i]
                                              : static_cast<const uint8_t*>(samples)[i];
    return static_cast<uint8_t>((value * 255 + most / 2) / most);
  };
  for (size_t p = 0; p < pixels; ++p) {
    const size_t from = p * channels;
    for (size_t c = 0; c < 3; ++c) out[4 * p + c] = sample(from + (info.channels == 3 ? c : 0));
    out[4 * p + 3] = info.has_alpha ? sample(from + info.channels) : 255;
  }
}

bool Decode(const void* stream, size_t size) {
  glint_decode_options options;
  glint_decode_options_init(&options, sizeof(options));
  options.progress = Progress;
  glint_picture* picture = nullptr;
  if (glint_decode(page.model, stream, size, &options, &picture, &page.error) != GLINT_OK) {
    return false;
  }
  const void* samples = nullptr;
  size_t bytes = 0;
  glint_picture_get_info(picture, &page.info);
  glint_picture_get_samples(picture, &samples, &bytes);
  page.pixels.resize(size_t{page.info.width} * page.info.height * 4);
  ToCanvas(page.info, samples, page.pixels.data());
  glint_picture_free(picture);
  return true;
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
  const glint_picture_info info = {width, height, 3, 1, 8};
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
EMSCRIPTEN_KEEPALIVE uint32_t PageWidth() { return page.info.width; }
EMSCRIPTEN_KEEPALIVE uint32_t PageHeight() { return page.info.height; }

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
