// Generalised divisive normalisation, over the channels of each position.

#include "kernels/gdn.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/json.h"
#include "engine/node_check.h"
#include "engine/ops/table.h"
#include "engine/product_step.h"

namespace glint::ops {
namespace {

struct GdnAttributes final : Attributes {
  bool inverse = false;
  bool squares = false;  // sqrt(beta + gamma x^2) instead of beta + gamma |x|
};

const GdnAttributes& Of(const Node& node) {
  return static_cast<const GdnAttributes&>(*node.attributes);
}

Status Read(ObjectReader* reader, Node* node) {
  auto attributes = std::make_shared<GdnAttributes>();
  size_t form = 0;
  GLINT_TRY(reader->Choice("form", {"abs", "sqrt"}, &form));
  attributes->squares = form == 1;
  GLINT_TRY(reader->Bool("inverse", &attributes->inverse));
  node->attributes = std::move(attributes);
  return Status::Ok();
}

// Whether one of its values is out of range, and which. Values are finite.
template <typename IsWanted>
std::string Unwanted(const TensorView& weight, const IsWanted& is_wanted) {
  TensorValues values(weight);
  for (size_t i = 0; i < values.size(); ++i) {
    const float value = values[i];
    if (!is_wanted(value)) return "is " + std::to_string(value) + " at " + std::to_string(i);
  }
  return {};
}

Result<int64_t> Check(const NodeCheck& check) {
  const int64_t channels = check.channels(0);
  const TensorView *beta = nullptr, *gamma = nullptr, *scale = nullptr;
  GLINT_TRY(check.FindShaped("beta", {channels}, &beta));
  GLINT_TRY(check.FindShaped("gamma", {channels, channels}, &gamma));
  if (check.HasWeight("scale")) GLINT_TRY(check.FindShaped("scale", {channels}, &scale));
  const std::string low = Unwanted(*beta, [](float value) { return value > 0; });
  if (!low.empty()) return check.FailWeight("beta", low + ", not positive");
  const auto not_negative = [](float value) { return value >= 0; };
  const std::string negative = Unwanted(*gamma, not_negative);
  if (!negative.empty()) return check.FailWeight("gamma", negative + ", which is negative");
  if (scale == nullptr) return channels;
  const std::string shrunk = Unwanted(*scale, not_negative);
  if (!shrunk.empty()) return check.FailWeight("scale", shrunk + ", which is negative");
  return channels;
}

Matrix MatrixOf(const Node& node, const TensorView& gamma) {
  Matrix matrix;
  matrix.bias = "beta";
  matrix.outputs = static_cast<size_t>(gamma.shape[0]);
  matrix.inputs = static_cast<size_t>(gamma.shape[1]);
  matrix.sum = Of(node).inverse ? Matrix::Sum::kMultiplies : Matrix::Sum::kDivides;
  matrix.squares = Of(node).squares;
  return matrix;
}

class GdnStep final : public ProductStep {
 public:
  GdnStep(const PlanContext& context, const Node& node)
      : ProductStep(context, node), gdn_(Make(context, node)) {
    if (integer()) SetScales(context, node);
    macs_per_pixel = gdn_.MacsPerPixel();
  }
  const kernels::Gdn& gdn() const { return gdn_; }

  std::string Kernel() const override { return PrecisionText(gdn_.input(), false) + "gdn"; }
  std::vector<Slot> Epilogue() const override { return {Slot::kFactors}; }
  size_t ScratchFloats() const override { return gdn_.ScratchFloats(); }
  size_t PackedBytes() const override { return gdn_.packed_bytes(); }
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override;

 protected:
  int Added() const override { return inputs[0]; }  // x itself

 private:
  static kernels::Gdn Make(const PlanContext& context, const Node& node) {
    const PlanTensor& input = context.input(0);
    const size_t channels = node.matrix->outputs;
    const bool inverse = Of(node).inverse;
    const auto form = Of(node).squares ? kernels::Gdn::Form::kSqrt : kernels::Gdn::Form::kAbs;
    if (IsInteger(node.precision)) {
      return {channels,     form,    input.element,
              input.zero(), inverse, ReadIntegers(context, node).data()};
    }
    return {channels,
            form,
            inverse,
            context.Weight(node, "beta").data(),
            ReadMatrix(context, node).data(),
            input.element,
            KeptAs(node)};
  }

  const kernels::Gdn gdn_;
};

class GdnRun final : public RowwiseRun {
 public:
  GdnRun(const GdnStep& step, PictureTensors* tensors)
      : step_(step), t_(*tensors), constants_(step, *tensors) {}

  void Prepare() override { constants_.Renew(); }
  void RunRow(int64_t r, size_t worker) override {
    const int output = step_.output;
    const PictureTensors::Positions in = t_.At(step_.inputs[0], output, r);
    step_.gdn().Run(in.data, in.stride, t_.WriteRow(output, r), t_.stride(output),
                    t_.Pixels(output, r), constants_.epilogue(), t_.scratch(worker));
  }

 private:
  const GdnStep& step_;
  PictureTensors& t_;
  ProductConstants constants_;
};

std::unique_ptr<StepRun> GdnStep::Start(PictureTensors* tensors) const {
  return std::make_unique<GdnRun>(*this, tensors);
}

constexpr const char* kRoles[] = {"beta", "gamma"};

// norm as it is, so that it is summed once.
std::vector<NamedTensor> Forward(const GradientNode& at, GradientBuilder* builder) {
  if (!Of(at.node).inverse || Of(at.node).squares) return {};
  const NamedTensor& x = at.input();
  const NamedTensor norm = builder->Product(builder->Add("abs", {x}, x.channels), at.matrix,
                                            builder->Values(at.node.weights.at("beta")));
  builder->Make(at.output, "multiply", {x, norm});
  return {norm};
}

// v / norm: a gdn of v and x side by side, whose norms are sums over x.
NamedTensor Divided(const GradientNode& at, const NamedTensor& v, GradientBuilder* builder) {
  const auto channels = static_cast<size_t>(v.channels);
  std::vector<float> beta = builder->Values(at.node.weights.at("beta"));
  beta.resize(2 * channels, 1.0f);
  FloatMatrix gamma{{2 * v.channels, 2 * v.channels}, std::vector<float>(4 * channels * channels)};
  for (size_t i = 0; i < channels; ++i) {
    std::copy_n(at.matrix.values.data() + i * channels, channels,
                gamma.values.data() + i * 2 * channels + channels);
  }
  const NamedTensor both = builder->Add(
      "gdn", {builder->Beside({v, at.input()})}, 2 * v.channels,
      {{"beta", builder->AddWeight({2 * v.channels}, beta)}, {"gamma", builder->AddWeight(gamma)}},
      {{"inverse", false}, {"form", Of(at.node).squares ? "sqrt" : "abs"}});
  return builder->Slice(both, 0, v.channels);
}

// With y = x norm or x / norm, and norm = beta + gamma |x| or the root of beta + gamma x^2.
void Backward(const GradientNode& at, GradientBuilder* builder) {
  const bool squares = Of(at.node).squares, inverse = Of(at.node).inverse;
  const NamedTensor &x = at.input(), &y = at.output, &g = at.gradient;
  NamedTensor direct;   // with norm as a constant
  NamedTensor of_norm;  // gradient of norm; where it is a root, of its square, twice
  if (inverse && !squares) {
    direct = builder->Multiply(g, at.kept[0]);
    of_norm = builder->Multiply(g, x);
  } else if (inverse) {
    const NamedTensor quotient = Divided(at, g, builder);
    const NamedTensor square =
        builder->Product(builder->Multiply(x, x), at.matrix,
                         builder->Values(at.node.weights.at("beta")));  // of norm
    direct = builder->Multiply(quotient, square);
    of_norm = builder->Multiply(quotient, x);
  } else {
    direct = Divided(at, g, builder);
    const NamedTensor less = builder->Scaled(builder->Multiply(direct, y), -1);
    of_norm = squares ? Divided(at, less, builder) : less;
  }
  builder->Collect(x, direct);
  const NamedTensor of_terms = builder->Product(of_norm, at.matrix.Transposed());
  builder->Collect(x, builder->Multiply(of_terms, squares ? x : builder->Switch(x, -1, 1)));
}

}  // namespace

constinit const Op kGdn = {
    .name = "gdn",
    .inputs = InputCount{1, 1},
    .weights = WeightRoles{kRoles, {}},
    .matrix = MatrixRole("gamma", MatrixOf),
    .classes = Classes::kCloseOnly,
    .placement = Placement::kMayOverwrite,
    .fusion = kNotFused,
    .derivative = Derivative::Of(Forward, Backward),
    .read = Read,
    .check = Check,
    .check_forms = AnyForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<GdnStep>,
};

}  // namespace glint::ops
