// max(x, slope * x), and relu, whose slope is 0.

#include <utility>

#include "engine/gradient_builder.h"
#include "engine/json.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

struct SlopeAttributes final : Attributes {
  float slope = 0.0f;
};

Status Read(ObjectReader* reader, Node* node) {
  double slope = 0;
  GLINT_TRY(reader->Number("slope", &slope));
  if (!(slope >= 0 && slope <= 1)) return reader->Fail("slope is not in 0..1");
  auto attributes = std::make_shared<SlopeAttributes>();
  attributes->slope = static_cast<float>(slope);
  node->attributes = std::move(attributes);
  return Status::Ok();
}

float SlopeOf(const Node& node) {
  const auto* attributes = static_cast<const SlopeAttributes*>(node.attributes.get());
  return attributes == nullptr ? 0.0f : attributes->slope;
}

class LeakyReluStep final : public RowStep {
 public:
  LeakyReluStep(const PlanContext& context, const Node& node)
      : RowStep(context, node), kernel_(node.op->name), slope_(SlopeOf(node)) {}
  std::string Kernel() const override { return kernel_; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    ForRuns(in[0], out, pixels, [&](size_t x, size_t n) {
      kernels::LeakyRelu(in[0].Pixel(x), out.Pixel(x), n, slope_);
    });
  }

 private:
  const char* kernel_;
  const float slope_;
};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  const NamedTensor slope = builder->Switch(at.input(), SlopeOf(at.node), 1);
  builder->Collect(at.input(), builder->Multiply(at.gradient, slope));
}

// The record of either operator: they differ in their name and in how the slope is read.
constexpr Op Record(const char* name, Status (*read)(ObjectReader*, Node*)) {
  return {
      .name = name,
      .inputs = InputCount{1, 1},
      .weights = kNoWeights,
      .matrix = kNoMatrix,
      .classes = Classes::kCloseAndExact,
      .placement = Placement::kMayOverwrite,
      .fusion = Fusion::Activation(SlopeOf),
      .derivative = Derivative::Of(Backward),
      .read = read,
      .check = AsInput,
      .check_forms = AnyForms,
      .window = Pointwise,
      .sources = OneSource,
      .plan = PlanStep<LeakyReluStep>,
  };
}

}  // namespace

constinit const Op kLeakyRelu = Record("leaky_relu", Read);
constinit const Op kRelu = Record("relu", NoAttributes);

}  // namespace glint::ops
