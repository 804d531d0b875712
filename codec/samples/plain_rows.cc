#include "codec/samples/plain_rows.h"

#include <algorithm>
#include <cstring>

#include "codec/detail/drawn.h"
#include "codec/detail/layout.h"
#include "codec/stream/container.h"

namespace glint {
namespace {

using detail::kBlock;

size_t RowsOfStrip(uint32_t height, uint32_t begin) {
  return std::min<size_t>(kBlock, height - begin);
}

}  // namespace

PlainRows::PlainRows(const PictureInfo& info, PlainBlocks blocks, double lambda, SourceRows* source)
    : info_(info), blocks_(blocks), lambda_(lambda), source_(source) {}

uint64_t PlainRows::MemoryNeeded() const {
  const uint64_t source = source_->MemoryNeeded();
  if (blocks_ == PlainBlocks::kNone) return source;
  const uint64_t samples = uint64_t{info_.width} * info_.channels;
  return source + kBlock * (info_.RowBytes() + samples) + samples * info_.SampleBytes() +
         detail::DrawnBlocks::MemoryNeeded() +
         (info_.width / kBlock + 1) * sizeof(std::optional<Colour>);
}

void PlainRows::Allocate() {
  source_->Allocate();
  if (blocks_ == PlainBlocks::kNone) return;
  const size_t samples = size_t{info_.width} * info_.channels;
  strip_.resize(kBlock * info_.RowBytes());
  levels_.resize(kBlock * samples);
  colour_.resize(samples * info_.SampleBytes());
  plain_.resize((info_.width + kBlock - 1) / kBlock);
  if (blocks_ == PlainBlocks::kDrawn) {
    drawn_ = std::make_unique<detail::DrawnBlocks>(info_.channels, TopLevel(info_), lambda_);
  }
}

void PlainRows::Free() {
  source_->Free();
  strip_ = {};
  levels_ = {};
  plain_ = {};
  colour_ = {};
  drawn_.reset();
}

Status PlainRows::Next(uint8_t* row) {
  if (blocks_ == PlainBlocks::kNone) return source_->Next(row);
  if (rows_given_ == rows_read_) GLINT_TRY(ReadStrip());
  std::memcpy(row, strip_.data() + rows_given_ % kBlock * info_.RowBytes(), info_.RowBytes());
  ++rows_given_;
  return Status::Ok();
}

const uint8_t* PlainRows::ForModel(const uint8_t* colour) {
  if (blocks_ == PlainBlocks::kNone) return colour;
  const bool any =
      std::any_of(plain_.begin(), plain_.end(), [](const auto& p) { return p.has_value(); });
  if (!any) return colour;
  std::memcpy(colour_.data(), colour, colour_.size());
  if (info_.SampleBytes() == 1) {
    Fill(colour_.data());
  } else {
    Fill(reinterpret_cast<uint16_t*>(colour_.data()));
  }
  return colour_.data();
}

template <typename Sample>
void PlainRows::Fill(Sample* colour) const {
  for (size_t block = 0; block < plain_.size(); ++block) {
    if (!plain_[block]) continue;
    const size_t end = std::min<size_t>((block + 1) * kBlock, info_.width);
    for (size_t x = block * kBlock; x < end; ++x) {
      for (size_t c = 0; c < info_.channels; ++c) {
        colour[x * info_.channels + c] = static_cast<Sample>((*plain_[block])[c]);
      }
    }
  }
}

Status PlainRows::ReadStrip() {
  const size_t rows = RowsOfStrip(info_.height, rows_read_);
  const size_t samples = size_t{info_.width} * info_.channels;
  for (size_t y = 0; y < rows; ++y) {
    uint8_t* const row = strip_.data() + y * info_.RowBytes();
    GLINT_TRY(source_->Next(row));
    uint8_t* levels = levels_.data() + y * samples;
    for (size_t x = 0; x < info_.width; ++x) {
      for (size_t c = 0; c < info_.channels; ++c) {
        const size_t i = x * info_.SamplesPerPixel() + c;
        *levels++ = info_.SampleBytes() == 1
                        ? row[i]
                        : static_cast<uint8_t>(reinterpret_cast<const uint16_t*>(row)[i] >> 8);
      }
    }
  }
  Classify();
  rows_read_ += static_cast<uint32_t>(rows);
  return Status::Ok();
}

// From left to right; what was above is still known.
void PlainRows::Classify() {
  for (size_t block = 0; block < plain_.size(); ++block) {
    const std::optional<Colour> above = plain_[block];
    plain_[block] = Weigh(block);
    if (!plain_[block]) continue;
    ++plain_blocks_;
    // Plain blocks that touch have one colour: their edges would cost bits.
    if (block > 0 && plain_[block - 1]) {
      plain_[block] = plain_[block - 1];
    } else if (above) {
      plain_[block] = above;
    }
  }
}

// Nothing for a block that stays as it is.
std::optional<PlainRows::Colour> PlainRows::Weigh(size_t block) {
  if (blocks_ == PlainBlocks::kAll) return MeanOf(block);
  const size_t samples = size_t{info_.width} * info_.channels;
  const uint8_t* const levels = levels_.data() + block * kBlock * info_.channels;
  const size_t width = std::min<size_t>(kBlock, info_.width - block * kBlock);
  const size_t rows = RowsOfStrip(info_.height, rows_read_);
  const bool drawn = drawn_->IsDrawn(levels, samples, width, rows);
  return drawn ? std::optional(MeanOf(block)) : std::nullopt;
}

PlainRows::Colour PlainRows::MeanOf(size_t block) const {
  const size_t first = block * kBlock;
  const size_t width = std::min<size_t>(kBlock, info_.width - first);
  const size_t rows = RowsOfStrip(info_.height, rows_read_);
  Colour colour{};
  for (size_t c = 0; c < info_.channels; ++c) {
    uint64_t sum = 0;
    for (size_t y = 0; y < rows; ++y) {
      const uint8_t* const levels = levels_.data() + y * info_.width * info_.channels;
      for (size_t x = first; x < first + width; ++x) sum += levels[x * info_.channels + c];
    }
    const uint64_t mean = sum / (width * rows);
    colour[c] = static_cast<uint16_t>(info_.SampleBytes() == 1 ? mean : mean * 257);
  }
  return colour;
}

}  // namespace glint
