#include "engine/row_step.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/picture_tensors.h"

namespace glint {
namespace {

float* AsFloats(const uint8_t* row) {
  return const_cast<float*>(static_cast<const float*>(static_cast<const void*>(row)));
}

class RowRun final : public RowwiseRun {
 public:
  RowRun(const RowStep& step, PictureTensors* tensors)
      : step_(step), t_(*tensors), constants_(step.Constants(tensors->model(), tensors->t())) {
    for (const int input : step.inputs) all_float_ = all_float_ && IsFloat(input);
    all_float_ = all_float_ && IsFloat(step.output);
    size_t most = t_.tensor(step.output).channels;
    for (const int input : step.inputs) most = std::max(most, t_.tensor(input).channels);
    at_once_ = PixelsAtOnce(most);
  }

  void RunRow(int64_t r, size_t worker) override {
    const size_t pixels = t_.Pixels(step_.output, r);
    std::array<PictureTensors::Positions, kMostRowInputs> in;
    // Of floats that are read or written where they lie, gaps do not matter.
    bool gapless = IsFloat(step_.output) || t_.IsGapless(step_.output, t_.bytes(step_.output));
    for (size_t i = 0; i < step_.inputs.size(); ++i) {
      in[i] = t_.At(step_.inputs[i], step_.output, r);
      gapless = gapless && (IsFloat(step_.inputs[i]) || t_.IsGapless(step_.inputs[i], in[i].bytes));
    }
    uint8_t* out = t_.WriteRow(step_.output, r);  // after them: it may take the first one's place
    if (all_float_) {
      Part(in.data(), out, 0, pixels, worker);
      return;
    }
    const size_t at_once = gapless ? at_once_ : 1;
    for (size_t x = 0; x < pixels; x += at_once) {
      Part(in.data(), out, x, std::min(at_once, pixels - x), worker);
    }
  }

 private:
  bool IsFloat(int id) const { return t_.tensor(id).quantisation == nullptr; }

  // Pixels [x, x + count). What is not float is copied to a part of the scratch memory of its own.
  void Part(const PictureTensors::Positions* in, uint8_t* out, size_t x, size_t count,
            size_t worker) {
    std::array<FloatPixels, kMostRowInputs> pixels;
    float* scratch = t_.scratch(worker);
    for (size_t i = 0; i < step_.inputs.size(); ++i) {
      const int id = step_.inputs[i];
      const size_t channels = t_.tensor(id).channels;
      if (IsFloat(id)) {
        pixels[i] = {AsFloats(in[i].Pixel(x)), in[i].stride, channels};
        continue;
      }
      t_.Load(id, in[i].Pixel(x), count, scratch);
      pixels[i] = {scratch, channels, channels};
      scratch += t_.pixel_floats();
    }
    const size_t channels = t_.tensor(step_.output).channels;
    uint8_t* to = out + x * t_.bytes(step_.output);
    if (IsFloat(step_.output)) {
      const FloatPixels result = {AsFloats(to), t_.stride(step_.output), channels};
      step_.Compute(constants_, pixels.data(), result, count);
      return;
    }
    step_.Compute(constants_, pixels.data(), {scratch, channels, channels}, count);
    t_.Store(step_.output, scratch, count, to);
  }

  const RowStep& step_;
  PictureTensors& t_;
  const std::vector<float> constants_;
  bool all_float_ = true;
  size_t at_once_ = 1;  // pixels that go through scratch memory together
};

}  // namespace

std::unique_ptr<StepRun> RowStep::Start(PictureTensors* tensors) const {
  return std::make_unique<RowRun>(*this, tensors);
}

}  // namespace glint
