// Decoded latents to rows of colour levels: g_s in bands behind the segments, or in strips of
// columns once all latents are there. One class has two callers, decoder and encoder, so both make
// the same levels. Called by codec/api/decoder and codec/api/encoder.
// Thread rules: one caller; uses its runner's workers inside AddSegment and Finish.
#ifndef GLINT_CODEC_API_SYNTHESIS_H_
#define GLINT_CODEC_API_SYNTHESIS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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

class Synthesis {
 public:
  // Pictures of one channel have the mean of the model's three; so may pictures of three.
  enum class Colour { kMean, kThree };
  struct Options {
    const CallContext& context;
    const CallOptions& call;
    double t = 0;
    Colour colour = Colour::kThree;
  };

  // `info`: of the picture; 16-bit samples come out in 8 bits. All must outlive this.
  Synthesis(const Model::Impl& model, const LatentGeometry& geometry, const PictureInfo& info,
            const Options& options);

  // Of the g_s that reads latents behind their segments, for LatentCoderOptions and plans; nullptr
  // in strips, which read them at the end.
  const ExecutorOptions* behind_segments() const { return in_strips_ ? nullptr : &options_; }
  // Bytes that both take. The coder must be gone before Finish.
  Result<uint64_t> MemoryWith(const LatentCoder& coder) const;
  // The coder is allocated and stays until the last AddSegment.
  Status Allocate(const LatentCoder& coder);

  struct Sink {
    // Gets each row of the picture, from top to bottom: its levels, width x channels of them, each
    // of 8 bits at most. They are there until `take` returns.
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
  // The rows that are left, after the last segment; all of them where `in_strips`.
  bool in_strips() const { return in_strips_; }
  Status Finish(const Sink& sink, double* seconds);

  void AppendProfile(std::vector<LayerProfile>* layers) const;

 private:
  size_t LevelRowBytes() const { return size_t{info_.width} * info_.channels; }
  uint64_t LatentBytes() const;
  uint64_t PictureBytes() const;
  void CopyLatents(const LatentCoder& coder, int64_t segment);
  Status RunStrips(const Sink& sink, double* seconds);
  void ToLevels(const float* row, size_t stride, size_t width, uint8_t* levels);
  float FixedScale() const { return static_cast<float>(1 << model_.document.fraction_bits); }

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  const PictureInfo info_;
  const bool mean_;
  const size_t latent_row_;  // values of a row of y
  ExecutorOptions options_;
  StripTransform strips_;
  bool in_strips_ = false;
  std::unique_ptr<Executor> g_s_;
  int64_t rows_done_ = 0;           // of the padded picture
  std::vector<float> floats_;       // of a row
  std::vector<uint8_t> levels_;     // of a row
  AlignedBuffer<int16_t> y_hat_;    // in strips only: all of it
  AlignedBuffer<uint8_t> picture_;  // likewise, once y_hat_ is complete
};

}  // namespace glint

#endif  // GLINT_CODEC_API_SYNTHESIS_H_
