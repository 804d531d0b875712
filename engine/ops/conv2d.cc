// Convolution of stride 1 or 2, with all taps or those of a mask alone.

#include <string>
#include <utility>
#include <vector>

#include "engine/json.h"
#include "engine/ops/conv.h"
#include "engine/ops/table.h"

namespace glint::ops {
namespace {

struct Conv2dAttributes final : Attributes {
  int stride = 1;
  int padding = 0;
  kernels::ConvMask mask = kernels::ConvMask::kNone;
};

const Conv2dAttributes& Of(const Node& node) {
  return static_cast<const Conv2dAttributes&>(*node.attributes);
}

Status Read(ObjectReader* reader, Node* node) {
  auto attributes = std::make_shared<Conv2dAttributes>();
  GLINT_TRY(reader->Int("padding", 0, int64_t{kernels::kMaxKernel}, &attributes->padding));
  GLINT_TRY(reader->Int("stride", 1, 2, &attributes->stride));
  if (reader->Has("mask")) {
    size_t mask = 0;
    GLINT_TRY(reader->Choice("mask", {"none", "checkerboard", "causal"}, &mask));
    constexpr kernels::ConvMask kMasks[] = {
        kernels::ConvMask::kNone, kernels::ConvMask::kCheckerboard, kernels::ConvMask::kCausal};
    attributes->mask = kMasks[mask];
  }
  node->attributes = std::move(attributes);
  return Status::Ok();
}

const char* NameOf(kernels::ConvMask mask) {
  return mask == kernels::ConvMask::kCausal ? "causal" : "checkerboard";
}

// By tap of the kernel; empty: all.
std::vector<bool> LiveTaps(const Node& node, size_t kernel) {
  std::vector<bool> live;
  if (Of(node).mask == kernels::ConvMask::kNone) return live;
  for (size_t tap = 0; tap < kernel * kernel; ++tap) {
    live.push_back(kernels::IsLiveTap(Of(node).mask, kernel, tap / kernel, tap % kernel));
  }
  return live;
}

Result<int64_t> Check(const NodeCheck& check) {
  GLINT_ASSIGN(const ConvSize size, CheckConvWeight(check, Matrix::Order::kOutputsFirst));
  const Conv2dAttributes& attributes = Of(check.node());
  const std::string kernel = "kernel " + std::to_string(size.kernel);
  if (size.kernel % 2 == 0) return check.Fail(kernel + " is not odd");
  const int padding = (size.kernel - 1) / 2;
  if (attributes.padding != padding) {
    return check.Fail("padding is " + std::to_string(attributes.padding) + ", " + kernel +
                      " needs " + std::to_string(padding));
  }
  if (attributes.mask != kernels::ConvMask::kNone && (size.kernel < 3 || attributes.stride != 1)) {
    return check.Fail(std::string("mask ") + NameOf(attributes.mask) +
                      " needs stride 1 and a kernel of at least 3");
  }
  GLINT_TRY(CheckConvRest(check, size.out_channels));
  return size.out_channels;
}

Window WindowOf(const Node& node, const TensorView* weight) {
  const Conv2dAttributes& attributes = Of(node);
  Window window;
  window.rows.kernel = static_cast<int>(weight->shape[2]);
  window.rows.stride = attributes.stride;
  window.rows.padding = attributes.padding;
  window.columns = window.rows;
  window.live = LiveTaps(node, static_cast<size_t>(weight->shape[2]));
  if (attributes.mask == kernels::ConvMask::kCausal) {
    window.rows.kernel = attributes.padding + 1;  // nothing below
    window.live.resize(window.taps());
  }
  return window;
}

Matrix MatrixOf(const Node& node, const TensorView& weight) {
  Matrix matrix = ConvMatrix(weight, Matrix::Order::kOutputsFirst);
  matrix.live = LiveTaps(node, static_cast<size_t>(weight.shape[2]));
  return matrix;
}

size_t Sources(const Node& node) { return node.window.IsPointwise() ? kernels::kMaxSources : 1; }

Result<std::unique_ptr<Step>> Plan(const PlanContext& context, const Node& node) {
  kernels::ConvSpec spec;
  spec.mask = Of(node).mask;
  spec.gathered = node.gathered;
  return PlanConv(context, node, spec);
}

}  // namespace

constinit const Op kConv2d = {
    .name = "conv2d",
    .inputs = InputCount{1, 1},
    .weights = kConvRoles,
    .matrix = MatrixRole("weight", MatrixOf),
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kOfItsOwn,
    .fusion = kNotFused,
    .read = Read,
    .check = Check,
    .check_forms = AnyForms,
    .window = WindowOf,
    .sources = Sources,
    .plan = Plan,
};

}  // namespace glint::ops
