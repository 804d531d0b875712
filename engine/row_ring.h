// A tensor of which only some rows are in memory: float32, NHWC, rows in a ring, zero halo left and
// right. Written and read by Executor steps and by the codec at both ends of a graph. Thread rules:
// rows may be written concurrently when they differ; the layout is fixed after Allocate.
#ifndef GLINT_ENGINE_ROW_RING_H_
#define GLINT_ENGINE_ROW_RING_H_

#include <cstddef>
#include <cstdint>

#include "engine/aligned.h"
#include "engine/status.h"

namespace glint {

class RowRing {
 public:
  struct Layout {
    size_t channels = 0;
    size_t width = 0;      // pixels of a row
    long height = 0;       // rows of the whole tensor
    size_t halo_left = 0;  // zero pixels kept on either side
    size_t halo_right = 0;
    size_t capacity = 0;  // rows in memory
    size_t RowFloats() const;
    uint64_t Bytes() const;
  };

  // kLimit when memory cannot be had. All bytes start as zero.
  Status Allocate(const Layout& layout);

  const Layout& layout() const { return layout_; }
  size_t pixel_stride() const { return layout_.channels; }
  // Pixel 0 of row r, 0 <= r < height. Row r and row r + capacity share their memory.
  float* Row(long r) {
    return data_.get() + (static_cast<size_t>(r) % layout_.capacity) * row_floats_ + origin_;
  }
  const float* Row(long r) const { return const_cast<RowRing*>(this)->Row(r); }
  // The same for reading; rows outside the tensor are zeros.
  const float* RowOrZero(long r) const {
    return r < 0 || r >= layout_.height ? zero_.get() + origin_ : Row(r);
  }

 private:
  Layout layout_;
  size_t row_floats_ = 0;
  size_t origin_ = 0;  // floats from the start of a row's memory to pixel 0
  AlignedBuffer<float> data_;
  AlignedBuffer<float> zero_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_ROW_RING_H_
