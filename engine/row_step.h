// Steps that compute in float, row by row, where each position of the output reads the same
// position of every input: most operators without a matrix. Tensors that are kept in float are read
// and written where they lie; others pass through scratch memory, some pixels at a time. Called by
// engine/ops/.
// Thread rules: as step.h.
#ifndef GLINT_ENGINE_ROW_STEP_H_
#define GLINT_ENGINE_ROW_STEP_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/step.h"

namespace glint {

// Some pixels of an input or of the output, `stride` floats apart.
struct FloatPixels {
  float* data = nullptr;  // of inputs not to be written
  size_t stride = 0;
  size_t channels = 0;
  float* Pixel(size_t x) const { return data + x * stride; }
  bool is_gapless() const { return stride == channels; }
};

// Calls run(x, n) for runs of n floats from pixel x on that have no gaps in any of the tensors: one
// run of all pixels if possible, else one for each pixel.
template <typename Run>
void ForRuns(const FloatPixels& a, const FloatPixels& b, const FloatPixels& out, size_t pixels,
             const Run& run) {
  if (a.is_gapless() && b.is_gapless() && out.is_gapless()) {
    run(size_t{0}, pixels * out.channels);
    return;
  }
  for (size_t x = 0; x < pixels; ++x) run(x, out.channels);
}
template <typename Run>
void ForRuns(const FloatPixels& in, const FloatPixels& out, size_t pixels, const Run& run) {
  ForRuns(in, in, out, pixels, run);
}

inline constexpr size_t kMostRowInputs = 2;

class RowStep : public Step {
 public:
  using Step::Step;
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override;

  // What is evaluated once a picture, or nothing.
  virtual std::vector<float> Constants(const ModelFile& /*model*/, double /*t*/) const {
    return {};
  }
  // `out` may be the first of `in`; then each pixel is read before it is written. Any thread.
  virtual void Compute(const std::vector<float>& constants, const FloatPixels* in,
                       const FloatPixels& out, size_t pixels) const = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_ROW_STEP_H_
