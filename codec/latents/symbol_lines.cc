#include "codec/latents/symbol_lines.h"

#include <algorithm>

namespace glint {

StepSymbols::StepSymbols(const CodingStep& step, size_t width)
    : positions_(step.positions()), width_(width) {
  for (long row = 0; row < 2; ++row) {
    for (long column = 0; column < 2; ++column) {
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

SymbolLine StepSymbols::Row(long row) const {
  const RowPositions positions = PositionsOfRow(positions_, row, width_);
  SymbolLine line;
  line.row = row;
  line.column = static_cast<long>(positions.first);
  line.column_step = static_cast<long>(positions.stride);
  line.positions = positions.count;
  line.by_column = &runs_[static_cast<size_t>(row & 1)];
  for (size_t column = 0; column < 2; ++column) {
    const size_t count = PositionsOfRow(positions_ & (PositionAt(0, static_cast<long>(column)) |
                                                      PositionAt(1, static_cast<long>(column))),
                                        row, width_)
                             .count;
    line.symbols += count * (*line.by_column)[column].symbols;
  }
  return line;
}

size_t StepSymbols::MostInRow() const { return std::max(Row(0).symbols, Row(1).symbols); }

SymbolLine StepSymbols::Front(long begin, long end, long lag, long index) const {
  const auto width = static_cast<long>(width_);
  const long first = index < width ? 0 : (index - width) / lag + 1;  // counted from `begin`
  const long last = std::min(end - begin - 1, index / lag);
  SymbolLine line;
  line.row = begin + first;
  line.row_step = 1;
  line.column = index - lag * first;
  line.column_step = -lag;
  line.positions = static_cast<size_t>(std::max(0L, last - first + 1));
  line.by_column = runs_.data();
  line.symbols = line.positions * runs_[0][0].symbols;
  return line;
}

long StepSymbols::Fronts(long begin, long end, long lag) const {
  return end <= begin ? 0 : static_cast<long>(width_) + lag * (end - begin - 1);
}

size_t StepSymbols::LongestFront(long rows, long lag) const {
  const size_t across = (width_ + static_cast<size_t>(lag) - 1) / static_cast<size_t>(lag);
  return std::min(static_cast<size_t>(rows), across);
}

}  // namespace glint
