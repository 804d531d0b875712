#include "codec/samples/flatten.h"

#include <algorithm>

namespace glint {

PictureInfo FlatInfo(const PictureInfo& info, AlphaOutput alpha, const Rgb8& background) {
  if (!info.has_alpha || alpha == AlphaOutput::kKeep) return info;
  PictureInfo flat = info;
  flat.has_alpha = false;
  flat.bit_depth = std::min(info.bit_depth, 8U);
  if (alpha == AlphaOutput::kBlend) {
    flat.bit_depth = 8;
    const bool coloured = background.red != background.green || background.red != background.blue;
    if (coloured) flat.channels = 3;
  }
  return flat;
}

Flattener::Flattener(const PictureInfo& info, AlphaOutput alpha, const Rgb8& background)
    : source_(info),
      flat_(FlatInfo(info, alpha, background)),
      blend_(alpha == AlphaOutput::kBlend),
      background_(background),
      row_(flat_.RowBytes()) {}

const uint8_t* Flattener::Row(const void* samples) {
  if (source_.SampleBytes() == 2) {
    Fill(static_cast<const uint16_t*>(samples));
  } else {
    Fill(static_cast<const uint8_t*>(samples));
  }
  return row_.data();
}

template <typename Sample>
void Flattener::Fill(const Sample* in) {
  const uint64_t top = (1U << source_.bit_depth) - 1;
  const uint64_t flat_top = (1U << flat_.bit_depth) - 1;
  const uint8_t under[3] = {background_.red, background_.green, background_.blue};
  const size_t channels = source_.channels;
  uint8_t* out = row_.data();
  for (size_t x = 0; x < source_.width; ++x, in += channels + 1) {
    const uint64_t alpha = blend_ ? in[channels] : top;
    for (size_t c = 0; c < flat_.channels; ++c) {
      // To the nearest: flat_top * (colour / top * alpha / top + (1 - alpha / top) * under / 255).
      // What is blended has 255 for flat_top.
      const uint64_t colour = in[channels == 3 ? c : 0];
      if (alpha == top && flat_top == top) {
        *out++ = static_cast<uint8_t>(colour);
        continue;
      }
      const uint64_t sum = flat_top * colour * alpha + under[c] * top * (top - alpha);
      *out++ = static_cast<uint8_t>((sum + top * top / 2) / (top * top));
    }
  }
}

}  // namespace glint
