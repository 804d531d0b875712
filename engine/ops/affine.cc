// A factor and a shift for each channel, or one of both.

#include <string>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/node_check.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

constexpr const char* kRoles[] = {"factor", "shift"};

Result<int64_t> Check(const NodeCheck& check) {
  if (!check.HasWeight("factor") && !check.HasWeight("shift")) {
    return check.Fail("has neither factor nor shift");
  }
  for (const char* role : kRoles) {
    if (check.HasWeight(role)) GLINT_TRY(check.FindShaped(role, {check.channels(0)}));
  }
  return check.channels(0);
}

class AffineStep final : public RowStep {
 public:
  AffineStep(const PlanContext& context, const Node& node)
      : RowStep(context, node),
        factor_(context.Weight(node, "factor")),
        shift_(context.Weight(node, "shift")) {}
  std::string Kernel() const override { return "affine"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    kernels::Affine(in[0].data, out.data, pixels, out.channels, in[0].stride, out.stride,
                    factor_.empty() ? nullptr : factor_.data(),
                    shift_.empty() ? nullptr : shift_.data());
  }

 private:
  const std::vector<float> factor_, shift_;  // empty where there is none
};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  const auto factor = at.node.weights.find("factor");
  NamedTensor gradient = at.gradient;
  if (factor != at.node.weights.end()) {
    gradient = builder->Add("affine", {gradient}, gradient.channels, {{"factor", factor->second}});
  }
  builder->Collect(at.input(), gradient);
}

}  // namespace

constinit const Op kAffine = {
    .name = "affine",
    .inputs = InputCount{1, 1},
    .weights = WeightRoles{{}, kRoles},
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
    .plan = PlanStep<AffineStep>,
};

}  // namespace glint::ops
