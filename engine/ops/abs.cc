// |x|.

#include "engine/gradient_builder.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

class AbsStep final : public RowStep {
 public:
  using RowStep::RowStep;
  std::string Kernel() const override { return "abs"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    ForRuns(in[0], out, pixels,
            [&](size_t x, size_t n) { kernels::Abs(in[0].Pixel(x), out.Pixel(x), n); });
  }
};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  const NamedTensor sign = builder->Switch(at.input(), -1, 1);
  builder->Collect(at.input(), builder->Multiply(at.gradient, sign));
}

}  // namespace

constinit const Op kAbs = {
    .name = "abs",
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
    .plan = PlanStep<AbsStep>,
};

}  // namespace glint::ops
