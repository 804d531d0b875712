// ToRgb8 and Flatten: one form of a picture to another.
#include <cstdint>
#include <cstring>
#include <new>

#include "codec/memory_limit.h"
#include "codec/samples/flatten.h"
#include "codec/stream/container.h"
#include "glint/pictures.hpp"

namespace glint {
namespace {

// The picture's samples as one number each; 16-bit ones lie in native order.
uint32_t Sample(const Picture& picture, size_t index) {
  if (picture.info.bit_depth <= 8) return picture.samples[index];
  uint16_t value = 0;
  std::memcpy(&value, picture.samples.data() + 2 * index, sizeof(value));
  return value;
}

bool HoldsItsSamples(const Picture& picture) {
  const PictureInfo& info = picture.info;
  if (!HasForm(info) || info.width == 0 || info.height == 0) return false;
  const size_t row_bytes = info.RowBytes();
  return picture.samples.size() % row_bytes == 0 &&
         picture.samples.size() / row_bytes == info.height;
}

}  // namespace

Picture Flatten(const Picture& picture, const Rgb8& background) {
  try {
    if (!picture.info.has_alpha) return picture;
    if (!HoldsItsSamples(picture)) return {};
    Flattener flattener(picture.info, AlphaOutput::kBlend, background);
    Picture flat;
    flat.info = flattener.info();
    flat.metadata = picture.metadata;
    const size_t row_bytes = flat.info.RowBytes();
    flat.samples.resize(row_bytes * flat.info.height);
    for (size_t y = 0; y < flat.info.height; ++y) {
      const uint8_t* row = flattener.Row(picture.samples.data() + y * picture.info.RowBytes());
      std::memcpy(flat.samples.data() + y * row_bytes, row, row_bytes);
    }
    return flat;
  } catch (const std::bad_alloc&) {
    return {};
  }
}

Picture ToRgb8(const Picture& picture) {
  Picture rgb;
  rgb.info.width = picture.info.width;
  rgb.info.height = picture.info.height;
  const size_t pixels = size_t{picture.info.width} * picture.info.height;
  if (!HoldsItsSamples(picture) || !TryResize(&rgb.samples, 3 * pixels)) return {};
  const uint32_t max = (1u << picture.info.bit_depth) - 1;
  const size_t stride = picture.info.SamplesPerPixel();
  for (size_t i = 0; i < pixels; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      const uint32_t value = Sample(picture, i * stride + (picture.info.channels == 3 ? c : 0));
      rgb.samples[3 * i + c] =
          static_cast<uint8_t>(max == 255 ? value : (value * 255 + max / 2) / max);
    }
  }
  return rgb;
}

}  // namespace glint
