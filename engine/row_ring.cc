#include "engine/row_ring.h"

#include <algorithm>
#include <string>

namespace glint {
namespace {

constexpr size_t kRowAlign = 16;  // floats: rows and pixel 0 begin on a cache line

size_t RoundUp(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

// Micro-kernels may load a whole vector past the last channel of a pixel.
constexpr size_t kSlackFloats = 16;

size_t OriginFloats(const RowRing::Layout& layout) {
  return RoundUp(layout.halo_left * layout.channels, kRowAlign);
}

}  // namespace

size_t RowRing::Layout::RowFloats() const {
  return RoundUp(OriginFloats(*this) + (width + halo_right) * channels + kSlackFloats, kRowAlign);
}

uint64_t RowRing::Layout::Bytes() const {
  return uint64_t{RowFloats()} * (capacity + 1) * sizeof(float);
}

Status RowRing::Allocate(const Layout& layout) {
  layout_ = layout;
  layout_.capacity = std::max<size_t>(1, layout.capacity);
  row_floats_ = layout_.RowFloats();
  origin_ = OriginFloats(layout_);
  if (!data_.Allocate(row_floats_ * layout_.capacity) || !zero_.Allocate(row_floats_)) {
    return Status::Error(StatusCode::kLimit,
                         "out of memory: " + std::to_string(layout_.Bytes()) + " bytes for rows");
  }
  return Status::Ok();
}

}  // namespace glint
