// Convolution of stride 1 or 2, with all taps or those of a mask alone.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/gradient_builder.h"
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

// Of stride 1: a correlation with the kernel turned around, outputs being inputs.
NamedTensor BackwardPlain(const GradientNode& at, GradientBuilder* builder) {
  const FloatMatrix& matrix = at.matrix;
  const size_t out = matrix.size(0), in = matrix.size(1), taps = matrix.size(2) * matrix.size(3);
  FloatMatrix turned{{matrix.shape[1], matrix.shape[0], matrix.shape[2], matrix.shape[3]},
                     std::vector<float>(matrix.values.size())};
  for (size_t o = 0; o < out; ++o) {
    for (size_t i = 0; i < in; ++i) {
      for (size_t tap = 0; tap < taps; ++tap) {
        turned.values[(i * out + o) * taps + taps - 1 - tap] =
            matrix.values[(o * in + i) * taps + tap];
      }
    }
  }
  return builder->Add("conv2d", {at.gradient}, at.input().channels,
                      {{"weight", builder->AddWeight(turned)}},
                      {{"stride", 1}, {"padding", Of(at.node).padding}});
}

// Of stride 2: one for each of the four phases of the input, which pixel_shuffle puts in place.
NamedTensor BackwardStrided(const GradientNode& at, GradientBuilder* builder) {
  const FloatMatrix& matrix = at.matrix;
  const size_t out = matrix.size(0), in = matrix.size(1), kernel = matrix.size(2);
  const size_t small = PhaseKernel(kernel);
  const auto side = static_cast<int64_t>(small);
  FloatMatrix phases{{4 * matrix.shape[1], matrix.shape[0], side, side},
                     std::vector<float>(4 * in * out * small * small)};
  size_t place = 0;
  for (size_t i = 0; i < 4 * in; ++i) {  // [channel][row][column], as pixel_shuffle has them
    for (size_t o = 0; o < out; ++o) {
      const float* taps = matrix.values.data() + (o * in + i / 4) * kernel * kernel;
      for (size_t ky = 0; ky < small; ++ky) {
        for (size_t kx = 0; kx < small; ++kx, ++place) {
          const std::optional<size_t> row = TapOfPhase(kernel, i / 2 % 2, ky);
          const std::optional<size_t> column = TapOfPhase(kernel, i % 2, kx);
          if (row && column) phases.values[place] = taps[*row * kernel + *column];
        }
      }
    }
  }
  const NamedTensor made = builder->Add("conv2d", {at.gradient}, 4 * at.input().channels,
                                        {{"weight", builder->AddWeight(phases)}},
                                        {{"stride", 1}, {"padding", side / 2}});
  return builder->Add("pixel_shuffle", {made}, at.input().channels, {}, {{"factor", 2}});
}

void Backward(const GradientNode& at, GradientBuilder* builder) {
  builder->Collect(at.input(), Of(at.node).stride == 1 ? BackwardPlain(at, builder)
                                                       : BackwardStrided(at, builder));
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
    .derivative = Derivative::Of(Backward),
    .read = Read,
    .check = Check,
    .check_forms = AnyForms,
    .window = WindowOf,
    .sources = Sources,
    .plan = Plan,
};

}  // namespace glint::ops
