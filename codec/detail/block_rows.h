// Rows of a picture until there are as many as a row of blocks has, and the two above them, which
// its pixels look at. Called by codec/api/detail_writer and detail_reader.
// Thread rules: one caller.
#ifndef GLINT_CODEC_DETAIL_BLOCK_ROWS_H_
#define GLINT_CODEC_DETAIL_BLOCK_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "codec/detail/layout.h"
#include "codec/detail/pixels.h"
#include "codec/detail/section.h"

namespace glint::detail {

class BlockRows {
 public:
  // Rows of `row_bytes` bytes; `height` of them in the picture. The first to come is row `begin`,
  // with which a section begins.
  BlockRows(size_t row_bytes, uint32_t height, size_t begin = 0)
      : row_bytes_(row_bytes), height_(height), begin_(begin) {}
  bool IsAllocated() const { return !samples_.empty(); }
  uint64_t MemoryNeeded() const { return uint64_t{row_bytes_} * (kPixelHaloRows + kBlock); }
  void Allocate() { samples_.resize(row_bytes_ * (kPixelHaloRows + kBlock)); }

  void Add(const uint8_t* row) {
    std::memcpy(Row(rows_), row, row_bytes_);
    ++rows_;
  }
  // Whether the row of blocks is whole.
  bool IsWhole() const { return rows_ == kBlock || begin_ + rows_ == height_; }
  size_t begin() const { return begin_; }  // of the picture's rows
  size_t rows() const { return rows_; }
  uint8_t* Row(size_t row) { return samples_.data() + (kPixelHaloRows + row) * row_bytes_; }
  BlockRow Block() { return {Row(0), row_bytes_, rows_}; }
  // The next row of blocks.
  void Advance() {
    const size_t kept = std::min<size_t>(kPixelHaloRows, rows_);
    std::memmove(Row(0) - kept * row_bytes_, Row(rows_ - kept), kept * row_bytes_);
    begin_ += rows_;
    rows_ = 0;
  }

 private:
  const size_t row_bytes_;
  const size_t height_;
  std::vector<uint8_t> samples_;
  size_t begin_, rows_ = 0;
};

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_BLOCK_ROWS_H_
