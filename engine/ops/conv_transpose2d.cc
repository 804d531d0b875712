// Transposed convolution, which doubles rows and columns.

#include <utility>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/json.h"
#include "engine/ops/conv.h"
#include "engine/ops/table.h"

namespace glint::ops {
namespace {

struct ConvTransposeAttributes final : Attributes {
  int stride = 2;
  int padding = 0;
  int output_padding = 0;
};

const ConvTransposeAttributes& Of(const Node& node) {
  return static_cast<const ConvTransposeAttributes&>(*node.attributes);
}

Status Read(ObjectReader* reader, Node* node) {
  auto attributes = std::make_shared<ConvTransposeAttributes>();
  GLINT_TRY(reader->Int("padding", 0, int64_t{kernels::kMaxKernel}, &attributes->padding));
  GLINT_TRY(reader->Int("stride", 2, 2, &attributes->stride));
  GLINT_TRY(reader->Int("output_padding", 0, 1, &attributes->output_padding));
  node->attributes = std::move(attributes);
  return Status::Ok();
}

Result<int64_t> Check(const NodeCheck& check) {
  GLINT_ASSIGN(const ConvSize size, CheckConvWeight(check, Matrix::Order::kInputsFirst));
  const ConvTransposeAttributes& attributes = Of(check.node());
  const std::string kernel = "kernel " + std::to_string(size.kernel);
  if (size.kernel < 3 || size.kernel > 5) return check.Fail(kernel + " is not 3, 4 or 5");
  // (h - 1) * 2 - 2 padding + kernel + output_padding = 2 h
  if (size.kernel + attributes.output_padding != 2 * attributes.padding + 2) {
    return check.Fail(kernel + ", padding " + std::to_string(attributes.padding) +
                      " and output_padding " + std::to_string(attributes.output_padding) +
                      " do not double the size");
  }
  GLINT_TRY(CheckConvRest(check, size.out_channels));
  return size.out_channels;
}

Window WindowOf(const Node& node, const TensorView* weight) {
  const ConvTransposeAttributes& attributes = Of(node);
  Window window;
  window.rows.kernel = static_cast<int>(weight->shape[2]);
  window.rows.stride = attributes.stride;
  window.rows.padding = attributes.padding;
  window.rows.transposed = true;
  window.columns = window.rows;
  return window;
}

Matrix MatrixOf(const Node& node, const TensorView& weight) {
  Matrix matrix = ConvMatrix(weight, Matrix::Order::kInputsFirst);
  matrix.phases = static_cast<size_t>(node.window.rows.stride) *
                  static_cast<size_t>(node.window.columns.stride);
  return matrix;
}

Result<std::unique_ptr<Step>> Plan(const PlanContext& context, const Node& node) {
  kernels::ConvSpec spec;
  spec.kind = kernels::ConvSpec::Kind::kTranspose;
  return PlanConv(context, node, spec);
}

// A correlation of stride 2 with the same kernel; one of 4 gets a row and a column of zeros before
// the others, so that its padding of 1 becomes the 2 of a kernel of 5.
void Backward(const GradientNode& at, GradientBuilder* builder) {
  FloatMatrix matrix = at.matrix;
  if (matrix.shape[2] == 4) {
    std::vector<float> wide(matrix.size(0) * matrix.size(1) * 25);
    for (size_t i = 0; i < matrix.values.size(); ++i) {
      wide[i / 16 * 25 + (i % 16 / 4 + 1) * 5 + i % 4 + 1] = matrix.values[i];
    }
    matrix.values = std::move(wide);
    matrix.shape[2] = matrix.shape[3] = 5;
  }
  builder->Collect(at.input(),
                   builder->Add("conv2d", {at.gradient}, at.input().channels,
                                {{"weight", builder->AddWeight(matrix)}},
                                {{"stride", 2}, {"padding", (matrix.shape[2] - 1) / 2}}));
}

}  // namespace

constinit const Op kConvTranspose2d = {
    .name = "conv_transpose2d",
    .inputs = InputCount{1, 1},
    .weights = kConvRoles,
    .matrix = MatrixRole("weight", MatrixOf),
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kOfItsOwn,
    .fusion = kNotFused,
    .derivative = Derivative::Of(Backward),
    .read = Read,
    .check = Check,
    .check_forms = AnyForms,
    .window = WindowOf,
    .sources = OneSource,
    .plan = Plan,
};

}  // namespace glint::ops
