// Concatenation: the channels of its inputs, one after the other. It is seldom a step, because
// operators that can read several tensors read its inputs instead.

#include <cstdint>
#include <string>

#include "engine/gradient_builder.h"
#include "engine/node_check.h"
#include "engine/ops/table.h"
#include "engine/picture_tensors.h"
#include "engine/step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

Result<int64_t> Check(const NodeCheck& check) {
  int64_t channels = 0;
  for (size_t i = 0; i < check.node().inputs.size(); ++i) channels += check.channels(i);
  return channels;
}

class ConcatRun final : public RowwiseRun {
 public:
  ConcatRun(const Step& step, PictureTensors* tensors) : step_(step), t_(*tensors) {}

  // A float output is copied input by input; any other pixel by pixel, each made in float first.
  void RunRow(int64_t r, size_t worker) override {
    const size_t pixels = t_.Pixels(step_.output, r);
    uint8_t* out = t_.WriteRow(step_.output, r);
    if (t_.tensor(step_.output).quantisation == nullptr) {
      Gather(r, 0, pixels, static_cast<float*>(static_cast<void*>(out)));
      return;
    }
    for (size_t x = 0; x < pixels; ++x) {
      Gather(r, x, 1, t_.scratch(worker));
      t_.Store(step_.output, t_.scratch(worker), 1, out + x * t_.bytes(step_.output));
    }
  }

 private:
  void Gather(int64_t r, size_t x, size_t pixels, float* to) const {
    const size_t stride = t_.stride(step_.output);
    for (const int input : step_.inputs) {
      const PictureTensors::Positions in = t_.At(input, step_.output, r);
      const size_t channels = t_.tensor(input).channels;
      if (t_.tensor(input).quantisation == nullptr) {
        const auto* from = static_cast<const float*>(static_cast<const void*>(in.Pixel(x)));
        kernels::MoveChannels(from, in.stride, to, stride, pixels, channels);
      } else {
        for (size_t i = 0; i < pixels; ++i) t_.Load(input, in.Pixel(x + i), 1, to + i * stride);
      }
      to += channels;
    }
  }

  const Step& step_;
  PictureTensors& t_;
};

class ConcatStep final : public Step {
 public:
  using Step::Step;
  std::string Kernel() const override { return "concat"; }
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override {
    return std::make_unique<ConcatRun>(*this, tensors);
  }
};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  int begin = 0;
  for (const NamedTensor& input : at.inputs) {
    const int end = begin + input.channels;
    builder->Collect(input, builder->Slice(at.gradient, begin, end));
    begin = end;
  }
}

}  // namespace

constinit const Op kConcat = {
    .name = "concat",
    .inputs = InputCount{2, kMaxNodeInputs},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kOfItsOwn,
    .fusion = Fusion::Sources(),
    .derivative = Derivative::Of(Backward),
    .read = NoAttributes,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<ConcatStep>,
};

}  // namespace glint::ops
