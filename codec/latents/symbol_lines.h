// A line of positions whose symbols are coded together: a row, or a front of a wavefront step.
// Which positions and channels it has, in the order of the stream; and where its symbols go to or
// come from. Called by codec/latents and the ports of encoder and decoder. Thread rules: values; a
// SymbolPort belongs to one caller.
#ifndef GLINT_CODEC_LATENTS_SYMBOL_LINES_H_
#define GLINT_CODEC_LATENTS_SYMBOL_LINES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/model/model_document.h"
#include "engine/positions.h"
#include "engine/status.h"

namespace glint {

// Channels that follow each other, at one position.
struct ChannelRun {
  size_t channel = 0;    // the first, of the latents
  size_t parameter = 0;  // the first, of the step's
  size_t count = 0;
};

// What a step codes at the positions of one row parity and one column parity, in order.
struct PositionRuns {
  std::vector<ChannelRun> runs;
  size_t symbols = 0;  // of one position
};

// Positions one after the other; at each the runs of its column's parity. Of a row: from left to
// right. Of a front: from top to bottom, each some columns further left.
struct SymbolLine {
  int64_t row = 0, row_step = 0;
  int64_t column = 0, column_step = 1;
  size_t positions = 0;
  const std::array<PositionRuns, 2>* by_column = nullptr;  // by column parity; outlives the line
  size_t symbols = 0;

  // Calls visit(position, run) in the order of the stream; `position` counts from 0.
  template <typename Visit>
  void ForEachRun(Visit&& visit) const {
    for (size_t p = 0; p < positions; ++p) {
      for (const ChannelRun& run : (*by_column)[ColumnOf(p) & 1].runs) visit(p, run);
    }
  }
  int64_t RowOf(size_t position) const { return row + static_cast<int64_t>(position) * row_step; }
  size_t ColumnOf(size_t position) const {
    return static_cast<size_t>(column + static_cast<int64_t>(position) * column_step);
  }
};

// The lines of a step, for latents of a width.
class StepSymbols {
 public:
  StepSymbols() = default;
  StepSymbols(const CodingStep& step, size_t width);
  SymbolLine Row(int64_t row) const;
  size_t MostInRow() const;
  // Front `index` of rows [begin, end), for steps that code all positions in one way: the positions
  // with column + lag (row - begin) = index. It may have none.
  SymbolLine Front(int64_t begin, int64_t end, int64_t lag, int64_t index) const;
  // How many fronts these rows have, and how many positions one of them has at most.
  int64_t Fronts(int64_t begin, int64_t end, int64_t lag) const;
  size_t LongestFront(int64_t rows, int64_t lag) const;

 private:
  PositionSet positions_ = kNoPositions;
  size_t width_ = 0;
  std::array<std::array<PositionRuns, 2>, 2> runs_;  // by row parity
};

// Tables of a line's symbols: indices, counted from table `first` of the model.
struct LineTables {
  size_t first = 0;
  const uint8_t* narrow = nullptr;
  const uint16_t* wide = nullptr;  // where narrow is nullptr

  // The model's table of symbol i.
  size_t At(size_t i) const { return first + (narrow != nullptr ? narrow[i] : wide[i]); }
};

// Where symbols go to or come from, a line at a time, in the order of the stream.
class SymbolPort {
 public:
  virtual ~SymbolPort() = default;
  // Means in fixed point and tables in, decoded latents in fixed point out, line.symbols of each.
  virtual Status CodeLine(Coded coded, const SymbolLine& line, const int16_t* mean,
                          const LineTables& tables, int16_t* decoded) = 0;
};

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_SYMBOL_LINES_H_
