// A range of the channels of its input. Values are moved as they are.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/json.h"
#include "engine/node_check.h"
#include "engine/ops/table.h"
#include "engine/row_step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

struct SliceAttributes final : Attributes {
  int begin = 0, end = 0;
};

const SliceAttributes& Of(const Node& node) {
  return static_cast<const SliceAttributes&>(*node.attributes);
}

Status Read(ObjectReader* reader, Node* node) {
  auto attributes = std::make_shared<SliceAttributes>();
  GLINT_TRY(reader->Int("begin", 0, kMaxChannels - 1, &attributes->begin));
  GLINT_TRY(reader->Int("end", attributes->begin + 1, kMaxChannels, &attributes->end));
  node->attributes = std::move(attributes);
  return Status::Ok();
}

Result<int64_t> Check(const NodeCheck& check) {
  const SliceAttributes& range = Of(check.node());
  if (range.end <= check.channels(0)) return int64_t{range.end} - range.begin;
  return check.Fail("end is " + std::to_string(range.end) + ", its input has " +
                    std::to_string(check.channels(0)) + " channels");
}

class SliceStep final : public RowStep {
 public:
  SliceStep(const PlanContext& context, const Node& node)
      : RowStep(context, node), begin_(static_cast<size_t>(Of(node).begin)) {}
  std::string Kernel() const override { return "slice from " + std::to_string(begin_); }
  void Compute(const std::vector<float>& /*constants*/, const FloatPixels* in,
               const FloatPixels& out, size_t pixels) const override {
    kernels::MoveChannels(in[0].data + begin_, in[0].stride, out.data, out.stride, pixels,
                          out.channels);
  }

 private:
  const size_t begin_;
};

void Backward(const GradientNode& at, GradientBuilder* builder) {
  std::vector<std::optional<int>> channels(static_cast<size_t>(at.input().channels));
  const SliceAttributes& range = Of(at.node);
  for (int c = range.begin; c < range.end; ++c) channels[static_cast<size_t>(c)] = c - range.begin;
  builder->Collect(at.input(), builder->Picked(at.gradient, channels));
}

}  // namespace

constinit const Op kSlice = {
    .name = "slice",
    .inputs = InputCount{1, 1},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kOfItsOwn,
    .fusion = kNotFused,
    .derivative = Derivative::Of(Backward),
    .read = Read,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<SliceStep>,
};

}  // namespace glint::ops
