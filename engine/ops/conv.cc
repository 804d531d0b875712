#include "engine/ops/conv.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "engine/json.h"
#include "engine/ops/conv_run.h"
#include "engine/product_step.h"
#include "engine/safetensors.h"

namespace glint::ops {
namespace {

using kernels::Conv;
using kernels::ConvMask;
using kernels::ConvRow;
using kernels::ConvSpec;

// Kernels are square.
size_t KernelOf(const Matrix& matrix) {
  size_t kernel = 1;
  while (kernel * kernel < matrix.taps) ++kernel;
  return kernel;
}

class ConvStep final : public ProductStep {
 public:
  ConvStep(const PlanContext& context, const Node& node, const ConvSpec& spec)
      : ProductStep(context, node), conv_(Make(context, node, spec)) {
    window.rows.grouped = spec.paired_rows();
    window.columns.grouped = transposed();
    macs_per_pixel = conv_.MacsPerPixel();
    if (integer()) SetScales(context, node);
  }

  const Conv& conv() const { return conv_; }
  bool transposed() const { return conv_.spec().kind == ConvSpec::Kind::kTranspose; }

  std::string Kernel() const override {
    const ConvSpec& spec = conv_.spec();
    std::string text = PrecisionText(conv_.input(), conv_.float16_sums()) +
                       (transposed()                           ? "deconv"
                        : spec.mask == ConvMask::kCheckerboard ? "checkerboard"
                        : spec.mask == ConvMask::kCausal       ? "causal"
                                                               : "conv");
    text += std::to_string(spec.kernel) + "x" + std::to_string(spec.kernel);
    if (spec.stride > 1) text += "/" + std::to_string(spec.stride);
    const size_t in = std::accumulate(spec.in_channels.begin(),
                                      spec.in_channels.begin() + spec.sources, size_t{0});
    return text + " " + std::to_string(in) + ">" + std::to_string(spec.out_channels);
  }
  size_t Halo() const override { return std::max(conv_.ReadsLeft(), conv_.ReadsRight()); }
  size_t PackedBytes() const override { return conv_.packed_bytes(); }
  size_t ScratchFloats() const override { return conv_.ScratchFloats(); }
  size_t BandBytes() const override { return sizeof(ConvRow); }
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override;

 private:
  static Conv Make(const PlanContext& context, const Node& node, const ConvSpec& spec) {
    const PlanTensor& input = context.input(0);
    if (IsInteger(node.precision)) {
      return {spec, input.element, ReadIntegers(context, node).data(), input.zero()};
    }
    const std::vector<float> bias = context.Weight(node, node.matrix->bias);
    return {spec,
            ReadMatrix(context, node).data(),
            bias.empty() ? nullptr : bias.data(),
            input.element,
            KeptAs(node),
            MostInput(context, node)};
  }

  const Conv conv_;
};

std::unique_ptr<StepRun> ConvStep::Start(PictureTensors* tensors) const {
  return std::make_unique<ConvRun<ConvStep>>(*this, tensors);
}

}  // namespace

Result<ConvSize> CheckConvWeight(const NodeCheck& check, Matrix::Order order) {
  const TensorView* weight = nullptr;
  GLINT_TRY(check.FindWeight("weight", &weight));
  const auto fail = [&](const std::string& what) {
    return check.FailWeight("weight", "has shape " + ShapeText(*weight) + ": " + what);
  };
  if (weight->shape.size() != 4) return fail("4 dimensions are wanted");
  const int64_t kernel = weight->shape[2];
  constexpr auto kMost = static_cast<int64_t>(kernels::kMaxKernel);
  if (kernel != weight->shape[3] || kernel < 1 || kernel > kMost) {
    return fail("the kernel is not square and 1 to " + std::to_string(kMost));
  }
  const bool inputs_first = order == Matrix::Order::kInputsFirst;
  if (weight->shape[inputs_first ? 0 : 1] != check.channels(0)) {
    return fail("the input has " + std::to_string(check.channels(0)) + " channels");
  }
  const int64_t out_channels = weight->shape[inputs_first ? 1 : 0];
  if (out_channels < 1 || out_channels > kMaxChannels) {
    return fail("1 to " + std::to_string(kMaxChannels) + " output channels are allowed");
  }
  return ConvSize{static_cast<int>(kernel), out_channels};
}

Status CheckConvRest(const NodeCheck& check, int64_t out_channels) {
  for (const char* role : {"scale", "bias"}) {
    if (check.HasWeight(role)) GLINT_TRY(check.FindShaped(role, {out_channels}));
  }
  return Status::Ok();
}

Matrix ConvMatrix(const TensorView& weight, Matrix::Order order) {
  const bool inputs_first = order == Matrix::Order::kInputsFirst;
  Matrix matrix;
  matrix.bias = "bias";
  matrix.order = order;
  matrix.outputs = static_cast<size_t>(weight.shape[inputs_first ? 1 : 0]);
  matrix.inputs = static_cast<size_t>(weight.shape[inputs_first ? 0 : 1]);
  matrix.taps = static_cast<size_t>(weight.shape[2] * weight.shape[3]);
  return matrix;
}

Result<std::unique_ptr<Step>> PlanConv(const PlanContext& context, const Node& node,
                                       ConvSpec spec) {
  spec.kernel = KernelOf(*node.matrix);
  spec.stride = static_cast<size_t>(node.window.rows.stride);
  spec.padding = static_cast<size_t>(node.window.rows.padding);
  spec.sources = context.inputs.size();
  for (size_t s = 0; s < spec.sources; ++s) spec.in_channels[s] = context.input(s).channels;
  if (spec.gathered) spec.in_channels[0] = node.matrix->inputs;
  spec.out_channels = node.matrix->outputs;
  const bool integer = IsInteger(node.precision);
  // Integer sums are exact in any order; but pairs of rows are stored as floats.
  const bool exact = integer ? context.graph.quantised.count(node.output) > 0 : context.is_exact();
  spec.numerics = exact ? kernels::Numerics::kExact : kernels::Numerics::kClose;
  return std::unique_ptr<Step>(std::make_unique<ConvStep>(context, node, spec));
}

}  // namespace glint::ops
