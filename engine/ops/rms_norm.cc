// Normalisation over the channels of each position by their root mean square.

#include <string>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/node_check.h"
#include "engine/ops/norm.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/layer_norm.h"

namespace glint::ops {
namespace {

Result<int64_t> Check(const NodeCheck& check) {
  GLINT_TRY(check.FindShaped("weight", {check.channels(0)}));
  return check.channels(0);
}

class RmsNormStep final : public RowStep {
 public:
  RmsNormStep(const PlanContext& context, const Node& node)
      : RowStep(context, node),
        epsilon_(EpsilonOf(node)),
        weight_(context.Weight(node, "weight")) {}
  std::string Kernel() const override { return "rms_norm"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    const kernels::LayerNormSpec spec = {out.channels, weight_.data(), nullptr, epsilon_};
    kernels::RmsNorm(in[0].data, in[0].stride, out.data, out.stride, pixels, spec);
  }

 private:
  const float epsilon_;
  const std::vector<float> weight_;
};

constexpr const char* kRoles[] = {"weight"};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  NormBackward(at, Centred::kNo, builder);
}

}  // namespace

constinit const Op kRmsNorm = {
    .name = "rms_norm",
    .inputs = InputCount{1, 1},
    .weights = WeightRoles{kRoles, {}},
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kMayOverwrite,
    .fusion = kNotFused,
    .derivative = Derivative::Of(Backward),
    .read = ReadNorm,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<RmsNormStep>,
};

}  // namespace glint::ops
