// x / 2 * (1 + erf(x / sqrt(2))).

#include "kernels/gelu.h"

#include "engine/gradient_builder.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"

namespace glint::ops {
namespace {

class GeluStep final : public RowStep {
 public:
  using RowStep::RowStep;
  std::string Kernel() const override { return "gelu"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    ForRuns(in[0], out, pixels,
            [&](size_t x, size_t n) { kernels::Gelu(in[0].Pixel(x), out.Pixel(x), n); });
  }
};

// A difference of gelu itself, of so small a step that it is 1e-4 off at the most. Beyond 6 either
// way the derivative stays what it is, so x is limited: else the step would drown in its rounding.
void Backward(const GradientNode& at, GradientBuilder* builder) {
  constexpr float kStep = 0.02f, kMost = 6;
  const NamedTensor below =
      builder->Add("relu", {builder->Scaled(at.input(), -1, kMost)}, at.input().channels);
  const NamedTensor limited =
      builder->Add("relu", {builder->Scaled(below, -1, 2 * kMost)}, below.channels);
  const auto gelu = [&](float step) {
    return builder->Add("gelu", {builder->Scaled(limited, 1, step - kMost)}, limited.channels);
  };
  const NamedTensor rise = builder->Sum(gelu(kStep), builder->Scaled(gelu(-kStep), -1));
  const NamedTensor slope = builder->Scaled(rise, 1 / (2 * kStep));
  builder->Collect(at.input(), builder->Multiply(at.gradient, slope));
}

}  // namespace

constinit const Op kGelu = {
    .name = "gelu",
    .inputs = InputCount{1, 1},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kMayOverwrite,
    .fusion = kNotFused,
    .derivative = Derivative::Of(Backward),
    .read = NoAttributes,
    .check = AsInput,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<GeluStep>,
};

}  // namespace glint::ops
