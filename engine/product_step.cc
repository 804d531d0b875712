#include "engine/product_step.h"

#include <algorithm>

#include "engine/rate.h"
#include "kernels/targets.h"

namespace glint {

ProductStep::ProductStep(const PlanContext& context, const Node& node)
    : Step(context, node),
      integer_(IsInteger(node.precision)),
      float16_(node.precision == Precision::kF16) {}

// Products of floats are stored as floats or float16, those of integers as floats or integers. Only
// floats can be stored where there is no epilogue.
bool ProductStep::Stores(kernels::Element element) const {
  if (element == kernels::Element::kF32) return true;
  return kernels::IsInteger(element) == integer_ && !Epilogue().empty();
}

// The order of the kernels' epilogue. Where rows are made in groups there is none.
std::vector<Slot> ProductStep::Epilogue() const {
  if (window.rows.group() > 1) return {};
  return {Slot::kResidual, Slot::kActivation, Slot::kFactors};
}

bool ProductStep::Adds(kernels::Element element) const {
  return integer_ ? element != kernels::Element::kF16 : !kernels::IsInteger(element);
}

void ProductStep::Fuse(const Node& node) {
  if (node.op->fusion->slot == Slot::kActivation) activation_ = &node;
  if (node.op->fusion->slot == Slot::kFactors) factors_ = &node;
}

std::string ProductStep::Notes() const {
  std::string notes;
  for (const Node* node : {activation_, factors_}) {
    if (node != nullptr) notes += " " + std::string(node->op->name);
  }
  return notes;
}

std::string ProductStep::PrecisionText(kernels::Element input, bool float16_sums) const {
  if (integer_) return input == kernels::Element::kU8 ? "u8 " : "i16 ";
  return !float16_ ? "" : float16_sums ? "f16 sums " : "f16 ";
}

std::vector<int16_t> ProductStep::ReadIntegers(const PlanContext& context, const Node& node) {
  return ReadAsInt16(*context.model.tensor(node.weights.at(node.matrix->role)));
}

std::vector<float> ProductStep::ReadMatrix(const PlanContext& context, const Node& node) {
  std::vector<float> factors;
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    const PlanTensor& tensor = context.input(i);
    std::vector<float> own(tensor.channels, 1.0f);
    if (tensor.quantisation != nullptr) {
      own = ReadFactors(context.model, *tensor.quantisation, tensor.channels);
    }
    factors.insert(factors.end(), own.begin(), own.end());
  }
  if (node.matrix->squares) {
    for (float& factor : factors) factor *= factor;
  }
  std::vector<float> matrix = context.Weight(node, node.matrix->role);
  if (std::all_of(factors.begin(), factors.end(), [](float f) { return f == 1.0f; })) return matrix;
  for (size_t i = 0; i < matrix.size(); ++i) matrix[i] *= factors[node.matrix->InputOf(i)];
  return matrix;
}

kernels::Element ProductStep::KeptAs(const Node& node) {
  return node.precision == Precision::kF16 && kernels::HasFastFloat16() ? kernels::Element::kF16
                                                                        : kernels::Element::kF32;
}

float ProductStep::MostInput(const PlanContext& context, const Node& node) {
  const bool is_float16 =
      node.precision == Precision::kF16 && context.input(0).element == kernels::Element::kF16;
  if (!is_float16 || !kernels::HasFastFloat16Sums()) return 0.0f;
  int most = 0;
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    most = std::max(most, context.input(i).quantisation->max);
  }
  return static_cast<float>(most);
}

void ProductStep::SetScales(const PlanContext& context, const Node& node) {
  squares_ = node.matrix->squares;
  const std::vector<float> scale = context.Weight(node, "scale");
  const std::vector<float> add = context.Weight(node, node.matrix->bias);
  const size_t channels = node.matrix->outputs;
  scale_.assign(kernels::PaddedChannels(channels), 0.0f);
  bias_.assign(scale_.size(), 0.0f);
  std::copy_n(scale.begin(), channels, scale_.begin());
  std::copy(add.begin(), add.end(), bias_.begin());
}

ProductConstants::ProductConstants(const ProductStep& step, const PictureTensors& tensors)
    : step_(step), t_(tensors), scale_(step.scale_.size()) {
  if (step.activation_ != nullptr) {
    epilogue_.leaky_relu = true;
    epilogue_.slope = step.activation_->op->fusion->slope(*step.activation_);
  }
  if (step.factors_ != nullptr) {
    factors_ = step.factors_->op->fusion->factors(t_.model(), *step.factors_, t_.t());
  }
  epilogue_.scale = scale_.data();
  epilogue_.bias = step.bias_.data();  // integer sums; those of floats have theirs already
  const int added = step.Added();
  if (added >= 0) {
    const PlanTensor& tensor = t_.tensor(added);
    epilogue_.residual = tensor.element;
    epilogue_.residual_zero = static_cast<float>(tensor.zero());
    epilogue_.residual_scale = t_.scales(added).scale.data();
  }
  const PlanTensor& output = t_.tensor(step.output);
  epilogue_.out = output.element;
  if (output.quantisation != nullptr) {
    epilogue_.low = static_cast<float>(output.quantisation->low());
    epilogue_.high = static_cast<float>(output.quantisation->high());
    epilogue_.zero = static_cast<float>(output.zero());
  }
  Evaluate();
}

// Evaluates what depends on the rate and on the scale of the input.
void ProductConstants::Evaluate() {
  double in_scale = t_.scale(step_.inputs[0]);
  if (step_.squares_) in_scale *= in_scale;
  for (size_t c = 0; c < scale_.size(); ++c) {
    scale_[c] = static_cast<float>(in_scale * static_cast<double>(step_.scale_[c]));
  }
  const std::vector<float>& inverse = t_.scales(step_.output).inverse;
  if (factors_.empty() && inverse.empty()) return;
  const size_t channels = t_.tensor(step_.output).channels;
  gain_.assign(kernels::PaddedChannels(channels), 0.0f);
  for (size_t c = 0; c < channels; ++c) {
    gain_[c] = factors_.empty()  ? inverse[c]
               : inverse.empty() ? factors_[c]
                                 : factors_[c] * inverse[c];
  }
  epilogue_.gain = gain_.data();
}

}  // namespace glint
