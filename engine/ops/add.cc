// The sum of two tensors.

#include <string>

#include "engine/gradient_builder.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

Result<int64_t> Check(const NodeCheck& check) { return AsBothInputs(check, "adds"); }

class AddStep final : public RowStep {
 public:
  using RowStep::RowStep;
  std::string Kernel() const override { return "add"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    ForRuns(in[0], in[1], out, pixels, [&](size_t x, size_t n) {
      kernels::Add(in[0].Pixel(x), in[1].Pixel(x), out.Pixel(x), n);
    });
  }
};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  for (const NamedTensor& input : at.inputs) builder->Collect(input, at.gradient);
}

}  // namespace

constinit const Op kAdd = {
    .name = "add",
    .inputs = InputCount{2, 2},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kMayOverwrite,
    .fusion = Fusion::Residual(),
    .derivative = Derivative::Of(Backward),
    .read = NoAttributes,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<AddStep>,
};

}  // namespace glint::ops
