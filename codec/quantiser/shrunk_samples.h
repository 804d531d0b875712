// What graphs for shrunk pictures are fitted to: which there may be, and pictures that went through
// the codec, y beside pixels. Called by codec/quantiser/shrunk_graphs.
// Thread rules: values.
#ifndef GLINT_CODEC_QUANTISER_SHRUNK_SAMPLES_H_
#define GLINT_CODEC_QUANTISER_SHRUNK_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/model/model_impl.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint::quantiser {

// Of the convolution that reads y.
inline constexpr size_t kShrunkKernel = 3;
inline constexpr size_t kShrunkTaps = kShrunkKernel * kShrunkKernel;
inline constexpr size_t kColours = 3;

// A graph, and where its outputs are among those of all graphs: of a place of y, a square of
// `factor` x `factor` pixels of three colours.
struct ShrunkTarget {
  int shrink = 2;
  size_t factor = 1;
  std::vector<size_t> shuffles;  // whose product is the factor
  size_t first = 0;
  size_t outs() const { return kColours * factor * factor; }
  // Of the convolution, which shuffles make this pixel of.
  size_t Out(size_t colour, size_t row, size_t column) const;
};
// For each of kShrinks that the model's latents allow.
std::vector<ShrunkTarget> ShrunkTargets(const ModelDocument& document);

// The gain that g_s begins with, if it does; nothing else reads y then.
const Node* FirstGain(const Graph& g_s);

// Places of y whose squares lie in a picture.
struct ShrunkPlaces {
  size_t row = 0, column = 0, rows = 0, columns = 0;
  size_t count() const { return rows * columns; }
};
ShrunkPlaces WholePlaces(const Model::Impl& model, const PictureInfo& info);

// A picture through the codec: y as the graphs' convolution reads it, and pixels.
class ShrunkSample {
 public:
  static Result<ShrunkSample> Make(const Model& model, const Picture& picture, double lrd,
                                   int threads);

  // Inputs under the taps, tap by tap, and 1.
  void Factors(size_t row, size_t column, double* out) const;

  // Of all graphs, side by side.
  void Outputs(size_t row, size_t column, const std::vector<ShrunkTarget>& targets,
               double* out) const;

 private:
  double Mean(size_t colour, size_t y, size_t x, size_t side) const;

  Picture decoded_;
  std::vector<int16_t> latents_;
  size_t width_ = 0, channels_ = 0;  // of y
  size_t left_ = 0, top_ = 0, stride_ = 1;
  double offset_ = 0;
  std::vector<float> gain_;  // of y in fixed point
};

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_SHRUNK_SAMPLES_H_
