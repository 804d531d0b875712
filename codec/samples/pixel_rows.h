// Rows between buffers of any layout (glint/pixels.hpp) and the codec's interleaved samples.
// Called by codec/api/pixels.
// Thread rules: one caller.
#ifndef GLINT_CODEC_SAMPLES_PIXEL_ROWS_H_
#define GLINT_CODEC_SAMPLES_PIXEL_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "codec/samples/yuv.h"
#include "engine/status.h"
#include "glint/glint.hpp"
#include "glint/pixels.hpp"

namespace glint {

// kInvalidArgument with the offending value. Sizes are looked at as far as strides go.
Status CheckPixels(const ConstPixelBuffer& pixels);
Status CheckPixels(const PixelBuffer& pixels);
// Whether a layout has samples of alpha.
bool HasAlpha(PixelFormat format);

// The encoder's source.
class PixelUnpacker {
 public:
  // `pixels` have passed CheckPixels; their planes must outlive this.
  explicit PixelUnpacker(const ConstPixelBuffer& pixels);
  const PictureInfo& info() const { return info_; }
  void Read(uint32_t y, void* row) const;

 private:
  template <typename Sample>
  void ReadInterleaved(const uint8_t* from, uint8_t* row) const;
  template <typename Sample>
  void ReadYuv(uint32_t y, uint8_t* row) const;

  const ConstPixelBuffer pixels_;
  PictureInfo info_;
  std::optional<YuvConverter> yuv_;
};

// The decoder's sink.
class PixelPacker {
 public:
  // `pixels` have passed CheckPixels; their planes must outlive this. `info`: of the rows, whose
  // size is that of `pixels`; without alpha where the layout has none.
  PixelPacker(const PixelBuffer& pixels, const PictureInfo& info);
  static uint64_t MemoryNeeded(const PixelBuffer& pixels);
  // Rows in order, none twice.
  void Write(uint32_t y, const void* row);

 private:
  template <typename In, typename Out>
  void WriteRow(uint32_t y, const uint8_t* row);
  template <typename In, typename Out>
  void WriteInterleaved(uint32_t y, const uint8_t* row);
  template <typename In, typename Out>
  void WriteYuv(uint32_t y, const uint8_t* row);
  template <typename In>
  Rgb Colour(const uint8_t* row, size_t x) const;

  const PixelBuffer pixels_;
  const PictureInfo info_;
  const YuvConverter yuv_;
  std::vector<uint8_t> above_;  // of kYuv420: the row above an odd one
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_PIXEL_ROWS_H_
