// Rows of one tensor or picture of which only the last few are in memory: plain values side by
// side, without the halo and the row of zeros that kernels want of a RowRing. The encoder keeps y,
// z and the source in such windows. Used by codec/api. A row is written before it is read, and in
// order; the tests' build checks it (engine/row_ledger.h). Thread rules: one caller.
#ifndef GLINT_CODEC_LATENTS_ROW_WINDOW_H_
#define GLINT_CODEC_LATENTS_ROW_WINDOW_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "codec/memory_limit.h"
#include "engine/aligned.h"
#include "engine/row_ledger.h"

namespace glint {

template <typename T>
class RowWindow {
 public:
  // `capacity`: rows in memory, at least 1.
  void SetSize(size_t row_values, int64_t capacity) {
    row_values_ = row_values;
    capacity_ = static_cast<size_t>(std::max<int64_t>(1, capacity));
  }
  // Bytes that Allocate will take.
  uint64_t MemoryNeeded() const {
    return MultiplyBytes(uint64_t{row_values_} * sizeof(T), capacity_);
  }
  // False when the memory cannot be had.
  bool Allocate() {
#ifdef GLINT_CHECK_ROWS
    capacity_ -= std::min(capacity_ - 1, MissingRows());
    ledger_.Reset(capacity_);
#endif
    return values_.Allocate(row_values_ * capacity_);
  }

  void Free() { values_ = {}; }

  size_t row_values() const { return row_values_; }
  size_t capacity() const { return capacity_; }
  // Row r and row r + capacity share their memory. WriteRow gives it to row r, whatever it held;
  // Row needs a row that was written and not overwritten since.
  T* WriteRow(int64_t r) {
#ifdef GLINT_CHECK_ROWS
    ledger_.OnWrite(r, {});
#endif
    return values_.get() + At(r);
  }
  const T* Row(int64_t r) const {
#ifdef GLINT_CHECK_ROWS
    ledger_.OnRead(r, {});
#endif
    return values_.get() + At(r);
  }
  // A row that is there, to change it.
  T* Update(int64_t r) { return const_cast<T*>(std::as_const(*this).Row(r)); }

 private:
  size_t At(int64_t r) const { return (static_cast<size_t>(r) % capacity_) * row_values_; }

  size_t row_values_ = 0;
  size_t capacity_ = 1;
#ifdef GLINT_CHECK_ROWS
  RowLedger ledger_;
#endif
  AlignedBuffer<T> values_;
};

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_ROW_WINDOW_H_
