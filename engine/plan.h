// The inside of a Plan: steps with packed kernels over numbered tensors. Built by plan.cc, run by
// executor.cc. Internal to engine/. Immutable after Plan::Make.
#ifndef GLINT_ENGINE_PLAN_H_
#define GLINT_ENGINE_PLAN_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/row_math.h"
#include "kernels/conv.h"
#include "kernels/gdn.h"

namespace glint {

struct PlanTensor {
  std::string name;
  size_t channels = 0;
  int input = -1;        // index of the graph input, or -1
  bool compact = false;  // only the wanted checkerboard positions, side by side
  int storage = 0;       // tensor whose ring this one lives in (itself, unless computed in place)
  size_t halo = 0;       // zero pixels that its readers need on either side
  // How it is kept: kF32 without a quantisation, else that of the model or, for bytes on targets
  // whose byte products are slow, int16 with q - zero, which gives the same sums.
  kernels::Element element = kernels::Element::kF32;
  const Quantisation* quantisation = nullptr;  // in the model's document
  int zero() const { return element == kernels::Element::kU8 ? quantisation->zero : 0; }
  bool dynamic() const { return quantisation != nullptr && quantisation->dynamic; }
};

enum class StepKind { kConv, kGdn, kLeakyRelu, kAdd, kGain, kConcat, kConvert, kDigits };

struct PlanStep {
  StepKind kind = StepKind::kConv;
  std::string name;         // fused nodes, joined by '+'
  std::vector<int> inputs;  // kConv: its sources
  int output = 0;
  int residual = -1;        // kConv: tensor added to the sums
  bool leaky_relu = false;  // kConv: fused activation; kLeakyRelu: the step itself
  float slope = 0;
  bool half = false;               // the node's precision is f16
  const Node* digits = nullptr;    // kDigits: the node
  const Node* gain = nullptr;      // fused or own ScalingNet
  std::vector<float> scale, bias;  // integer products: of the weights, per output channel; of sums
  std::optional<kernels::Conv> conv;
  std::optional<kernels::Gdn> gdn;
  RowRule rows;               // of its inputs; a residual is read at the output's row
  double macs_per_pixel = 0;  // of the step's output (compact: per position)

  bool transposed() const {
    return conv && conv->spec().kind == kernels::ConvSpec::Kind::kTranspose;
  }
  bool paired_rows() const { return conv && conv->spec().paired_rows(); }
  bool integer() const {
    return (conv && kernels::IsInteger(conv->input())) || (gdn && kernels::IsInteger(gdn->input()));
  }
  std::string KernelName() const;
};

class PlanImpl final : public Plan {
 public:
  size_t input_count() const override { return input_tensors.size(); }
  size_t input_channels(size_t input) const override {
    return tensors[static_cast<size_t>(input_tensors[input])].channels;
  }
  size_t output_channels() const override {
    return tensors[static_cast<size_t>(output_tensor)].channels;
  }
  Parity parity() const override { return wanted; }
  size_t input_halo(size_t input) const override {
    return tensors[static_cast<size_t>(input_tensors[input])].halo;
  }
  const Quantisation* input_quantisation(size_t input) const override {
    return tensors[static_cast<size_t>(input_tensors[input])].quantisation;
  }
  const Quantisation* output_quantisation() const override {
    return tensors[static_cast<size_t>(output_tensor)].quantisation;
  }
  bool whole_picture() const override { return whole; }
  size_t packed_bytes() const override;
  std::string Describe() const override;

  const ModelFile* model = nullptr;    // for the gains' weights; outlives the plan
  TensorObserver* observer = nullptr;  // or nobody
  std::string graph_name;
  NumericClass numeric_class = NumericClass::kClose;
  Parity wanted = Parity::kAll;
  bool whole = false;  // some tensor is dynamic
  std::vector<PlanTensor> tensors;
  std::vector<int> input_tensors;
  int output_tensor = 0;
  std::vector<PlanStep> steps;
};

}  // namespace glint

#endif  // GLINT_ENGINE_PLAN_H_
