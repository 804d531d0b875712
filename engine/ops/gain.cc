// A factor for each channel, from a small network of the rate.

#include <string>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/node_check.h"
#include "engine/ops/table.h"
#include "engine/rate.h"
#include "engine/row_step.h"
#include "engine/safetensors.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

Result<int64_t> Check(const NodeCheck& check) {
  const int64_t channels = check.channels(0);
  const TensorView* bias = nullptr;
  GLINT_TRY(check.FindWeight("fc1.bias", &bias));
  const int64_t hidden = bias->shape.empty() ? 0 : bias->shape[0];
  if (hidden < 1 || hidden > kMaxChannels) {
    return check.Fail("fc1.bias has shape " + ShapeText(*bias) + ", 1 to " +
                      std::to_string(kMaxChannels) + " hidden units are allowed");
  }
  GLINT_TRY(check.FindShaped("fc1.bias", {hidden}));
  GLINT_TRY(check.FindShaped("fc1.weight", {hidden, 1}));
  GLINT_TRY(check.FindShaped("fc2.weight", {channels, hidden}));
  GLINT_TRY(check.FindShaped("fc2.bias", {channels}));
  return channels;
}

class GainStep final : public RowStep {
 public:
  GainStep(const PlanContext& context, const Node& node) : RowStep(context, node), node_(node) {}
  std::string Kernel() const override { return "gain"; }
  std::vector<float> Constants(const ModelFile& model, double t) const override {
    return EvaluateGain(model, node_, t);
  }
  void Compute(const std::vector<float>& constants, const FloatPixels* in, const FloatPixels& out,
               size_t pixels) const override {
    kernels::Affine(in[0].data, out.data, pixels, out.channels, in[0].stride, out.stride,
                    constants.data(), nullptr);
  }

 private:
  const Node& node_;
};

constexpr const char* kRoles[] = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  builder->Collect(at.input(),
                   builder->Add("gain", {at.gradient}, at.gradient.channels, at.node.weights));
}

}  // namespace

constinit const Op kGain = {
    .name = "gain",
    .inputs = InputCount{1, 1},
    .weights = WeightRoles{kRoles, {}},
    .matrix = kNoMatrix,
    .classes = Classes::kCloseOnly,
    .placement = Placement::kMayOverwrite,
    .fusion = Fusion::ChannelFactors(EvaluateGain),
    .derivative = Derivative::Of(Backward),
    .read = NoAttributes,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<GainStep>,
};

}  // namespace glint::ops
