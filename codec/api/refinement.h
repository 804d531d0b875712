// Better symbols for the same decoder: latents are moved after it is known what would be decoded of
// them. weights/README.md, "Moves of latents", has the method and what it gains. z stays as it is.
// Called by codec/api/encoder between the analysis of all rows and the coding of the first.
// Thread rules: one caller; uses its runner's workers inside Run.
#ifndef GLINT_CODEC_API_REFINEMENT_H_
#define GLINT_CODEC_API_REFINEMENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "codec/api/analysis.h"
#include "codec/api/picture_gradient.h"
#include "codec/api/synthesis.h"
#include "codec/latents/latent_coder.h"
#include "codec/latents/row_window.h"
#include "engine/status.h"

namespace glint {

inline constexpr int kMostEffort = 9;
// Of EncodeOptions::effort; 0 for 0.
int RefinementPasses(int effort);

class Refinement {
 public:
  struct Options {
    const CallContext& context;
    const CallOptions& call;
    double t = 0;
    double lambda = 0;  // bits for each unit of squared error of a pixel's mean channel, in levels
    int passes = 0;     // at least 1
  };

  // All must outlive this.
  Refinement(const Model::Impl& model, const LatentGeometry& geometry, const PictureInfo& info,
             const Options& options);

  // Sizes of everything; before any other call. kUnsupported where the model does not say what a
  // bit is worth, or an operator of g_s has no known derivative.
  Status Plan();
  // What Run takes with the picture's rows, which are there before it.
  Result<uint64_t> MemoryNeeded() const;
  uint64_t SourceBytes() const { return gradient_.SourceBytes(); }
  Status Allocate() { return gradient_.Allocate(); }
  void AddSource(const uint8_t* colour) { gradient_.AddSource(colour); }

  // Once y and z are complete. y becomes what is to be coded, in place: what was found, or, where
  // that is no better in the end, what it was. `colour`: what decoders make of the three channels.
  Status Run(Analysis* analysis, Synthesis::Colour colour,
             const std::function<Status(double done)>& progress);

  void AppendProfile(std::vector<LayerProfile>* layers) const { gradient_.AppendProfile(layers); }

 private:
  class Prediction;
  // A step of one symbol of a position; none where direction is 0.
  struct Proposal {
    float change = 0;  // of the cost, in bits
    int16_t channel = 0;
    int16_t direction = 0;  // -1, 1
  };

  Synthesis MakeSynthesis(Synthesis::Colour colour) const;
  LatentCoder MakeCoder(const Synthesis* synthesis) const;
  Status AllocateState();
  Status Predict();
  Result<double> Cost(Synthesis::Colour colour);
  double RowError(int64_t row, const uint8_t* levels) const;
  Status MeasureCurvature();
  Status Move();
  Proposal Propose(int64_t row, size_t column, const float* gradient) const;
  bool IsTaken(int64_t row, int64_t column) const;
  void TakeProposals();
  int64_t Probes() const;

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  const PictureInfo output_;
  const Options options_;
  const size_t channels_;
  const double bits_per_error_;  // of squared samples from 0 to 1
  PictureGradient gradient_;
  Analysis* analysis_ = nullptr;
  // Of all latents, as the last prediction had them.
  RowWindow<int16_t> means_;
  RowWindow<uint16_t> tables_;
  RowWindow<Proposal> proposals_;
  RowWindow<int16_t> before_;      // y as it was decoded before the first move
  std::vector<double> curvature_;  // by channel: what a step adds to the bits of the error
};

}  // namespace glint

#endif  // GLINT_CODEC_API_REFINEMENT_H_
