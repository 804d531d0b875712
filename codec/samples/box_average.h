// Means of squares of a picture, row by row, as a smaller picture has them.
// Called by codec/api/stream_decoding.
// Thread rules: one caller.
#ifndef GLINT_CODEC_SAMPLES_BOX_AVERAGE_H_
#define GLINT_CODEC_SAMPLES_BOX_AVERAGE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace glint {

// A picture `factor` times smaller, rounded up: squares at the ends have what there is.
inline uint32_t ShrunkSize(uint32_t size, uint32_t factor) {
  return size / factor + (size % factor != 0 ? 1 : 0);
}

// Of interleaved samples 0..in_top to samples 0..out_top, each the nearest, halves upwards.
template <typename Sample>
class BoxAverage {
 public:
  // Rows of `width` pixels; `factor` is 8 at most, so that sums have 32 bits.
  BoxAverage(uint32_t width, size_t channels, uint32_t factor, uint32_t in_top, uint32_t out_top)
      : width_(width),
        channels_(channels),
        factor_(factor),
        in_top_(in_top),
        out_top_(out_top),
        sums_(size_t{ShrunkSize(width, factor)} * channels) {}

  static uint64_t MemoryNeeded(uint32_t width, size_t channels, uint32_t factor) {
    return uint64_t{ShrunkSize(width, factor)} * channels * (sizeof(uint32_t) + sizeof(Sample));
  }

  void Add(const Sample* row) {
    ++rows_;
    for (size_t x = 0; x < width_; ++x) {
      uint32_t* const sum = sums_.data() + x / factor_ * channels_;
      for (size_t c = 0; c < channels_; ++c) sum[c] += *row++;
    }
  }

  // The means of the rows since the last time.
  void Take(Sample* out) {
    for (size_t i = 0; i < sums_.size(); ++i) {
      const size_t first = i / channels_ * factor_;
      const uint64_t columns = std::min<size_t>(factor_, width_ - first);
      const uint64_t share = rows_ * columns * in_top_;
      out[i] = static_cast<Sample>((2 * uint64_t{sums_[i]} * out_top_ + share) / (2 * share));
    }
    std::fill(sums_.begin(), sums_.end(), 0u);
    rows_ = 0;
  }

 private:
  const size_t width_, channels_, factor_;
  const uint64_t in_top_, out_top_;
  uint64_t rows_ = 0;
  std::vector<uint32_t> sums_;
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_BOX_AVERAGE_H_
