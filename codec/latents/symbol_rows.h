// A row of what a coding step codes: which positions and channels, in the order of the stream; and
// where its symbols go to or come from. Called by codec/latents and the ports of encoder and
// decoder.
// Thread rules: values; a SymbolPort belongs to one caller.
#ifndef GLINT_CODEC_LATENTS_SYMBOL_ROWS_H_
#define GLINT_CODEC_LATENTS_SYMBOL_ROWS_H_

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

// A row: positions from left to right, at each the runs of its column's parity.
struct SymbolRow {
  long row = 0;
  RowPositions positions;
  const std::array<PositionRuns, 2>* by_column = nullptr;  // by column parity; outlives the row
  size_t symbols = 0;

  // Calls visit(position, run) in the order of the stream; `position` counts from 0.
  template <typename Visit>
  void ForEachRun(Visit&& visit) const {
    for (size_t p = 0; p < positions.count; ++p) {
      for (const ChannelRun& run : (*by_column)[ColumnOf(p) & 1].runs) visit(p, run);
    }
  }
  size_t ColumnOf(size_t position) const { return positions.first + position * positions.stride; }
};

// The rows of a step, for latents of a width.
class SymbolRows {
 public:
  SymbolRows() = default;
  SymbolRows(const CodingStep& step, size_t width);
  SymbolRow Row(long row) const;
  size_t MostSymbols() const;  // of any row

 private:
  PositionSet positions_ = kNoPositions;
  size_t width_ = 0;
  std::array<std::array<PositionRuns, 2>, 2> runs_;  // by row parity
};

// Tables of a row's symbols: indices, counted from table `first` of the model.
struct RowTables {
  size_t first = 0;
  const uint8_t* narrow = nullptr;
  const uint16_t* wide = nullptr;  // where narrow is nullptr
};

// Where symbols go to or come from, a row at a time, in the order of the stream.
class SymbolPort {
 public:
  virtual ~SymbolPort() = default;
  // Means in fixed point and tables in, decoded latents in fixed point out, row.symbols of each.
  virtual Status CodeRow(Coded coded, const SymbolRow& row, const int16_t* mean,
                         const RowTables& tables, int16_t* decoded) = 0;
};

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_SYMBOL_ROWS_H_
