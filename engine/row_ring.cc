#include "engine/row_ring.h"

#include <algorithm>
#include <string>

namespace glint {
namespace {

constexpr size_t kRowAlign = 64;  // bytes: rows and pixel 0 begin on a cache line

size_t RoundUp(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

// Micro-kernels may load a whole vector past the last channel of a pixel.
constexpr size_t kSlack = 64;

size_t PixelBytes(const RowRing::Layout& layout) {
  return layout.channels * kernels::BytesOf(layout.element);
}

size_t OriginBytes(const RowRing::Layout& layout) {
  return RoundUp(layout.halo_left * PixelBytes(layout), kRowAlign);
}

}  // namespace

size_t RowRing::Layout::RowBytes() const {
  return RoundUp(OriginBytes(*this) + (width + halo_right) * PixelBytes(*this) + kSlack, kRowAlign);
}

uint64_t RowRing::Layout::Bytes() const { return uint64_t{RowBytes()} * (capacity + 1); }

Status RowRing::Allocate(const Layout& layout) {
  layout_ = layout;
  layout_.capacity = std::max<size_t>(1, layout.capacity);
#ifdef GLINT_CHECK_ROWS
  layout_.capacity -= std::min(layout_.capacity - 1, MissingRows());
  ledger_.Reset(layout_.capacity);
#endif
  row_bytes_ = layout_.RowBytes();
  origin_ = OriginBytes(layout_);
  if (!data_.Allocate(row_bytes_ * layout_.capacity) || !zero_.Allocate(row_bytes_)) {
    return Status::Error(StatusCode::kLimit,
                         "out of memory: " + std::to_string(layout_.Bytes()) + " bytes for rows");
  }
  if (layout_.zero != 0) {
    std::fill_n(data_.get(), data_.size(), layout_.zero);
    std::fill_n(zero_.get(), zero_.size(), layout_.zero);
  }
  return Status::Ok();
}

}  // namespace glint
