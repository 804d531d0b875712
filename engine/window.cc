#include "engine/window.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace glint {
namespace {

// Schedules ask for many rows, and strides are powers of two.
int Log2(int64_t stride) { return std::countr_zero(static_cast<uint64_t>(stride)); }

}  // namespace

int64_t Axis::OutSize(int64_t in_size) const {
  return transposed ? in_size * stride : (in_size + stride - 1) / stride;
}

int64_t Axis::InputBegin(int64_t o) const {
  if (!transposed) return std::max<int64_t>(0, o * stride - padding);
  // The smallest i with stride * i >= first + padding - (kernel - 1).
  const int64_t first = o & -group();
  return std::max<int64_t>(0, (first + padding - kernel + stride) >> Log2(stride));
}

int64_t Axis::InputEnd(int64_t out_end, int64_t in_size) const {
  if (out_end <= 0) return 0;
  const int64_t last = WholeGroups(out_end) - 1;
  const int64_t end =
      transposed ? ((last + padding) >> Log2(stride)) + 1 : last * stride - padding + kernel;
  return std::clamp<int64_t>(end, 0, in_size);
}

int64_t Axis::OutputEnd(int64_t in_end, int64_t in_size) const {
  const int64_t out_size = OutSize(in_size);
  if (in_end >= in_size) return out_size;
  if (in_end <= 0) return 0;
  int64_t end = 0;
  if (transposed) {
    end = stride * in_end - padding;
    end -= end % group();
  } else if (in_end + padding >= kernel) {
    end = (in_end + padding - kernel) / stride + 1;
  }
  return std::clamp<int64_t>(end, 0, out_size);
}

int Axis::Level() const {
  const int level = Log2(stride);
  return transposed ? level : -level;
}

bool Window::IsPointwise() const { return rows == Axis{} && columns == Axis{}; }

bool Window::IsCausal() const {
  for (const Axis& axis : {rows, columns}) {
    if (axis.stride != 1 || axis.transposed) return false;
  }
  const auto width = static_cast<size_t>(columns.kernel);
  const size_t own =
      static_cast<size_t>(rows.padding) * width + static_cast<size_t>(columns.padding);
  for (size_t tap = own; tap < taps(); ++tap) {
    if (IsLive(tap)) return false;
  }
  return own > 0;
}

PositionSet Window::PositionsRead(PositionSet wanted) const {
  if (rows.stride != 1 || columns.stride != 1) return wanted == kNoPositions ? 0 : kAllPositions;
  PositionSet read = kNoPositions;
  for (size_t tap = 0; tap < taps(); ++tap) {
    if (!IsLive(tap)) continue;
    const size_t columns_of_row = static_cast<size_t>(columns.kernel);
    const int64_t ky = static_cast<int64_t>(tap / columns_of_row) - rows.padding;
    const int64_t kx = static_cast<int64_t>(tap % columns_of_row) - columns.padding;
    read |= Moved(wanted, ky, kx);
  }
  return read;
}

Window Window::Grouped() const {
  Window window = *this;
  window.rows.grouped = rows.transposed;
  window.columns.grouped = columns.transposed;
  return window;
}

TensorScale TensorScale::Behind(const Window& window) const {
  const int behind = level + window.rows.Level();
  return {std::min(lowest, behind), behind};
}

int64_t TensorScale::Height(int64_t in_height) const {
  const int64_t unit = int64_t{1} << -lowest;
  return (in_height + unit - 1) / unit * (int64_t{1} << (level - lowest));
}

}  // namespace glint
