#include "engine/convert_step.h"

#include <algorithm>
#include <cstdint>

#include "engine/picture_tensors.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

const float* Floats(const uint8_t* row) {
  return static_cast<const float*>(static_cast<const void*>(row));
}

class ConvertRun final : public RowwiseRun {
 public:
  ConvertRun(int from, int to, PictureTensors* tensors) : from_(from), to_(to), t_(*tensors) {}

  void Prepare() override {
    if (t_.tensor(to_).dynamic()) FindRange();
  }

  // One of the two is float, and both have the same positions.
  void RunRow(int64_t r, size_t /*worker*/) override {
    const size_t pixels = t_.Pixels(to_, r);
    const bool to_floats = t_.tensor(to_).quantisation == nullptr;
    const int kept = to_floats ? from_ : to_;
    const bool gapless = t_.IsGapless(from_, t_.bytes(from_)) && t_.IsGapless(to_, t_.bytes(to_));
    const size_t at_once = gapless ? PixelsAtOnce(t_.tensor(kept).channels) : 1;
    const uint8_t* in = t_.Row(from_, r);
    uint8_t* out = t_.WriteRow(to_, r);
    for (size_t x = 0; x < pixels; x += at_once) {
      const size_t count = std::min(at_once, pixels - x);
      const uint8_t* from = in + x * t_.bytes(from_);
      uint8_t* to = out + x * t_.bytes(to_);
      if (to_floats) {
        t_.Load(from_, from, count, static_cast<float*>(static_cast<void*>(to)));
      } else {
        t_.Store(to_, Floats(from), count, to);
      }
    }
  }

 private:
  // Finds the scale of the dynamic tensor from the float one, all rows of which are there. Workers
  // may take rows in any order: a maximum does not depend on it.
  void FindRange() {
    const size_t channels = t_.tensor(from_).channels;
    const size_t workers = std::max<size_t>(1, t_.runner().workers);
    for (size_t w = 0; w < workers; ++w) std::fill_n(t_.scratch(w), channels, 0.0f);
    ParallelFor(t_.runner(), static_cast<size_t>(t_.height(from_)), [&](size_t i, size_t worker) {
      const int64_t r = static_cast<int64_t>(i);
      kernels::MaxMagnitudes(Floats(t_.Row(from_, r)), t_.Pixels(from_, r), channels,
                             t_.stride(from_), t_.scratch(worker));
    });
    for (size_t w = 1; w < workers; ++w) {
      kernels::MaxMagnitudes(t_.scratch(w), 1, channels, channels, t_.scratch(0));
    }
    t_.SetDynamicScale(to_, t_.scratch(0));
  }

  const int from_, to_;
  PictureTensors& t_;
};

class ConvertStep final : public Step {
 public:
  ConvertStep(int from, int to) : Step("convert") {
    inputs = {from};
    output = to;
  }
  std::string Kernel() const override { return "convert"; }
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override {
    return std::make_unique<ConvertRun>(inputs[0], output, tensors);
  }
};

}  // namespace

std::unique_ptr<Step> MakeConvertStep(int from, int to) {
  return std::make_unique<ConvertStep>(from, to);
}

}  // namespace glint
