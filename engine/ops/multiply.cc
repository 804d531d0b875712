// The product of two tensors, element by element.

#include <string>

#include "engine/node_check.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

Result<int64_t> Check(const NodeCheck& check) {
  if (check.channels(0) == check.channels(1)) return check.channels(0);
  return check.Fail("multiplies " + std::to_string(check.channels(0)) + " and " +
                    std::to_string(check.channels(1)) + " channels");
}

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

Result<std::unique_ptr<Step>> Plan(const PlanContext& context, const Node& node) {
  return std::unique_ptr<Step>(std::make_unique<MultiplyStep>(node, context.inputs));
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
    .read = NoAttributes,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = Plan,
};

}  // namespace glint::ops
