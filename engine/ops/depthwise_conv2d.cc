// Convolution of each channel by a kernel of its own, of stride 1 or 2.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/json.h"
#include "engine/ops/conv.h"
#include "engine/ops/conv_run.h"
#include "engine/ops/table.h"
#include "engine/safetensors.h"
#include "kernels/depthwise.h"

namespace glint::ops {
namespace {

using kernels::Depthwise;
using kernels::DepthwiseSpec;

struct DepthwiseAttributes final : Attributes {
  int stride = 1;
};

Status Read(ObjectReader* reader, Node* node) {
  auto attributes = std::make_shared<DepthwiseAttributes>();
  GLINT_TRY(reader->Int("stride", 1, 2, &attributes->stride));
  node->attributes = std::move(attributes);
  return Status::Ok();
}

Result<int64_t> Check(const NodeCheck& check) {
  const TensorView* weight = nullptr;
  GLINT_TRY(check.FindWeight("weight", &weight));
  const std::vector<int64_t>& shape = weight->shape;
  const auto fail = [&](const std::string& what) {
    return check.FailWeight("weight", "has shape " + ShapeText(*weight) + ": " + what);
  };
  const int64_t channels = check.channels(0);
  if (shape.size() != 4 || shape[0] != channels || shape[1] != 1) {
    return fail("[" + std::to_string(channels) + ", 1, rows, columns] is wanted");
  }
  constexpr auto kMost = static_cast<int64_t>(kernels::kMaxKernel);
  for (const int64_t size : {shape[2], shape[3]}) {
    if (size % 2 == 0 || size > kMost) {
      return fail("rows and columns are odd and 1 to " + std::to_string(kMost));
    }
  }
  GLINT_TRY(CheckConvRest(check, channels));
  return channels;
}

Window WindowOf(const Node& node, const TensorView* weight) {
  const auto axis = [&](int64_t kernel) {
    Axis along;
    along.kernel = static_cast<int>(kernel);
    along.stride = static_cast<const DepthwiseAttributes&>(*node.attributes).stride;
    along.padding = (along.kernel - 1) / 2;
    return along;
  };
  Window window;
  window.rows = axis(weight->shape[2]);
  window.columns = axis(weight->shape[3]);
  return window;
}

Matrix MatrixOf(const Node& /*node*/, const TensorView& weight) {
  Matrix matrix;
  matrix.bias = "bias";
  matrix.order = Matrix::Order::kDepthwise;
  matrix.outputs = matrix.inputs = static_cast<size_t>(weight.shape[0]);
  matrix.taps = static_cast<size_t>(weight.shape[2] * weight.shape[3]);
  return matrix;
}

class DepthwiseStep final : public ProductStep {
 public:
  DepthwiseStep(const PlanContext& context, const Node& node)
      : ProductStep(context, node), conv_(Make(context, node)) {
    macs_per_pixel = conv_.MacsPerPixel();
    if (integer()) SetScales(context, node);
  }

  const Depthwise& conv() const { return conv_; }
  static bool transposed() { return false; }

  std::string Kernel() const override {
    const DepthwiseSpec& spec = conv_.spec();
    std::string text = PrecisionText(conv_.input(), false) + "depthwise" +
                       std::to_string(spec.rows) + "x" + std::to_string(spec.columns);
    if (spec.stride > 1) text += "/" + std::to_string(spec.stride);
    return text + " " + std::to_string(spec.channels);
  }
  size_t Halo() const override { return conv_.spec().column_padding(); }
  size_t PackedBytes() const override { return conv_.packed_bytes(); }
  size_t BandBytes() const override { return sizeof(kernels::ConvRow); }
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override {
    return std::make_unique<ConvRun<DepthwiseStep>>(*this, tensors);
  }

 private:
  static Depthwise Make(const PlanContext& context, const Node& node) {
    DepthwiseSpec spec;
    spec.channels = node.matrix->outputs;
    spec.rows = static_cast<size_t>(node.window.rows.kernel);
    spec.columns = static_cast<size_t>(node.window.columns.kernel);
    spec.stride = static_cast<size_t>(node.window.rows.stride);
    spec.numerics = context.is_exact() ? kernels::Numerics::kExact : kernels::Numerics::kClose;
    const PlanTensor& input = context.input(0);
    if (IsInteger(node.precision)) {
      return {spec, input.element, ReadIntegers(context, node).data(), input.zero()};
    }
    const std::vector<float> bias = context.Weight(node, node.matrix->bias);
    return {spec, ReadMatrix(context, node).data(), bias.empty() ? nullptr : bias.data(),
            input.element};
  }

  const Depthwise conv_;
};

// Of stride 1: with the kernels turned around.
NamedTensor BackwardPlain(const GradientNode& at, GradientBuilder* builder) {
  FloatMatrix turned = at.matrix;
  const auto taps = static_cast<ptrdiff_t>(turned.size(2) * turned.size(3));
  for (auto kernel = turned.values.begin(); kernel != turned.values.end(); kernel += taps) {
    std::reverse(kernel, kernel + taps);
  }
  return builder->Add("depthwise_conv2d", {at.gradient}, at.input().channels,
                      {{"weight", builder->AddWeight(turned)}}, {{"stride", 1}});
}

// Of stride 2: one for each of the four phases of the input, which pixel_shuffle puts in place.
NamedTensor BackwardStrided(const GradientNode& at, GradientBuilder* builder) {
  const FloatMatrix& matrix = at.matrix;
  const size_t channels = matrix.size(0), rows = matrix.size(2), columns = matrix.size(3);
  const size_t small_rows = PhaseKernel(rows), small_columns = PhaseKernel(columns);
  std::vector<NamedTensor> phases;
  for (size_t phase = 0; phase < 4; ++phase) {
    FloatMatrix taps{
        {matrix.shape[0], 1, static_cast<int64_t>(small_rows), static_cast<int64_t>(small_columns)},
        {}};
    for (size_t i = 0; i < channels * small_rows * small_columns; ++i) {
      const std::optional<size_t> row = TapOfPhase(rows, phase / 2, i / small_columns % small_rows);
      const std::optional<size_t> column = TapOfPhase(columns, phase % 2, i % small_columns);
      const size_t first = i / (small_rows * small_columns) * rows * columns;
      taps.values.push_back(row && column ? matrix.values[first + *row * columns + *column] : 0);
    }
    phases.push_back(builder->Add("depthwise_conv2d", {at.gradient}, at.input().channels,
                                  {{"weight", builder->AddWeight(taps)}}, {{"stride", 1}}));
  }
  return builder->Add("pixel_shuffle", {builder->Beside(phases)}, at.input().channels, {},
                      {{"factor", 2}, {"order", "dcr"}});
}

void Backward(const GradientNode& at, GradientBuilder* builder) {
  const bool plain = at.node.window.rows.stride == 1;
  builder->Collect(at.input(), plain ? BackwardPlain(at, builder) : BackwardStrided(at, builder));
}

}  // namespace

constinit const Op kDepthwiseConv2d = {
    .name = "depthwise_conv2d",
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
    .plan = PlanStep<DepthwiseStep>,
};

}  // namespace glint::ops
