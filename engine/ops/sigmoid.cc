// 1 / (1 + exp(-x)).

#include "kernels/sigmoid.h"

#include "engine/gradient_builder.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"

namespace glint::ops {
namespace {

class SigmoidStep final : public RowStep {
 public:
  using RowStep::RowStep;
  std::string Kernel() const override { return "sigmoid"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    ForRuns(in[0], out, pixels,
            [&](size_t x, size_t n) { kernels::Sigmoid(in[0].Pixel(x), out.Pixel(x), n); });
  }
};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  const NamedTensor rest = builder->Scaled(at.output, -1, 1);
  const NamedTensor slope = builder->Multiply(at.output, rest);
  builder->Collect(at.input(), builder->Multiply(at.gradient, slope));
}

}  // namespace

constinit const Op kSigmoid = {
    .name = "sigmoid",
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
    .plan = PlanStep<SigmoidStep>,
};

}  // namespace glint::ops
