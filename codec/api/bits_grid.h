// Where bits went: a grid over the picture to which rectangles of pixels are added.
// Called by codec/api/encoder and codec/api/detail_writer, one grid per picture.
// Thread rules: one caller.
#ifndef GLINT_CODEC_API_BITS_GRID_H_
#define GLINT_CODEC_API_BITS_GRID_H_

#include <cstdint>

#include "glint/glint.hpp"

namespace glint {

// Pixels [x, x + width) of rows [y, y + height); parts of it may lie outside of the picture.
struct PixelArea {
  int64_t x = 0, y = 0, width = 0, height = 0;
};

class BitsGrid {
 public:
  // Of a picture of width x height pixels.
  BitsGrid(uint32_t width, uint32_t height, uint32_t cell);
  uint64_t MemoryNeeded() const { return uint64_t{map_.rows} * map_.columns * sizeof(float); }
  void Allocate();  // before anything is added

  // Spread evenly over the area's pixels that the picture has; over the pixel next to it where it
  // has none.
  void Add(const PixelArea& area, double bits);
  void Add(const BitsGrid& other);  // of the same picture

  BitsMap Take();

 private:
  uint32_t width_, height_;
  BitsMap map_;
};

}  // namespace glint

#endif  // GLINT_CODEC_API_BITS_GRID_H_
