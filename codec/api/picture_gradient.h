// Where the decoded picture is wrong, told in latents: the gradient of half its squared error by
// each of them, row by row, with the float form of g_s whatever the model's precision.
// Called by codec/api/refinement.
// Thread rules: one caller; uses its runner's workers inside Run.
#ifndef GLINT_CODEC_API_PICTURE_GRADIENT_H_
#define GLINT_CODEC_API_PICTURE_GRADIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "codec/api/call_context.h"
#include "codec/api/reconstruction.h"
#include "codec/latents/latent_geometry.h"
#include "codec/model/model_impl.h"
#include "engine/executor.h"
#include "engine/status.h"

namespace glint {

class PictureGradient {
 public:
  // All must outlive this. `info`: of the picture; samples of 16 bits count as levels of 8.
  PictureGradient(const Model::Impl& model, const LatentGeometry& geometry, const PictureInfo& info,
                  const CallContext& context, const CallOptions& options, double t);

  // Sizes of everything; before any other call. kUnsupported where an operator of g_s has no known
  // derivative.
  Status Plan();
  // The picture's rows, which stay; and what Run takes while it runs.
  uint64_t SourceBytes() const { return source_.MemoryNeeded(); }
  Result<uint64_t> RunBytes() const;
  Status Allocate();
  // The picture's next row, colour as the model sees it, in samples of the picture's size.
  void AddSource(const uint8_t* colour) { source_.Add(colour); }
  const uint8_t* SourceRow(int64_t row) const { return source_.Row(row); }  // in levels

  // Writes y of a row, width x latent channels: asked for once for each row, in order.
  using ReadLatents = std::function<void(int64_t row, float* y)>;
  // Gets the gradient of rows [begin, end), in order: at(row, column) has that of all channels.
  // Their y has been read, so it may change.
  using At = std::function<const float*(int64_t row, size_t column)>;
  using TakeRows = std::function<Status(int64_t begin, int64_t end, const At& at)>;
  // Once all rows of the source are there; as often as wanted.
  Status Run(const ReadLatents& read, const TakeRows& take);

  void AppendProfile(std::vector<LayerProfile>* layers) const;

 private:
  void ReadTarget(int64_t row, float* target);

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  const PixelReader pixels_;
  ExecutorOptions options_;
  std::shared_ptr<const glint::Plan> plan_;
  std::vector<size_t> places_;  // in a position's target: of each sample of its square of pixels
  SourceWindow source_;
  std::vector<float> row_;  // of the padded picture
  std::vector<StepProfile> profile_;
};

}  // namespace glint

#endif  // GLINT_CODEC_API_PICTURE_GRADIENT_H_
