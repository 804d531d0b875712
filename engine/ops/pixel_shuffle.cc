// Channels to positions: factor^2 channels of an input position become factor x factor positions of
// the output. Values are moved as they are, so no kernel computes anything.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/gradient_builder.h"
#include "engine/json.h"
#include "engine/node_check.h"
#include "engine/ops/shuffle.h"
#include "engine/ops/table.h"
#include "engine/picture_tensors.h"
#include "engine/step.h"

namespace glint::ops {
namespace {

struct ShuffleAttributes final : Attributes {
  int factor = 2;
  // The channels of an input position: [channel][row][column], else [row][column][channel].
  bool channel_first = true;
};

const ShuffleAttributes& Of(const Node& node) {
  return static_cast<const ShuffleAttributes&>(*node.attributes);
}

Status Read(ObjectReader* reader, Node* node) {
  auto attributes = std::make_shared<ShuffleAttributes>();
  GLINT_TRY(ReadShuffleFactor(reader, &attributes->factor));
  if (reader->Has("order")) {
    size_t order = 0;
    GLINT_TRY(reader->Choice("order", {"crd", "dcr"}, &order));
    attributes->channel_first = order == 0;
  }
  node->attributes = std::move(attributes);
  return Status::Ok();
}

Result<int64_t> Check(const NodeCheck& check) {
  const int64_t parts = int64_t{Of(check.node()).factor} * Of(check.node()).factor;
  if (check.channels(0) % parts == 0) return check.channels(0) / parts;
  return check.Fail("its input has " + std::to_string(check.channels(0)) +
                    " channels, no multiple of " + std::to_string(parts));
}

Window WindowOf(const Node& node, const TensorView* /*matrix*/) {
  Window window;
  window.rows.kernel = window.rows.stride = Of(node).factor;
  window.rows.transposed = true;
  window.columns = window.rows;
  return window;
}

class ShuffleStep final : public Step {
 public:
  ShuffleStep(const PlanContext& context, const Node& node)
      : Step(context, node), channel_first_(Of(node).channel_first) {}
  bool channel_first() const { return channel_first_; }
  std::string Kernel() const override {
    return "pixel_shuffle x" + std::to_string(window.rows.stride);
  }
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override;

 private:
  const bool channel_first_;
};

class ShuffleRun final : public RowwiseRun {
 public:
  ShuffleRun(const ShuffleStep& step, PictureTensors* tensors) : step_(step), t_(*tensors) {}

  // Pixel by pixel, through floats: of the input once, of the output `factor` times.
  void RunRow(int64_t r, size_t worker) override {
    const int input = step_.inputs[0], output = step_.output;
    const auto factor = static_cast<size_t>(step_.window.rows.stride);
    const size_t down = static_cast<size_t>(r) % factor;
    const size_t channels = t_.tensor(output).channels, pixels = t_.Pixels(output, r);
    const uint8_t* in = t_.Row(input, r / static_cast<int64_t>(factor));
    uint8_t* out = t_.WriteRow(output, r);
    float* from = t_.scratch(worker);
    float* to = from + t_.pixel_floats();
    const bool channel_first = step_.channel_first();
    const size_t apart = channel_first ? factor * factor : 1;
    for (size_t x = 0; x < pixels; ++x) {
      const size_t right = x % factor;
      if (right == 0) t_.Load(input, in + x / factor * t_.bytes(input), 1, from);
      const float* first = from + (down * factor + right) * (channel_first ? 1 : channels);
      for (size_t c = 0; c < channels; ++c) to[c] = first[c * apart];
      t_.Store(output, to, 1, out + x * t_.bytes(output));
    }
  }

 private:
  const ShuffleStep& step_;
  PictureTensors& t_;
};

std::unique_ptr<StepRun> ShuffleStep::Start(PictureTensors* tensors) const {
  return std::make_unique<ShuffleRun>(*this, tensors);
}

// pixel_unshuffle, which has channels first.
void Backward(const GradientNode& at, GradientBuilder* builder) {
  const int factor = Of(at.node).factor, parts = factor * factor;
  NamedTensor gradient =
      builder->Add("pixel_unshuffle", {at.gradient}, at.input().channels, {}, {{"factor", factor}});
  if (!Of(at.node).channel_first) {
    std::vector<std::optional<int>> channels;
    for (int part = 0; part < parts; ++part) {
      for (int c = 0; c < at.output.channels; ++c) channels.emplace_back(c * parts + part);
    }
    gradient = builder->Picked(gradient, channels);
  }
  builder->Collect(at.input(), gradient);
}

}  // namespace

constinit const Op kPixelShuffle = {
    .name = "pixel_shuffle",
    .inputs = InputCount{1, 1},
    .weights = kNoWeights,
    .matrix = kNoMatrix,
    .classes = Classes::kCloseAndExact,
    .placement = Placement::kOfItsOwn,
    .fusion = kNotFused,
    .derivative = Derivative::Of(Backward),
    .read = Read,
    .check = Check,
    .check_forms = AnyForms,
    .window = WindowOf,
    .sources = OneSource,
    .plan = PlanStep<ShuffleStep>,
};

}  // namespace glint::ops
