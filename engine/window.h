// The geometry of an operator: which positions of its inputs an output position reads, by rows and
// by columns; and what follows for the sizes of tensors. Filled in by operators (engine/ops/),
// asked by validation, planner, schedule and codec/, which need not know the operator.
// Thread rules: values.
#ifndef GLINT_ENGINE_WINDOW_H_
#define GLINT_ENGINE_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/positions.h"

namespace glint {

// Rows, or columns. Ranges are [0, end), clamped to the tensors.
//   plain        output o reads inputs o * stride - padding + k, 0 <= k < kernel
//   transposed   output o reads the inputs i with o = stride * i - padding + k, 0 <= k < kernel
struct Axis {
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  bool transposed = false;
  // Transposed only: outputs stride * m .. stride * m + stride - 1 are computed together.
  bool grouped = false;

  // Outputs that are computed together; and the end of whole groups that outputs [0, end) take.
  int64_t group() const { return grouped ? stride : 1; }
  int64_t WholeGroups(int64_t end) const { return (end + group() - 1) & -group(); }
  int64_t OutSize(int64_t in_size) const;
  // First input that output `o` reads, clamped at 0.
  int64_t InputBegin(int64_t o) const;
  // Inputs [0, result) that outputs [0, out_end) read.
  int64_t InputEnd(int64_t out_end, int64_t in_size) const;
  // The most outputs [0, result) that inputs [0, in_end) suffice for.
  int64_t OutputEnd(int64_t in_end, int64_t in_size) const;
  // log2 of outputs for one input; strides are powers of two.
  int Level() const;
  bool operator==(const Axis&) const = default;
};

// The defaults are those of an operator that reads its own position and no other.
struct Window {
  Axis rows, columns;
  std::vector<bool> live;  // by tap, ky * columns.kernel + kx; empty: all

  size_t taps() const {
    return static_cast<size_t>(rows.kernel) * static_cast<size_t>(columns.kernel);
  }
  bool IsLive(size_t tap) const { return live.empty() || live[tap]; }
  // Output and input have the same positions, and each output reads the one at its own.
  bool IsPointwise() const;
  // Output and input have the same positions, and each output reads only such as a scan row by row,
  // from left to right, comes to before it comes to the output's own.
  bool IsCausal() const;
  // Positions that are read when those in `wanted` are made, where strides are 1; else all.
  PositionSet PositionsRead(PositionSet wanted) const;
  // The same window with outputs counted in whole groups, as an implementation may compute them.
  Window Grouped() const;
  bool operator==(const Window&) const = default;
};

// Height of a tensor as a function of the graph's input height h: ceil(h / 2^-lowest) * 2^(level -
// lowest). `lowest` <= 0 is the smallest level on the way. Widths go alike.
struct TensorScale {
  int lowest = 0;
  int level = 0;

  bool operator==(const TensorScale&) const = default;
  TensorScale Behind(const Window& window) const;
  int64_t Height(int64_t in_height) const;
};

}  // namespace glint

#endif  // GLINT_ENGINE_WINDOW_H_
