// A tensor of which only some rows are in memory: NHWC, rows in a ring, and left and right of each
// row a halo of what stands for zero. Written and read by the steps of executors, and by the codec
// at both ends of a graph.
// A row is written before it is read, and in order; the tests' build checks it (row_ledger.h).
// Thread rules: rows may be written concurrently when they differ; the layout is fixed after
// Allocate.
#ifndef GLINT_ENGINE_ROW_RING_H_
#define GLINT_ENGINE_ROW_RING_H_

#include <cstddef>
#include <cstdint>

#include "engine/aligned.h"
#include "engine/row_ledger.h"
#include "engine/status.h"
#include "kernels/element.h"

namespace glint {

class RowRing {
 public:
  struct Layout {
    kernels::Element element = kernels::Element::kF32;
    uint8_t zero = 0;  // kU8: what stands for zero
    size_t channels = 0;
    size_t width = 0;      // pixels of a row
    int64_t height = 0;    // rows of the whole tensor
    size_t halo_left = 0;  // zero pixels kept on either side
    size_t halo_right = 0;
    size_t capacity = 0;  // rows in memory
    size_t RowBytes() const;
    uint64_t Bytes() const;
  };

  // kLimit when memory cannot be had. Everything starts as zero.
  Status Allocate(const Layout& layout);

  const Layout& layout() const { return layout_; }
  size_t pixel_stride() const { return layout_.channels; }
  kernels::Element element() const { return layout_.element; }
  size_t pixel_bytes() const { return layout_.channels * kernels::BytesOf(layout_.element); }
  // Pixel 0 of row r, 0 <= r < height. Row r and row r + capacity share their memory. WriteRow
  // gives it to row r, whatever it held. Row needs a row that was written and not overwritten
  // since.
  uint8_t* WriteRow(int64_t r, [[maybe_unused]] const RowUser& user = {}) {
#ifdef GLINT_CHECK_ROWS
    ledger_.OnWrite(r, user);
#endif
    return data_.get() + At(r);
  }
  const uint8_t* Row(int64_t r, [[maybe_unused]] const RowUser& user = {}) const {
#ifdef GLINT_CHECK_ROWS
    ledger_.OnRead(r, user);
#endif
    return data_.get() + At(r);
  }
  // The same for reading; rows outside the tensor are zeros.
  const uint8_t* RowOrZero(int64_t r, const RowUser& user = {}) const {
    return r < 0 || r >= layout_.height ? zero_.get() + origin_ : Row(r, user);
  }
  float* WriteFloats(int64_t r) { return static_cast<float*>(static_cast<void*>(WriteRow(r))); }
  const float* Floats(int64_t r, const RowUser& user = {}) const {
    return static_cast<const float*>(static_cast<const void*>(Row(r, user)));
  }
  int16_t* WriteInts(int64_t r) { return static_cast<int16_t*>(static_cast<void*>(WriteRow(r))); }

 private:
  size_t At(int64_t r) const {
    return (static_cast<size_t>(r) % layout_.capacity) * row_bytes_ + origin_;
  }

  Layout layout_;
  size_t row_bytes_ = 0;
  size_t origin_ = 0;  // bytes from the start of a row's memory to pixel 0
#ifdef GLINT_CHECK_ROWS
  RowLedger ledger_;
#endif
  AlignedBuffer<uint8_t> data_;
  AlignedBuffer<uint8_t> zero_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_ROW_RING_H_
