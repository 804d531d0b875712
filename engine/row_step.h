// Steps that compute in float, row by row, one position from the same one of each input: what most
// operators without a matrix need. Tensors that are kept in float are read and written where they
// lie; others pass through scratch memory, some pixels at a time.
// Called by engine/ops/. Thread rules: as step.h.
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

// Calls run(x, n) for runs of n floats from pixel x on that lie without gaps in all that are given:
// one of all pixels, or one each.
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
  // `out` may be the first of `in`, pixel by pixel. Any thread.
  virtual void Compute(const std::vector<float>& constants, const FloatPixels* in,
                       const FloatPixels& out, size_t pixels) const = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_ROW_STEP_H_
