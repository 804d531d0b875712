// Convolution of stride 1 or 2, with all taps, or with those taps alone that lie on the
// checkerboard positions of the other parity.

#include "engine/json.h"
#include "engine/ops/conv.h"
#include "engine/ops/table.h"

namespace glint::ops {
namespace {

struct Conv2dAttributes final : Attributes {
  int stride = 1;
  int padding = 0;
  bool checkerboard = false;  // only taps with ky + kx odd
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
    GLINT_TRY(reader->Choice("mask", {"none", "checkerboard"}, &mask));
    attributes->checkerboard = mask == 1;
  }
  node->attributes = std::move(attributes);
  return Status::Ok();
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
  if (attributes.checkerboard && (size.kernel < 3 || attributes.stride != 1)) {
    return check.Fail("mask checkerboard needs stride 1 and a kernel of at least 3");
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
  if (!attributes.checkerboard) return window;
  for (int ky = 0; ky < window.rows.kernel; ++ky) {
    for (int kx = 0; kx < window.columns.kernel; ++kx) window.live.push_back((ky + kx) % 2 == 1);
  }
  return window;
}

Matrix MatrixOf(const Node& node, const TensorView& weight) {
  Matrix matrix = ConvMatrix(weight, Matrix::Order::kOutputsFirst);
  matrix.live = node.window.live;
  return matrix;
}

size_t Sources(const Node& node) { return node.window.IsPointwise() ? kernels::kMaxSources : 1; }

Result<std::unique_ptr<Step>> Plan(const PlanContext& context, const Node& node) {
  return PlanConv(context, node, kernels::ConvSpec::Kind::kConv);
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
