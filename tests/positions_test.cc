// Sets of positions against counting them one by one.
#include "engine/positions.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace glint {

TEST_CASE("positions: every set, moved in every direction, has what moves there") {
  for (PositionSet set = kNoPositions; set <= kAllPositions; ++set) {
    for (int64_t rows = -3; rows <= 3; ++rows) {
      for (int64_t columns = -3; columns <= 3; ++columns) {
        const PositionSet moved = Moved(set, rows, columns);
        for (int64_t r = 10; r < 12; ++r) {
          for (int64_t c = 10; c < 12; ++c) {
            const bool was_there = (set & PositionAt(r - rows, c - columns)) != 0;
            CHECK(((moved & PositionAt(r, c)) != 0) == was_there);
          }
        }
      }
    }
  }
}

TEST_CASE("positions: a row has the columns of its set, in order") {
  for (PositionSet set = kNoPositions; set <= kAllPositions; ++set) {
    for (int64_t row = 0; row < 4; ++row) {
      for (size_t width = 0; width < 10; ++width) {
        std::vector<size_t> want, got;
        for (size_t c = 0; c < width; ++c) {
          if ((set & PositionAt(row, static_cast<int64_t>(c))) != 0) want.push_back(c);
        }
        const RowPositions positions = PositionsOfRow(set, row, width);
        for (size_t p = 0; p < positions.count; ++p) {
          got.push_back(positions.first + p * positions.stride);
        }
        CHECK(got == want);
      }
    }
  }
}

TEST_CASE("positions: names and shares") {
  CHECK(NameOf(kAllPositions) == "all");
  CHECK(NameOf(kEvenPositions) == "even");
  CHECK(NameOf(kOddPositions) == "odd");
  CHECK(NameOf(kNoPositions) == "no");
  CHECK(NameOf(PositionAt(1, 0)) == "[1, 0]");
  CHECK(NameOf(kAllPositions & ~PositionAt(0, 1)) == "[0, 0] [1, 0] [1, 1]");
  CHECK(ShareOf(kOddPositions) == 0.5);
  CHECK(ShareOf(PositionAt(0, 1)) == 0.25);
}

}  // namespace glint
