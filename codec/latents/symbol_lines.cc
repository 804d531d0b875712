#include "codec/latents/symbol_lines.h"

#include <algorithm>
#include <cstdint>

namespace glint {

StepSymbols::StepSymbols(const CodingStep& step, size_t width)
    : positions_(step.positions()), width_(width) {
  for (int64_t row = 0; row < 2; ++row) {
    for (int64_t column = 0; column < 2; ++column) {
      PositionRuns& at = runs_[static_cast<size_t>(row)][static_cast<size_t>(column)];
      size_t parameter = 0;
      for (const CodedPart& part : step.parts) {
        const auto count = static_cast<size_t>(part.channels());
        if ((part.positions & PositionAt(row, column)) != 0) {
          at.runs.push_back({static_cast<size_t>(part.channel_begin), parameter, count});
          at.symbols += count;
        }
        parameter += count;
      }
    }
  }
}

SymbolLine StepSymbols::Row(int64_t row) const {
  const RowPositions positions = PositionsOfRow(positions_, row, width_);
  SymbolLine line;
  line.row = row;
  line.column = static_cast<int64_t>(positions.first);
  line.column_step = static_cast<int64_t>(positions.stride);
  line.positions = positions.count;
  line.by_column = &runs_[static_cast<size_t>(row & 1)];
  for (size_t column = 0; column < 2; ++column) {
    const size_t count = PositionsOfRow(positions_ & (PositionAt(0, static_cast<int64_t>(column)) |
                                                      PositionAt(1, static_cast<int64_t>(column))),
                                        row, width_)
                             .count;
    line.symbols += count * (*line.by_column)[column].symbols;
  }
  return line;
}

size_t StepSymbols::MostInRow() const { return std::max(Row(0).symbols, Row(1).symbols); }

SymbolLine StepSymbols::Front(int64_t begin, int64_t end, int64_t lag, int64_t index) const {
  const auto width = static_cast<int64_t>(width_);
  const int64_t first = index < width ? 0 : (index - width) / lag + 1;  // counted from `begin`
  const int64_t last = std::min(end - begin - 1, index / lag);
  SymbolLine line;
  line.row = begin + first;
  line.row_step = 1;
  line.column = index - lag * first;
  line.column_step = -lag;
  line.positions = static_cast<size_t>(std::max<int64_t>(0, last - first + 1));
  line.by_column = runs_.data();
  line.symbols = line.positions * runs_[0][0].symbols;
  return line;
}

int64_t StepSymbols::Fronts(int64_t begin, int64_t end, int64_t lag) const {
  return end <= begin ? 0 : static_cast<int64_t>(width_) + lag * (end - begin - 1);
}

size_t StepSymbols::LongestFront(int64_t rows, int64_t lag) const {
  const size_t across = (width_ + static_cast<size_t>(lag) - 1) / static_cast<size_t>(lag);
  return std::min(static_cast<size_t>(rows), across);
}

}  // namespace glint
