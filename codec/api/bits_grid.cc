#include "codec/api/bits_grid.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "codec/samples/box_average.h"

namespace glint {
namespace {

// Of pixels [begin, begin + size) those that lie in 0..end, one at least.
struct Range {
  int64_t begin, end;

  Range(int64_t first, int64_t size, int64_t limit)
      : begin(std::clamp<int64_t>(first, 0, limit - 1)),
        end(std::clamp<int64_t>(first + size, begin + 1, limit)) {}
  int64_t size() const { return end - begin; }
  // How much of it cell `index` has.
  double ShareOf(int64_t index, int64_t cell) const {
    const int64_t from = std::max(begin, index * cell), to = std::min(end, (index + 1) * cell);
    return static_cast<double>(to - from) / static_cast<double>(size());
  }
};

}  // namespace

BitsGrid::BitsGrid(uint32_t width, uint32_t height, uint32_t cell)
    : width_(width), height_(height) {
  map_.cell = cell;
  map_.rows = ShrunkSize(height, cell);
  map_.columns = ShrunkSize(width, cell);
}

void BitsGrid::Allocate() { map_.bits.resize(size_t{map_.rows} * map_.columns); }

void BitsGrid::Add(const PixelArea& area, double bits) {
  const int64_t cell = map_.cell;
  const Range columns(area.x, area.width, width_), rows(area.y, area.height, height_);
  for (int64_t v = rows.begin / cell; v * cell < rows.end; ++v) {
    for (int64_t u = columns.begin / cell; u * cell < columns.end; ++u) {
      const double share = rows.ShareOf(v, cell) * columns.ShareOf(u, cell);
      map_.bits[static_cast<size_t>(v) * map_.columns + static_cast<size_t>(u)] +=
          static_cast<float>(share * bits);
    }
  }
}

void BitsGrid::Add(const BitsGrid& other) {
  std::transform(map_.bits.begin(), map_.bits.end(), other.map_.bits.begin(), map_.bits.begin(),
                 [](float a, float b) { return a + b; });
}

BitsMap BitsGrid::Take() { return std::move(map_); }

}  // namespace glint
