// Normalisation over the channels of each position.

#include "kernels/layer_norm.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/json.h"
#include "engine/node_check.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"

namespace glint::ops {
namespace {

struct LayerNormAttributes final : Attributes {
  float epsilon = 0.0f;
};

Status Read(ObjectReader* reader, Node* node) {
  double epsilon = 0;
  GLINT_TRY(reader->Number("epsilon", &epsilon));
  if (!(epsilon >= 1e-12 && epsilon <= 1)) return reader->Fail("epsilon is not in 1e-12..1");
  auto attributes = std::make_shared<LayerNormAttributes>();
  attributes->epsilon = static_cast<float>(epsilon);
  node->attributes = std::move(attributes);
  return Status::Ok();
}

Result<int64_t> Check(const NodeCheck& check) {
  GLINT_TRY(check.FindShaped("weight", {check.channels(0)}));
  GLINT_TRY(check.FindShaped("bias", {check.channels(0)}));
  return check.channels(0);
}

class LayerNormStep final : public RowStep {
 public:
  LayerNormStep(const PlanContext& context, const Node& node)
      : RowStep(context, node),
        epsilon_(static_cast<const LayerNormAttributes&>(*node.attributes).epsilon),
        weight_(context.Weight(node, "weight")),
        bias_(context.Weight(node, "bias")) {}
  std::string Kernel() const override { return "layer_norm"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    const kernels::LayerNormSpec spec = {out.channels, weight_.data(), bias_.data(), epsilon_};
    kernels::LayerNorm(in[0].data, in[0].stride, out.data, out.stride, pixels, spec);
  }

 private:
  const float epsilon_;
  const std::vector<float> weight_, bias_;
};

constexpr const char* kRoles[] = {"weight", "bias"};

}  // namespace

constinit const Op kLayerNorm = {
    .name = "layer_norm",
    .inputs = InputCount{1, 1},
    .weights = WeightRoles{kRoles, {}},
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kMayOverwrite,
    .fusion = kNotFused,
    .read = Read,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<LayerNormStep>,
};

}  // namespace glint::ops
