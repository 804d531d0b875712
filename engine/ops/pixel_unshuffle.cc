// Positions to channels: factor x factor positions of the input become factor^2 channels of one
// position. Values are moved as they are, so no kernel computes anything.

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "engine/gradient_builder.h"
#include "engine/json.h"
#include "engine/node_check.h"
#include "engine/ops/shuffle.h"
#include "engine/ops/table.h"
#include "engine/picture_tensors.h"
#include "engine/step.h"

namespace glint::ops {
namespace {

struct UnshuffleAttributes final : Attributes {
  int factor = 2;
};

int FactorOf(const Node& node) {
  return static_cast<const UnshuffleAttributes&>(*node.attributes).factor;
}

Status Read(ObjectReader* reader, Node* node) {
  auto attributes = std::make_shared<UnshuffleAttributes>();
  GLINT_TRY(ReadShuffleFactor(reader, &attributes->factor));
  node->attributes = std::move(attributes);
  return Status::Ok();
}

Result<int64_t> Check(const NodeCheck& check) {
  return check.channels(0) * FactorOf(check.node()) * FactorOf(check.node());
}

Window WindowOf(const Node& node, const TensorView* /*matrix*/) {
  Window window;
  window.rows.kernel = window.rows.stride = FactorOf(node);
  window.columns = window.rows;
  return window;
}

class UnshuffleStep final : public Step {
 public:
  using Step::Step;
  std::string Kernel() const override {
    return "pixel_unshuffle /" + std::to_string(window.rows.stride);
  }
  std::unique_ptr<StepRun> Start(PictureTensors* tensors) const override;
};

class UnshuffleRun final : public RowwiseRun {
 public:
  UnshuffleRun(const UnshuffleStep& step, PictureTensors* tensors) : step_(step), t_(*tensors) {}

  // Output pixel by output pixel, through floats. Beyond the input there are zeros.
  void RunRow(int64_t r, size_t worker) override {
    const int input = step_.inputs[0], output = step_.output;
    const auto factor = static_cast<size_t>(step_.window.rows.stride);
    const size_t channels = t_.tensor(input).channels, width = t_.width(input);
    const uint8_t* rows[kMostShuffle];
    for (size_t down = 0; down < factor; ++down) {
      rows[down] =
          t_.RowOrZero(input, r * static_cast<int64_t>(factor) + static_cast<int64_t>(down));
    }
    uint8_t* out = t_.WriteRow(output, r);
    float* from = t_.scratch(worker);
    float* to = from + t_.pixel_floats();
    for (size_t x = 0; x < t_.Pixels(output, r); ++x) {
      for (size_t down = 0; down < factor; ++down) {
        for (size_t right = 0; right < factor; ++right) {
          const size_t column = x * factor + right;
          if (column < width) {
            t_.Load(input, rows[down] + column * t_.bytes(input), 1, from);
          } else {
            std::memset(from, 0, channels * sizeof(float));
          }
          for (size_t c = 0; c < channels; ++c) to[(c * factor + down) * factor + right] = from[c];
        }
      }
      t_.Store(output, to, 1, out + x * t_.bytes(output));
    }
  }

 private:
  const UnshuffleStep& step_;
  PictureTensors& t_;
};

std::unique_ptr<StepRun> UnshuffleStep::Start(PictureTensors* tensors) const {
  return std::make_unique<UnshuffleRun>(*this, tensors);
}

void Backward(const GradientNode& at, GradientBuilder* builder) {
  builder->Collect(at.input(), builder->Add("pixel_shuffle", {at.gradient}, at.input().channels, {},
                                            {{"factor", FactorOf(at.node)}}));
}

}  // namespace

constinit const Op kPixelUnshuffle = {
    .name = "pixel_unshuffle",
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
    .plan = PlanStep<UnshuffleStep>,
};

}  // namespace glint::ops
