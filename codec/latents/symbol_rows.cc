#include "codec/latents/symbol_rows.h"

#include <algorithm>

namespace glint {

SymbolRows::SymbolRows(const CodingStep& step, size_t width)
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

SymbolRow SymbolRows::Row(long row) const {
  SymbolRow symbols;
  symbols.row = row;
  symbols.positions = PositionsOfRow(positions_, row, width_);
  symbols.by_column = &runs_[static_cast<size_t>(row & 1)];
  for (size_t column = 0; column < 2; ++column) {
    const size_t positions = PositionsOfRow(positions_ & (PositionAt(0, static_cast<long>(column)) |
                                                          PositionAt(1, static_cast<long>(column))),
                                            row, width_)
                                 .count;
    symbols.symbols += positions * (*symbols.by_column)[column].symbols;
  }
  return symbols;
}

size_t SymbolRows::MostSymbols() const { return std::max(Row(0).symbols, Row(1).symbols); }

}  // namespace glint
