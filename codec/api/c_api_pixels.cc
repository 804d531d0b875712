// The part of glint.h about pixels in buffers of any layout.
#include "codec/api/c_support.h"
#include "glint/glint.h"
#include "glint/glint.hpp"
#include "glint/pixels.hpp"

namespace glint::c {
namespace {

constexpr bool Mirrors(PixelFormat format, int in_c) { return static_cast<int>(format) == in_c; }
static_assert(Mirrors(PixelFormat::kGray, GLINT_PIXELS_GRAY) &&
              Mirrors(PixelFormat::kRgb, GLINT_PIXELS_RGB) &&
              Mirrors(PixelFormat::kBgr, GLINT_PIXELS_BGR) &&
              Mirrors(PixelFormat::kRgba, GLINT_PIXELS_RGBA) &&
              Mirrors(PixelFormat::kBgra, GLINT_PIXELS_BGRA) &&
              Mirrors(PixelFormat::kRgbx, GLINT_PIXELS_RGBX) &&
              Mirrors(PixelFormat::kBgrx, GLINT_PIXELS_BGRX) &&
              Mirrors(PixelFormat::kYuv444, GLINT_PIXELS_YUV444) &&
              Mirrors(PixelFormat::kYuv420, GLINT_PIXELS_YUV420));
static_assert(static_cast<int>(YuvMatrix::kBt601) == GLINT_YUV_BT601 &&
              static_cast<int>(YuvMatrix::kBt709) == GLINT_YUV_BT709 &&
              static_cast<int>(YuvRange::kFull) == GLINT_YUV_FULL &&
              static_cast<int>(YuvRange::kLimited) == GLINT_YUV_LIMITED);

glint_pixels PixelDefaultsInC() {
  glint_pixels pixels{};
  pixels.format = GLINT_PIXELS_RGB;
  pixels.bit_depth = PixelLayout().bit_depth;
  return pixels;
}

// Into a ConstPixelBuffer or a PixelBuffer.
template <typename Buffer>
Error ReadPixels(const glint_pixels* given, Buffer* pixels) {
  SizedStruct<glint_pixels> caller;
  if (Error error = caller.Read("pixels", given); !error.ok()) return error;
  const glint_pixels defaults = PixelDefaultsInC();
  const auto get = [&](uint32_t glint_pixels::*field) {
    return caller.Get(field, defaults.*field);
  };
  pixels->layout = {static_cast<PixelFormat>(get(&glint_pixels::format)),
                    get(&glint_pixels::bit_depth),
                    static_cast<YuvMatrix>(get(&glint_pixels::matrix)),
                    static_cast<YuvRange>(get(&glint_pixels::range))};
  pixels->width = get(&glint_pixels::width);
  pixels->height = get(&glint_pixels::height);
  for (size_t p = 0; p < 3; ++p) {
    if (caller.Has(&glint_pixels::planes)) pixels->planes[p].data = caller.fields().planes[p];
    if (caller.Has(&glint_pixels::strides)) pixels->planes[p].stride = caller.fields().strides[p];
  }
  return {};
}

}  // namespace
}  // namespace glint::c

using namespace glint::c;  // NOLINT(google-build-using-namespace): the functions of this file

glint_status glint_pixels_init(glint_pixels* pixels, size_t struct_size) {
  return InitStruct(PixelDefaultsInC(), struct_size, pixels);
}

glint_status glint_encode_pixels(const glint_model* model, const glint_pixels* pixels,
                                 const glint_metadata* metadata,
                                 const glint_encode_options* options, uint8_t** stream,
                                 size_t* stream_size, glint_error* error) {
  if (stream != nullptr) *stream = nullptr;
  if (stream_size != nullptr) *stream_size = 0;
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"pixels", pixels != nullptr},
                                       {"stream", stream != nullptr},
                                       {"stream_size", stream_size != nullptr}});
    if (!missing.ok()) return missing;
    glint::ConstPixelBuffer buffer;
    if (glint::Error wrong = ReadPixels(pixels, &buffer); !wrong.ok()) return wrong;
    return GiveStream(
        metadata, options, stream, stream_size,
        [&](const glint::Metadata& given, const glint::EncodeOptions& own, glint::Report* report) {
          return glint::EncodePixels(*Object(model), buffer, given, own, report);
        });
  });
}

glint_status glint_decode_pixels(const glint_model* model, const void* stream, size_t stream_size,
                                 const glint_decode_options* options, const glint_pixels* pixels,
                                 glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"stream", stream != nullptr},
                                       {"pixels", pixels != nullptr}});
    if (!missing.ok()) return missing;
    glint::PixelBuffer buffer;
    if (glint::Error wrong = ReadPixels(pixels, &buffer); !wrong.ok()) return wrong;
    Call<glint_decode_options> call;
    if (glint::Error wrong = call.Init(options); !wrong.ok()) return wrong;
    return call.Finish(glint::DecodePixels(*Object(model), stream, stream_size, buffer,
                                           call.options(), call.report()));
  });
}
