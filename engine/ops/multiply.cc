// The product of two tensors, element by element.

#include <string>

#include "engine/gradient_builder.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

Result<int64_t> Check(const NodeCheck& check) { return AsBothInputs(check, "multiplies"); }

class MultiplyStep final : public RowStep {
 public:
  using RowStep::RowStep;
  std::string Kernel() const override { return "multiply"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    ForRuns(in[0], in[1], out, pixels, [&](size_t x, size_t n) {
      kernels::Multiply(in[0].Pixel(x), in[1].Pixel(x), out.Pixel(x), n);
    });
  }
};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  const NamedTensor &a = at.inputs[0], &b = at.inputs[1];
  builder->Collect(a, builder->Multiply(at.gradient, b));
  builder->Collect(b, builder->Multiply(at.gradient, a));
}

}  // namespace

constinit const Op kMultiply = {
    .name = "multiply",
    .inputs = InputCount{2, 2},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kMayOverwrite,
    .fusion = kNotFused,
    .derivative = Derivative::Of(Backward),
    .read = NoAttributes,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<MultiplyStep>,
};

}  // namespace glint::ops
