#include "engine/positions.h"

namespace glint {

std::string NameOf(PositionSet set) {
  if (set == kAllPositions) return "all";
  if (set == kEvenPositions) return "even";
  if (set == kOddPositions) return "odd";
  std::string points;
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 2; ++column) {
      if ((set & PositionAt(row, column)) == 0) continue;
      points +=
          (points.empty() ? "[" : " [") + std::to_string(row) + ", " + std::to_string(column) + "]";
    }
  }
  return points.empty() ? "no" : points;
}

}  // namespace glint
