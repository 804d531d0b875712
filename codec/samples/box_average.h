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
class BoxAverage {
 public:
  struct Options {
    uint32_t width = 0;  // pixels of a row
    size_t channels = 1;
    uint32_t factor = 1;
    uint32_t in_top = 255, out_top = 255;  // 65535 at most
    bool has_weights = false;
  };

  explicit BoxAverage(const Options& options)
      : options_(options),
        pixels_(ShrunkSize(options.width, options.factor)),
        sums_(pixels_ * options.channels),
        weighted_(options.has_weights ? sums_.size() : 0),
        weights_(options.has_weights ? pixels_ : 0) {}

  static uint64_t MemoryNeeded(const Options& options) {
    const uint64_t pixels = ShrunkSize(options.width, options.factor);
    const uint64_t samples = pixels * options.channels;
    return sizeof(uint64_t) * (options.has_weights ? 2 * samples + pixels : samples);
  }

  template <typename Sample>
  void Add(const Sample* row) {
    AddRow(row, nullptr);
  }
  // With what each pixel weighs, 65535 at most; where all of a square weigh 0, they weigh the same.
  template <typename Sample>
  void Add(const Sample* row, const uint16_t* weights) {
    AddRow(row, weights);
  }

  // The means of the rows since the last time.
  template <typename Sample>
  void Take(Sample* out) {
    for (size_t x = 0; x < pixels_; ++x) {
      const uint64_t columns =
          std::min<uint64_t>(options_.factor, options_.width - x * options_.factor);
      const bool is_weighted = options_.has_weights && weights_[x] > 0;
      const std::vector<uint64_t>& sums = is_weighted ? weighted_ : sums_;
      const uint64_t share = (is_weighted ? weights_[x] : rows_ * columns) * options_.in_top;
      for (size_t i = x * options_.channels; i < (x + 1) * options_.channels; ++i) {
        *out++ = static_cast<Sample>((2 * sums[i] * options_.out_top + share) / (2 * share));
      }
    }
    for (std::vector<uint64_t>* sums : {&sums_, &weighted_, &weights_}) {
      std::fill(sums->begin(), sums->end(), uint64_t{0});
    }
    rows_ = 0;
  }

 private:
  template <typename Sample>
  void AddRow(const Sample* row, const uint16_t* weights) {
    ++rows_;
    const size_t channels = options_.channels;
    for (size_t pixel = 0, x = 0; pixel < pixels_; ++pixel, x += options_.factor) {
      const size_t columns = std::min<size_t>(options_.factor, options_.width - x);
      for (size_t c = 0; c < channels; ++c) {
        uint32_t sum = 0;
        for (size_t i = 0; i < columns; ++i) sum += row[(x + i) * channels + c];
        sums_[pixel * channels + c] += sum;
      }
      if (weights != nullptr) AddWeighted(row + x * channels, weights + x, columns, pixel);
    }
  }

  template <typename Sample>
  void AddWeighted(const Sample* row, const uint16_t* weights, size_t columns, size_t pixel) {
    const size_t channels = options_.channels;
    for (size_t i = 0; i < columns; ++i) {
      const uint64_t weight = weights[i];
      for (size_t c = 0; c < channels; ++c) {
        weighted_[pixel * channels + c] += weight * row[i * channels + c];
      }
      weights_[pixel] += weight;
    }
  }

  const Options options_;
  const size_t pixels_;
  uint64_t rows_ = 0;
  std::vector<uint64_t> sums_;
  std::vector<uint64_t> weighted_, weights_;
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_BOX_AVERAGE_H_
