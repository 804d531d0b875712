// Which positions of a tensor are meant: subsets of the 2 x 2 lattice of row and column parity,
// such as the two colours of a checkerboard or quarters. Coding steps say with them what they code,
// plans what is computed, windows what is read.
// Thread rules: values.
#ifndef GLINT_ENGINE_POSITIONS_H_
#define GLINT_ENGINE_POSITIONS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

namespace glint {

// Bit 2 * (row & 1) + (column & 1) for the positions of these parities.
using PositionSet = unsigned;
inline constexpr PositionSet kNoPositions = 0, kAllPositions = 15;
inline constexpr PositionSet kEvenPositions = 9, kOddPositions = 6;  // of row + column

constexpr PositionSet PositionAt(int64_t row, int64_t column) {
  return 1U << (2 * (row & 1) + (column & 1));
}

// Those that lie `rows` below and `columns` right of the ones in `set`, of either sign.
constexpr PositionSet Moved(PositionSet set, int64_t rows, int64_t columns) {
  PositionSet moved = kNoPositions;
  for (int64_t r = 0; r < 2; ++r) {
    for (int64_t c = 0; c < 2; ++c) {
      if ((set & PositionAt(r, c)) != 0) moved |= PositionAt(r + rows, c + columns);
    }
  }
  return moved;
}

// Of all positions of a large tensor.
constexpr double ShareOf(PositionSet set) { return std::popcount(set) / 4.0; }

// The positions of one row: columns first, first + stride, ..., `count` of them.
struct RowPositions {
  size_t first = 0;
  size_t stride = 1;
  size_t count = 0;
};
constexpr RowPositions PositionsOfRow(PositionSet set, int64_t row, size_t width) {
  const bool even = (set & PositionAt(row, 0)) != 0, odd = (set & PositionAt(row, 1)) != 0;
  if (even && odd) return {0, 1, width};
  if (even) return {0, 2, (width + 1) / 2};
  return {1, 2, odd ? width / 2 : 0};
}

// "all", "even", "odd", or the lattice's points, "[0, 0] [1, 1]": row parity, column parity.
std::string NameOf(PositionSet set);

}  // namespace glint

#endif  // GLINT_ENGINE_POSITIONS_H_
