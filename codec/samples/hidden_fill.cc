#include "codec/samples/hidden_fill.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace glint {
namespace {

// The strip, what is looked at below it, and the row above it.
constexpr size_t kWindowRows = 1 + HiddenFill::kStripRows + HiddenFill::kAheadRows;
// Sweeps of the finest level; each coarser one, which has a quarter of the pixels, gets twice as
// many. More of them changed streams by less than 0.5 %.
constexpr size_t kFinestSweeps = 2;

size_t Half(size_t n) { return (n + 1) / 2; }

template <typename Sample>
bool AnyHidden(const Sample* samples, size_t pixels, size_t stride) {
  for (size_t i = 0; i < pixels; ++i) {
    if (samples[i * stride + stride - 1] == 0) return true;
  }
  return false;
}

}  // namespace

HiddenFill::HiddenFill(const PictureInfo& info)
    : info_(info),
      channels_(info.channels),
      window_rows_(std::min(kWindowRows, size_t{info.height})) {}

uint64_t HiddenFill::MemoryNeeded() const {
  uint64_t bytes = 0;
  for (size_t width = info_.width, rows = window_rows_;; width = Half(width), rows = Half(rows)) {
    bytes += uint64_t{width} * rows * (channels_ + 1) * sizeof(float) + rows * sizeof(Span);
    if (rows == 1) break;
  }
  return bytes + (uint64_t{info_.width} + 2) * sizeof(float) + info_.RowBytes();
}

void HiddenFill::Allocate() {
  for (size_t width = info_.width, rows = window_rows_;; width = Half(width), rows = Half(rows)) {
    Level level;
    level.unknown.resize(width * rows);
    level.spans.resize(rows);
    for (size_t c = 0; c < channels_; ++c) level.colour[c].resize(width * rows);
    levels_.push_back(std::move(level));
    if (rows == 1) break;
  }
  row_.resize(size_t{info_.width} + 2);
  above_.resize(info_.RowBytes());
}

void HiddenFill::FillStrip(uint8_t* rows, size_t strip, size_t ahead) {
  if (info_.SampleBytes() == 2) {
    Fill(reinterpret_cast<uint16_t*>(rows), strip, ahead);
  } else {
    Fill(rows, strip, ahead);
  }
  const size_t row_bytes = info_.RowBytes();
  std::memcpy(above_.data(), rows + (strip - 1) * row_bytes, row_bytes);
  has_above_ = true;
}

template <typename Sample>
void HiddenFill::Fill(Sample* rows, size_t strip, size_t ahead) {
  const size_t stride = info_.SamplesPerPixel();
  const size_t row_samples = info_.width * stride;
  if (!AnyHidden(rows, strip * info_.width, stride)) return;
  const size_t first = has_above_ ? 1 : 0;
  SetRows(first + strip + ahead);
  if (has_above_) LoadRow(reinterpret_cast<const Sample*>(above_.data()), true, 0);
  for (size_t y = 0; y < strip + ahead; ++y) LoadRow(rows + y * row_samples, false, first + y);
  Solve();
  for (size_t y = 0; y < strip; ++y) StoreRow(first + y, rows + y * row_samples);
}

template <typename Sample>
void HiddenFill::LoadRow(const Sample* samples, bool all_known, size_t row) {
  Level& level = levels_[0];
  const size_t stride = info_.SamplesPerPixel();
  float* unknown = level.unknown.data() + row * level.width;
  for (size_t x = 0; x < level.width; ++x) {
    unknown[x] = all_known || samples[x * stride + stride - 1] != 0 ? 0.0f : 1.0f;
  }
  for (size_t c = 0; c < channels_; ++c) {
    float* colour = level.colour[c].data() + row * level.width;
    for (size_t x = 0; x < level.width; ++x)
      colour[x] = static_cast<float>(samples[x * stride + c]);
  }
}

template <typename Sample>
void HiddenFill::StoreRow(size_t row, Sample* samples) const {
  const Level& level = levels_[0];
  const size_t stride = info_.SamplesPerPixel();
  const float top = static_cast<float>((1U << info_.bit_depth) - 1);
  for (size_t x = 0; x < level.width; ++x) {
    if (samples[x * stride + stride - 1] != 0) continue;
    for (size_t c = 0; c < channels_; ++c) {
      const float colour = level.colour[c][row * level.width + x];
      samples[x * stride + c] = static_cast<Sample>(std::lround(std::clamp(colour, 0.0f, top)));
    }
  }
}

// The sizes of all levels for a window of so many rows.
void HiddenFill::SetRows(size_t rows) {
  size_t width = info_.width;
  for (levels_used_ = 0;; width = Half(width), rows = Half(rows)) {
    levels_[levels_used_].width = width;
    levels_[levels_used_].rows = rows;
    ++levels_used_;
    if (rows == 1) return;
  }
}

void HiddenFill::Solve() {
  FindSpans(&levels_[0]);
  for (size_t i = 1; i < levels_used_; ++i) {
    Coarsen(levels_[i - 1], &levels_[i]);
    FindSpans(&levels_[i]);
  }
  Bridge(&levels_[levels_used_ - 1]);
  size_t sweeps = kFinestSweeps << (levels_used_ - 1);
  for (size_t i = levels_used_ - 1; i-- > 0;) {
    sweeps /= 2;
    Refine(levels_[i + 1], &levels_[i]);
    for (size_t n = 0; n < sweeps; ++n) Sweep(&levels_[i]);
  }
}

void HiddenFill::FindSpans(Level* level) {
  for (size_t y = 0; y < level->rows; ++y) {
    const float* const unknown = level->unknown.data() + y * level->width;
    Span span{0, level->width};
    while (span.begin < span.end && unknown[span.begin] == 0) ++span.begin;
    while (span.end > span.begin && unknown[span.end - 1] == 0) --span.end;
    level->spans[y] = span;
  }
}

// A pixel of the coarser level is the mean of what is known of its four.
void HiddenFill::Coarsen(const Level& fine, Level* coarse) const {
  for (size_t y = 0; y < coarse->rows; ++y) {
    for (size_t x = 0; x < coarse->width; ++x) {
      float known = 0;
      float sums[3] = {0, 0, 0};
      for (size_t fy = 2 * y; fy < std::min(2 * y + 2, fine.rows); ++fy) {
        for (size_t fx = 2 * x; fx < std::min(2 * x + 2, fine.width); ++fx) {
          const size_t i = fy * fine.width + fx;
          const float weight = 1 - fine.unknown[i];
          known += weight;
          for (size_t c = 0; c < channels_; ++c) sums[c] += weight * fine.colour[c][i];
        }
      }
      const size_t i = y * coarse->width + x;
      coarse->unknown[i] = known > 0 ? 0.0f : 1.0f;
      for (size_t c = 0; c < channels_; ++c) coarse->colour[c][i] = sums[c] / std::max(known, 1.0f);
    }
  }
}

// The coarsest level is one row, where the membrane is a straight line from one known pixel to the
// next, and flat outside of them. Where nothing at all is known: the middle of the range.
void HiddenFill::Bridge(Level* level) const {
  const size_t width = level->width;
  const float middle = static_cast<float>((1U << info_.bit_depth) - 1) / 2;
  for (size_t x = 0; x < width;) {
    if (level->unknown[x] == 0) {
      ++x;
      continue;
    }
    size_t end = x;
    while (end < width && level->unknown[end] != 0) ++end;
    for (size_t c = 0; c < channels_; ++c) {
      float* colour = level->colour[c].data();
      const bool has_left = x > 0, has_right = end < width;
      const float left = has_left ? colour[x - 1] : has_right ? colour[end] : middle;
      const float right = has_right ? colour[end] : left;
      const float pitch = (right - left) / static_cast<float>(end - x + 1);
      for (size_t i = x; i < end; ++i) colour[i] = left + pitch * static_cast<float>(i - x + 1);
    }
    x = end;
  }
}

// Hidden pixels start from what the coarser level says.
void HiddenFill::Refine(const Level& coarse, Level* fine) const {
  for (size_t c = 0; c < channels_; ++c) {
    for (size_t y = 0; y < fine->rows; ++y) {
      const float* from = coarse.colour[c].data() + y / 2 * coarse.width;
      const float* unknown = fine->unknown.data() + y * fine->width;
      float* to = fine->colour[c].data() + y * fine->width;
      for (size_t x = fine->spans[y].begin; x < fine->spans[y].end; ++x) {
        if (unknown[x] != 0) to[x] = from[x / 2];
      }
    }
  }
}

// Every hidden pixel becomes the mean of its neighbours, those of the row above already new.
// Outside of the window lies its edge once more.
void HiddenFill::Sweep(Level* level) {
  const size_t width = level->width;
  float* const middle = row_.data() + 1;
  for (size_t c = 0; c < channels_; ++c) {
    for (size_t y = 0; y < level->rows; ++y) {
      const auto [begin, end] = level->spans[y];
      if (begin == end) continue;
      float* const row = level->colour[c].data() + y * width;
      const float* const up = y > 0 ? row - width : row;
      const float* const down = y + 1 < level->rows ? row + width : row;
      const float* const unknown = level->unknown.data() + y * width;
      const size_t first = begin > 0 ? begin - 1 : 0;
      std::copy(row + first, row + std::min(end + 1, width), middle + first);
      middle[-1] = row[0];
      middle[width] = row[width - 1];
      for (size_t x = begin; x < end; ++x) {
        const float mean = (up[x] + down[x] + (row_[x] + row_[x + 2])) * 0.25f;
        row[x] += unknown[x] * (mean - row[x]);
      }
    }
  }
}

}  // namespace glint
