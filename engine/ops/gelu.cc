// x / 2 * (1 + erf(x / sqrt(2))).

#include "kernels/gelu.h"

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

}  // namespace

constinit const Op kGelu = {
    .name = "gelu",
    .inputs = InputCount{1, 1},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kMayOverwrite,
    .fusion = kNotFused,
    .derivative = kNoDerivative,
    .read = NoAttributes,
    .check = AsInput,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<GeluStep>,
};

}  // namespace glint::ops
