// int16 to bytes of sixteen times the scale, some channels in two digits (kernels/pointwise.h).

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/json.h"
#include "engine/node_check.h"
#include "engine/ops/table.h"
#include "engine/picture_tensors.h"
#include "engine/step.h"
#include "kernels/pointwise.h"

namespace glint::ops {
namespace {

struct DigitsAttributes final : Attributes {
  std::vector<int> low, coarse;  // channels of the input that have one more
};

const DigitsAttributes& Of(const Node& node) {
  return static_cast<const DigitsAttributes&>(*node.attributes);
}

Status ReadChannels(ObjectReader* reader, const char* key, std::vector<int>* out) {
  const Json::Array* channels = nullptr;
  GLINT_TRY(reader->Array(key, 0, kMaxChannels, &channels));
  for (const Json& channel : *channels) {
    if (!channel.is_integer()) return reader->Fail(std::string(key) + " are not channels");
    const int64_t value = channel.integer();
    if (value < 0 || value >= kMaxChannels) {
      return reader->Fail(std::string(key) + " has channel " + std::to_string(value));
    }
    out->push_back(static_cast<int>(value));
  }
  return Status::Ok();
}

Status Read(ObjectReader* reader, Node* node) {
  auto attributes = std::make_shared<DigitsAttributes>();
  GLINT_TRY(ReadChannels(reader, "low", &attributes->low));
  GLINT_TRY(ReadChannels(reader, "coarse", &attributes->coarse));
  node->attributes = std::move(attributes);
  return Status::Ok();
}

Result<int64_t> Check(const NodeCheck& check) {
  int64_t channels = check.channels(0);
  for (const std::vector<int>* list : {&Of(check.node()).low, &Of(check.node()).coarse}) {
    for (const int channel : *list) {
      if (channel < check.channels(0)) continue;
      return check.Fail("its input has no channel " + std::to_string(channel));
    }
    channels += static_cast<int64_t>(list->size());
  }
  return channels;
}

// Whether all readers of the output are products of bytes, which read it as their first input.
bool IsReadByBytesAlone(const NodeCheck& check) {
  const std::string& output = check.node().output;
  if (output == check.graph().output) return false;
  return std::all_of(check.graph().nodes.begin(), check.graph().nodes.end(), [&](const Node& node) {
    const auto other = std::find(node.inputs.begin() + 1, node.inputs.end(), output);
    return (node.precision == Precision::kI8 || node.inputs[0] != output) &&
           other == node.inputs.end();
  });
}

// Checks how input and output are kept: int16, and bytes of sixteen times the scale.
Status CheckForms(const NodeCheck& check) {
  const Node& node = check.node();
  const Quantisation *in = check.FormOf(node.inputs[0]), *out = check.FormOf(node.output);
  if (in == nullptr || in->element != kernels::Element::kI16 || in->dynamic) {
    return check.Fail("its input " + Quote(node.inputs[0]) + " is not kept as i16 of given scales");
  }
  if (out == nullptr || out->element != kernels::Element::kU8 || !out->factor.empty()) {
    return check.Fail("its output is not kept as u8 without factors");
  }
  std::vector<double> scales = in->scales;
  for (double& scale : scales) scale *= kernels::kDigit;
  if (out->scales != scales) {
    return check.Fail("the scales of its output are not 16 times those of its input");
  }
  constexpr int kRoom = kernels::kDigit / 2;
  if (!Of(node).low.empty() && (out->zero < kRoom || out->zero > 256 - kRoom)) {
    return check.Fail("zero is " + std::to_string(out->zero) + ", too near an end for low digits");
  }
  if (IsReadByBytesAlone(check)) return Status::Ok();
  return check.Fail("its output is read by something else than products of precision i8");
}

class DigitsStep final : public Step {
 public:
  DigitsStep(const PlanContext& context, const Node& node)
      : Step(context, node), attributes_(Of(node)) {}
  const DigitsAttributes& attributes() const { return attributes_; }
  std::string Kernel() const override { return "digits"; }
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override;

 private:
  const DigitsAttributes& attributes_;
};

class DigitsRun final : public RowwiseRun {
 public:
  DigitsRun(const DigitsStep& step, PictureTensors* tensors) : step_(step), t_(*tensors) {
    const PlanTensor& output = t_.tensor(step.output);
    digits_.channels = t_.tensor(step.inputs[0]).channels;
    digits_.low_of = &step.attributes().low;
    digits_.coarse_of = &step.attributes().coarse;
    digits_.low = output.quantisation->low();
    digits_.high = output.quantisation->high();
    digits_.zero = output.zero();
  }

  void RunRow(int64_t r, size_t /*worker*/) override {
    const int output = step_.output;
    const PictureTensors::Positions in = t_.At(step_.inputs[0], output, r);
    kernels::SplitDigits(static_cast<const int16_t*>(static_cast<const void*>(in.data)), in.stride,
                         t_.tensor(output).element, t_.WriteRow(output, r), t_.stride(output),
                         t_.Pixels(output, r), digits_);
  }

 private:
  const DigitsStep& step_;
  PictureTensors& t_;
  kernels::Digits digits_;
};

std::unique_ptr<StepRun> DigitsStep::Start(PictureTensors* tensors) const {
  return std::make_unique<DigitsRun>(*this, tensors);
}

// A low digit has a sixteenth of its channel's numbers, which say nothing new.
std::vector<Column> Columns(const Node& node, size_t channels) {
  std::vector<Column> columns;
  for (size_t c = 0; c < channels; ++c) columns.push_back({c, 1.0f});
  for (const int c : Of(node).low) columns.push_back({static_cast<size_t>(c), 0.0f});
  for (const int c : Of(node).coarse) columns.push_back({static_cast<size_t>(c), 1.0f / 16});
  return columns;
}

}  // namespace

constinit const Op kDigits = {
    .name = "digits",
    .inputs = InputCount{1, 1},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kOfItsOwn,
    .fusion = kNotFused,
    .derivative = Derivative::OfDigits(Columns),
    .read = Read,
    .check = Check,
    .check_forms = CheckForms,
    .window = Pointwise,
    .sources = OneSource,
    .plan = PlanStep<DigitsStep>,
};

}  // namespace glint::ops
