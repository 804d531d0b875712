// What Encode and Decode share: workers, band height, limits, progress, pictures in the caller's
// samples. Internal to codec/.
// Thread rules: one caller.
#ifndef GLINT_CODEC_API_CALL_CONTEXT_H_
#define GLINT_CODEC_API_CALL_CONTEXT_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "codec/latents/latent_geometry.h"
#include "codec/workers.h"
#include "engine/status.h"
#include "engine/thread_pool.h"
#include "glint/glint.hpp"

namespace glint {

class CallContext {
 public:
  explicit CallContext(const CallOptions& options) : options_(options) {}

  // Checks the options and makes the workers.
  Status Init();
  const Runner& runner() const { return workers_.runner(); }
  // Rows of y per band.
  int64_t BandLatentRows(const ModelDocument& document, const LatentGeometry& geometry) const;
  // kLimit when the call's plan needs more than options.limits leave. `most`: where it is larger
  // than `planned`, the memory that would do in any case, which the error names.
  Status CheckPlan(uint64_t planned, uint64_t most = 0) const;
  // kCancelled when the caller's callback says so.
  Status Progress(double done) const;

 private:
  const CallOptions& options_;
  Workers workers_;
};

// The greatest sample of a depth.
inline float MaxLevel(uint32_t bit_depth) { return static_cast<float>((1U << bit_depth) - 1); }

// Converts the interleaved samples of one row into a padded row of floats of the model's RGB, and
// keeps the alpha samples apart.
class PixelReader {
 public:
  PixelReader(const PictureInfo& info, const LatentGeometry& geometry,
              const ModelDocument& document);
  uint64_t MemoryNeeded() const;
  void Allocate();
  void Free();
  // Samples of a row as the caller gives them.
  uint8_t* samples() { return samples_.data(); }
  // Which row of the picture a row of the padded one has; nothing: none, only zeros.
  std::optional<int64_t> PictureRow(int64_t padded_row) const;
  // From samples(): those without alpha, ColourBytes() of them. They stay until the next call.
  const uint8_t* Colour();
  size_t ColourBytes() const { return size_t{info_.width} * PixelBytes(); }
  size_t PixelBytes() const { return info_.channels * info_.SampleBytes(); }
  // `count` pixels of the padded row, from pixel `first` on, of a row of colour: 3 floats each.
  void Convert(const uint8_t* colour, size_t first, size_t count, float* row) const;
  // `count` pixels of a row that has no row of the picture.
  void Zeros(size_t count, float* row) const { std::fill_n(row, 3 * count, 0.0f - offset_); }
  // After Colour(): alpha alone, in samples of the picture's size.
  const uint8_t* Alpha() const { return alpha_.data(); }

 private:
  template <typename Sample>
  void SplitColour();

  PictureInfo info_;
  size_t padded_width_;
  size_t left_;
  int64_t top_;
  Padding padding_;
  float offset_;
  std::vector<uint8_t> samples_;
  std::vector<uint8_t> colour_;
  std::vector<uint8_t> alpha_;
};

// The way back: rows of colour levels (codec/api/synthesis.h) to the samples of OutputInfo.
class PixelWriter {
 public:
  explicit PixelWriter(const PictureInfo& output) : output_(output) {}
  uint64_t MemoryNeeded() const { return 2 * uint64_t{output_.RowBytes()}; }
  void Allocate();
  // Where the row's alpha samples must be before FromColour, when there are any.
  uint8_t* alpha() { return alpha_.data(); }
  // `colour`: samples of 8 bits at most, without alpha.
  const uint8_t* FromColour(const uint8_t* colour);
  // The same of 16 bits, for an output of 16.
  const uint8_t* FromDeep(const uint16_t* colour);

 private:
  template <typename Sample, typename Colour>
  void Interleave(const Colour* colour, Sample factor);

  PictureInfo output_;
  std::vector<uint8_t> alpha_;
  std::vector<uint8_t> samples_;
};

}  // namespace glint

#endif  // GLINT_CODEC_API_CALL_CONTEXT_H_
