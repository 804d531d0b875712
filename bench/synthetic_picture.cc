#include "bench/synthetic_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace glint::bench {
namespace {

uint32_t NextRandom(uint32_t* state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

}  // namespace

Picture SyntheticPicture(uint32_t width, uint32_t height) {
  Picture picture;
  picture.info.width = width;
  picture.info.height = height;
  picture.samples.resize(size_t{height} * picture.info.RowBytes());
  uint32_t random = 1;
  size_t i = 0;
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) / 97, v = static_cast<double>(y) / 71;
      const double shape = 60 * std::sin(u) * std::cos(v) + (std::sin(u + 2 * v) > 0.4 ? 40 : 0);
      const double texture = 12 * std::sin(29 * u) * std::sin(23 * v) * std::sin(0.7 * v);
      for (int c = 0; c < 3; ++c) {
        const double noise = static_cast<double>(NextRandom(&random) % 9) - 4;
        const double value = 110 + (1 - 0.2 * c) * shape + texture + noise + 8 * c;
        picture.samples[i++] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
  return picture;
}

bool ParseSize(const std::string& text, uint32_t* width, uint32_t* height) {
  char extra = 0;
  return text.find('-') == std::string::npos &&
         std::sscanf(text.c_str(), "%7ux%7u%c", width, height, &extra) == 2 && *width > 0 &&
         *height > 0;
}

}  // namespace glint::bench
