// The encoder's way down: rows of the picture through g_a and h_a to rows of y and z in fixed
// point, of which only those are kept that segments to come will code. Called by codec/api/encoder.
// Thread rules: one caller; uses its runner's workers inside PrepareSegment.
#ifndef GLINT_CODEC_API_ANALYSIS_H_
#define GLINT_CODEC_API_ANALYSIS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "codec/api/call_context.h"
#include "codec/latents/encoding_schedule.h"
#include "codec/latents/latent_coder.h"
#include "codec/latents/latent_geometry.h"
#include "codec/latents/row_window.h"
#include "codec/model/model_impl.h"
#include "codec/samples/plain_rows.h"
#include "engine/executor.h"
#include "engine/status.h"
#include "engine/strips.h"

namespace glint {

class Analysis {
 public:
  // All must outlive this.
  Analysis(const Model::Impl& model, const LatentGeometry& geometry, const PictureInfo& info,
           const CallContext& context, const CallOptions& options, double t, PlainRows* source);

  // When rows of y and z are made: those of a segment before it is coded, beside the coder; or all
  // at once, and the transforms are gone before the first segment is coded. The values are the
  // same.
  enum class Flow { kBySegment, kAtOnce };
  // Sizes of everything; before any other call. `flow`: at once whatever is said in strips, and
  // where ranges are the whole picture's. `synthesis`: of the g_s that follows segment by segment
  // and whose rows the source waits for, if any.
  Status Plan(Flow flow, const SynthesisBehind& synthesis);
  Flow flow() const { return flow_; }
  // Rows of the picture that are read before their decoded rows are there: all where they come at
  // once, or without `synthesis`.
  int64_t source_rows() const { return source_rows_; }
  // Of y and z, which stay; and of the transforms and the source.
  uint64_t LatentBytes() const { return y_.MemoryNeeded() + z_.MemoryNeeded(); }
  Result<uint64_t> TransformBytes() const;
  Status Allocate();

  struct Sink {
    // Gets each row of the picture, from top to bottom: colour, the colour that the model sees, and
    // alpha where there is one, in samples of the picture's size.
    std::function<Status(const uint8_t* colour, const uint8_t* seen, const uint8_t* alpha)> take;
    std::function<Status(double done)> progress;  // the part of y that is there
  };
  // Makes the rows of y and z that the next segment codes. Adds to times->analysis and hyper.
  Status PrepareSegment(const Sink& sink, StageTimes* times);
  // The segment that was prepared last is coded.
  void EndSegment() { schedule_.EndSegment(); }

  const int16_t* y_row(int64_t row) const { return y_.Row(row); }
  const int16_t* z_row(int64_t row) const { return z_.Row(row); }
  // To code something else there.
  int16_t* UpdateY(int64_t row) { return y_.Update(row); }
  uint64_t saturated() const { return saturated_; }  // values of y and z
  // Once all rows are there.
  void AppendProfile(std::vector<LayerProfile>* layers) const;

 private:
  bool IsComplete() const;
  Status NextBand(const Sink& sink, StageTimes* times);
  Status ReadRow(const Sink& sink, StageTimes* times);
  Status ReadSource(const Sink& sink);
  Status RunStrips(const Sink& sink, StageTimes* times);
  void AddRow(StageTimes* times);
  void AddHyperBand(StageTimes* times);
  Status FreeTransforms(const Sink& sink);
  void ToFixed(const float* values, size_t count, float scale, int16_t* out);

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  const PictureInfo info_;
  PlainRows* const source_;
  PixelReader pixels_;
  const float fixed_scale_;
  const uint64_t picture_bytes_;  // of colour
  ExecutorOptions y_options_, z_options_;
  StripTransform strips_;
  bool in_strips_ = false;
  Flow flow_ = Flow::kAtOnce;
  int64_t source_rows_ = 0;
  EncodingSchedule schedule_;
  RowWindow<int16_t> y_, z_;
  AlignedBuffer<uint8_t> picture_;  // in strips only
  std::unique_ptr<Executor> g_a_, h_a_;
  std::vector<StepProfile> g_a_profile_, h_a_profile_;  // once these are gone
  const uint8_t* colour_ = nullptr;                     // of the row that was read last
  int64_t rows_fed_ = 0;                                // of the padded picture
  int64_t rows_read_ = 0;                               // of the picture
  uint64_t saturated_ = 0;
  bool is_freed_ = false;
};

}  // namespace glint

#endif  // GLINT_CODEC_API_ANALYSIS_H_
