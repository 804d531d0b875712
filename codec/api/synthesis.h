// Decoded latents to rows of colour levels: g_s in bands behind the segments, or in strips of
// columns once all latents are there; or of a part of the picture alone, by a g_s that has rows of
// latents of its own. One class has two callers, decoder and encoder, so both make the same levels.
// Called by codec/api/decoder and codec/api/encoder.
// Thread rules: one caller; uses its runner's workers inside AddSegment and Finish.
#ifndef GLINT_CODEC_API_SYNTHESIS_H_
#define GLINT_CODEC_API_SYNTHESIS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "codec/api/call_context.h"
#include "codec/latents/latent_coder.h"
#include "codec/latents/latent_geometry.h"
#include "codec/model/model_impl.h"
#include "engine/aligned.h"
#include "engine/executor.h"
#include "engine/status.h"
#include "engine/strips.h"

namespace glint {

// What is left of a picture.
inline PictureInfo InfoOfPart(PictureInfo info, const Crop& part) {
  info.width = part.width;
  info.height = part.height;
  return info;
}

class Synthesis {
 public:
  // Pictures of one channel have the mean of the model's three; so may pictures of three.
  enum class Colour { kMean, kThree };
  struct Options {
    const CallContext& context;
    const CallOptions& call;
    SynthesisForm form;
    double t = 0;
    Colour colour = Colour::kThree;
    std::optional<Crop> part = std::nullopt;  // of the picture, within it: all that is made
    bool deep = false;                        // levels of 16 bits too
  };

  // `info`: of the picture as the form makes it, whose upper left pixel is a whole one of the
  // padded picture's; 16-bit samples come out in 8 bits. All must outlive this.
  Synthesis(const Model::Impl& model, const LatentGeometry& geometry, const PictureInfo& info,
            const Options& options);

  // Of the g_s that reads latents behind their segments, for LatentCoderOptions and plans; empty
  // where it has rows of its own, and in strips, which read them at the end.
  SynthesisBehind behind_segments() const {
    if (in_strips_ || part_) return {};
    return {form_.plan.get(), &options_, static_cast<int64_t>(unit_)};
  }
  // Bytes that both take. The coder must be gone before Finish.
  Result<uint64_t> MemoryWith(const LatentCoder& coder) const;
  // The coder is allocated and stays until the last AddSegment.
  Status Allocate(const LatentCoder& coder);
  // The same of a part alone, whose latents come by AddRows.
  Result<uint64_t> Memory() const { return MemoryOf({}); }
  Status Allocate() { return AllocateFor({}); }

  struct Sink {
    // Gets each row of the picture, or of its part, from top to bottom: its levels, width x
    // channels of them, each of 8 bits at most. They are there until `take` returns.
    std::function<Status(int64_t row, const uint8_t* levels)> take;
    std::function<Status(double done)> progress;
  };
  // All rows that the latents of segments up to this one suffice for. Segments in order, none
  // twice. Adds to *seconds what is not spent in `take`.
  Status AddSegment(const LatentCoder& coder, int64_t segment, const Sink& sink, double* seconds);
  // The same for a sink that takes rows before `row_end` alone: false where others wait. Then it is
  // called again for this segment.
  Result<bool> AddSegment(const LatentCoder& coder, int64_t segment, int64_t row_end,
                          const Sink& sink, double* seconds);
  // Puts values [first, first + count) of a row of y into `values`.
  using ReadLatents = std::function<void(int64_t row, size_t first, size_t count, float* values)>;
  // Of a part: the rows before `row_end` that rows [0, latent_end) of y suffice for. Reads those of
  // them that it has not read yet and that the part needs, each once and in order; all of them
  // unless it gives false.
  Result<bool> AddRows(const ReadLatents& read, int64_t latent_end, int64_t row_end,
                       const Sink& sink, double* seconds);
  // Within `take`, where Options::deep: levels of 0 .. 65535 of that row, of which its levels are
  // not always the nearest of 8 bits: both are rounded from the same numbers.
  const uint16_t* deep_levels() const { return deep_levels_; }
  // The rows that are left, after the last segment; all of them where `in_strips`.
  bool in_strips() const { return in_strips_; }
  Status Finish(const Sink& sink, double* seconds);

  void AppendProfile(std::vector<LayerProfile>* layers) const;

 private:
  // What g_s reads and makes: all of y, or what the part needs.
  struct Extent {
    size_t column = 0;  // the first of y
    int64_t row = 0;
    size_t width = 0;
    int64_t height = 0;
  };
  StripShape Shape() const;
  Extent FindExtent() const;
  ExecutorOptions MakeOptions(const Options& from) const;
  // Where the picture's upper left pixel is in what g_s makes of all y.
  size_t Left() const { return geometry_.left() / static_cast<size_t>(form_.shrink); }
  int64_t Top() const { return geometry_.top() / form_.shrink; }
  // How many of the first rows that g_s makes of all y are rows of the picture.
  int64_t PictureRows(int64_t padded_rows) const {
    return std::clamp<int64_t>(padded_rows - Top(), 0, picture_height_);
  }
  size_t LevelRowBytes() const { return size_t{info_.width} * info_.channels; }
  uint64_t RowBytes() const;
  using Inputs = std::vector<Executor::BoundInput>;
  Inputs InputsFrom(const LatentCoder& coder) const;
  Result<uint64_t> MemoryOf(const Inputs& inputs) const;
  Status AllocateFor(const Inputs& inputs);
  bool Feed(const ReadLatents& read, int64_t latent_end);
  void ReadPixels(const ReadLatents& read, int64_t row, size_t first, size_t count,
                  float* values) const;
  uint64_t LatentBytes() const;
  uint64_t PictureBytes() const;
  void CopyLatents(const LatentCoder& coder, int64_t segment);
  Status RunStrips(const Sink& sink, double* seconds);
  void ToLevels(const float* row, size_t stride, size_t width, uint8_t* levels, uint16_t* deep);
  float FixedScale() const { return static_cast<float>(1 << model_.document.fraction_bits); }

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  const SynthesisForm form_;
  const size_t unit_;  // pixels of what g_s makes for one of y
  const int64_t picture_height_;
  const std::optional<Crop> part_;
  const PictureInfo info_;  // of the part, where there is one
  const bool mean_;
  const bool deep_;
  const size_t latent_row_;  // values of a row of y
  const Extent extent_;
  ExecutorOptions options_;
  StripTransform strips_;
  bool in_strips_ = false;
  std::unique_ptr<Executor> g_s_;
  int64_t rows_done_ = 0;           // of what g_s makes
  int64_t rows_fed_ = 0;            // of y, where g_s has rows of its own
  std::vector<float> floats_;       // of a row
  std::vector<uint8_t> levels_;     // of a row
  std::vector<uint16_t> deep_row_;  // likewise
  const uint16_t* deep_levels_ = nullptr;
  AlignedBuffer<int16_t> y_hat_;          // in strips only: all of it
  AlignedBuffer<uint8_t> picture_;        // likewise, once y_hat_ is complete
  AlignedBuffer<uint16_t> deep_picture_;  // likewise
};

}  // namespace glint

#endif  // GLINT_CODEC_API_SYNTHESIS_H_
