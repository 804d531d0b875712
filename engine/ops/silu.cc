// x * sigmoid(factor * x).

#include <string>
#include <utility>

#include "engine/gradient_builder.h"
#include "engine/json.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/sigmoid.h"

namespace glint::ops {
namespace {

struct SiluAttributes final : Attributes {
  float factor = 1.0f;
};

float FactorOf(const Node& node) {
  return static_cast<const SiluAttributes&>(*node.attributes).factor;
}

Status Read(ObjectReader* reader, Node* node) {
  double factor = 0;
  GLINT_TRY(reader->Number("factor", &factor));
  if (!(factor >= 1e-3 && factor <= 1e3)) return reader->Fail("factor is not in 1e-3..1e3");
  auto attributes = std::make_shared<SiluAttributes>();
  attributes->factor = static_cast<float>(factor);
  node->attributes = std::move(attributes);
  return Status::Ok();
}

class SiluStep final : public RowStep {
 public:
  SiluStep(const PlanContext& context, const Node& node)
      : RowStep(context, node), factor_(FactorOf(node)) {}
  std::string Kernel() const override { return "silu"; }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    ForRuns(in[0], out, pixels,
            [&](size_t x, size_t n) { kernels::Silu(in[0].Pixel(x), out.Pixel(x), n, factor_); });
  }

 private:
  const float factor_;
};

// y = x s with s = sigmoid(factor x): s + factor (1 - s) y.
void Backward(const GradientNode& at, GradientBuilder* builder) {
  const float factor = FactorOf(at.node);
  const NamedTensor& x = at.input();
  const NamedTensor s = builder->Add("sigmoid", {builder->Scaled(x, factor)}, x.channels);
  const NamedTensor rest = builder->Scaled(s, -factor, factor);
  const NamedTensor slope = builder->Sum(s, builder->Multiply(at.output, rest));
  builder->Collect(x, builder->Multiply(at.gradient, slope));
}

}  // namespace

constinit const Op kSilu = {
    .name = "silu",
    .inputs = InputCount{1, 1},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kMayOverwrite,
    .fusion = kNotFused,
    .derivative = Derivative::Of(Backward),
    .read = Read,
    .check = AsInput,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<SiluStep>,
};

}  // namespace glint::ops
