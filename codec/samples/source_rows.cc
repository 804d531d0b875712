#include "codec/samples/source_rows.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace glint {
namespace {

constexpr uint32_t kStrip = HiddenFill::kStripRows, kAhead = HiddenFill::kAheadRows;

template <typename Sample>
bool IsGray(const Sample* samples, size_t pixels, size_t stride) {
  for (size_t i = 0; i < pixels; ++i, samples += stride) {
    if (samples[0] != samples[1] || samples[0] != samples[2]) return false;
  }
  return true;
}

}  // namespace

SourceRows::SourceRows(const PictureInfo& info, const RowReader& read, HiddenColours hidden)
    : info_(info), read_(read), hidden_(hidden), gray_(info.channels == 3) {
  if (info.has_alpha && hidden == HiddenColours::kContinued) fill_.emplace(info);
}

uint64_t SourceRows::MemoryNeeded() const {
  if (!fill_) return 0;
  return fill_->MemoryNeeded() +
         uint64_t{info_.RowBytes()} * std::min(info_.height, kStrip + kAhead);
}

void SourceRows::Allocate() {
  if (!fill_) return;
  fill_->Allocate();
  window_.resize(info_.RowBytes() * std::min(info_.height, kStrip + kAhead));
}

void SourceRows::Free() {
  fill_.reset();
  std::vector<uint8_t>().swap(window_);
}

Status SourceRows::Next(uint8_t* row) {
  const size_t row_bytes = info_.RowBytes();
  if (!fill_) {
    GLINT_TRY(Read(row));
  } else {
    if (rows_given_ == strip_end_) GLINT_TRY(NextStrip());
    std::memcpy(row, window_.data() + (rows_given_ - window_begin_) * row_bytes, row_bytes);
  }
  ++rows_given_;
  if (gray_) {
    const size_t stride = info_.SamplesPerPixel();
    gray_ = info_.SampleBytes() == 2
                ? IsGray(reinterpret_cast<const uint16_t*>(row), info_.width, stride)
                : IsGray(row, info_.width, stride);
  }
  return Status::Ok();
}

Status SourceRows::Read(uint8_t* row) {
  if (read_(rows_read_, row)) {
    if (info_.bit_depth < 8) GLINT_TRY(CheckDepth(row));
    ++rows_read_;
    if (info_.has_alpha && hidden_ == HiddenColours::kBlack) {
      if (info_.SampleBytes() == 1) {
        Blacken(row);
      } else {
        Blacken(reinterpret_cast<uint16_t*>(row));
      }
    }
    return Status::Ok();
  }
  return Status::Error(StatusCode::kCancelled,
                       "row " + std::to_string(rows_read_) + " was not given");
}

Status SourceRows::CheckDepth(const uint8_t* row) const {
  const size_t bytes = info_.RowBytes();
  uint32_t all = 0;
  for (size_t i = 0; i < bytes; ++i) all |= row[i];
  if (all >> info_.bit_depth == 0) return Status::Ok();
  const uint8_t* const found =
      std::find_if(row, row + bytes, [&](uint32_t v) { return v >> info_.bit_depth != 0; });
  return Status::Error(StatusCode::kInvalidArgument,
                       "row " + std::to_string(rows_read_) + " has a sample of " +
                           std::to_string(*found) + " in a picture of " +
                           std::to_string(info_.bit_depth) + " bits");
}

template <typename Sample>
void SourceRows::Blacken(Sample* row) const {
  for (size_t x = 0; x < info_.width; ++x, row += info_.SamplesPerPixel()) {
    if (row[info_.channels] == 0) std::fill_n(row, info_.channels, Sample{0});
  }
}

// Moves on by a strip, reads what is new in the window, fills the strip.
Status SourceRows::NextStrip() {
  const size_t row_bytes = info_.RowBytes();
  const auto row_at = [&](uint32_t y) { return window_.data() + (y - window_begin_) * row_bytes; };
  if (strip_end_ > 0) {
    std::memmove(window_.data(), row_at(strip_end_), (rows_read_ - strip_end_) * row_bytes);
  }
  window_begin_ = strip_end_;
  strip_end_ += std::min(kStrip, info_.height - strip_end_);
  const uint32_t window_end = strip_end_ + std::min(kAhead, info_.height - strip_end_);
  while (rows_read_ < window_end) GLINT_TRY(Read(row_at(rows_read_)));
  fill_->FillStrip(window_.data(), strip_end_ - window_begin_, window_end - strip_end_);
  return Status::Ok();
}

}  // namespace glint
