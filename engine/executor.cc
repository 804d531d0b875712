// The band executor: before anything is allocated the schedule is run on row numbers alone
// (schedule.h), which gives every ring its capacity; after that Advance touches no allocator.

#include "engine/executor.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "engine/plan.h"
#include "engine/rate.h"
#include "engine/schedule.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

using Clock = std::chrono::steady_clock;

// What `steps` says of each channel, for several pixels that follow each other.
void Repeat(size_t channels, std::vector<float>* steps) {
  if (steps->empty()) return;
  const size_t pixels = PixelsAtOnce(channels);
  steps->resize(std::max(steps->size(), pixels * channels));
  for (size_t i = channels; i < pixels * channels; ++i) (*steps)[i] = (*steps)[i - channels];
}

class ExecutorImpl final : public Executor {
 public:
  ExecutorImpl(std::shared_ptr<const Plan> plan, const ExecutorOptions& options)
      : owner_(std::move(plan)), plan_(static_cast<const PlanImpl&>(*owner_)), options_(options) {}

  Status Init(const std::vector<BoundInput>& inputs, RowRing* output) {
    GLINT_ASSIGN(ExecutorMemory memory, PlanExecutorMemory(plan_, options_, inputs, output));
    GLINT_TRY(schedule_.Init(plan_, options_));
    rings_.resize(plan_.tensors.size());
    views_.resize(plan_.tensors.size());
    for (size_t i = 0; i < rings_.size(); ++i) {
      if (memory.layouts[i].capacity > 0) GLINT_TRY(rings_[i].Allocate(memory.layouts[i]));
    }
    const size_t out = static_cast<size_t>(plan_.output_tensor);
    for (size_t i = 0; i < views_.size(); ++i) {
      const size_t storage = static_cast<size_t>(plan_.tensors[i].storage);
      views_[i].ring = &rings_[storage];
      views_[i].user = {&plan_.graph_name, &plan_.tensors[i].name};
      if (output != nullptr && storage == static_cast<size_t>(plan_.tensors[out].storage)) {
        views_[i].ring = output;
      }
    }
    for (size_t i = 0; i < inputs.size() && i < plan_.input_tensors.size(); ++i) {
      if (inputs[i].ring == nullptr) continue;
      View& view = views_[static_cast<size_t>(plan_.input_tensors[i])];
      view.ring = const_cast<RowRing*>(inputs[i].ring);  // steps never write their graph's inputs
      view.offset = inputs[i].channel_offset;
    }
    if (!scratch_.Allocate(memory.scratch_floats * std::max<size_t>(1, options_.runner.workers))) {
      return Status::Error(StatusCode::kLimit, "out of memory");
    }
    scratch_floats_ = memory.scratch_floats;
    pixel_floats_ = memory.pixel_floats;
    conv_rows_.resize(memory.most_rows);
    for (const PlanTensor& tensor : plan_.tensors) {
      steps_of_.push_back(
          tensor.quantisation == nullptr
              ? ChannelSteps()
              : EvaluateSteps(*plan_.model, *tensor.quantisation, tensor.channels, options_.t));
      Repeat(tensor.channels, &steps_of_.back().step);
      Repeat(tensor.channels, &steps_of_.back().inverse);
      factors_.push_back(tensor.dynamic()
                             ? ReadFactors(*plan_.model, *tensor.quantisation, tensor.channels)
                             : std::vector<float>());
    }
    for (const PlanStep& step : plan_.steps) {
      gains_.push_back(step.gain == nullptr ? std::vector<float>()
                                            : EvaluateGain(*plan_.model, *step.gain, options_.t));
      profile_.push_back({step.name, step.KernelName(), 0, 0});
    }
    constants_.resize(plan_.steps.size());
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const PlanStep& step = plan_.steps[s];
      const Quantisation* input = TensorOf(step.inputs[0]).quantisation;
      SetConstants(s, step.integer() ? EvaluateStep(*input, options_.t) : 1.0);
    }
    return Status::Ok();
  }

  size_t out_width() const override { return schedule_.out_width(); }
  long out_height() const override { return schedule_.out_height(); }

  long end() const override { return schedule_.end(); }
  long next_end() const override { return schedule_.next_end(); }
  long InputEnd() const override { return schedule_.InputEnd(); }

  void WriteInput(size_t input, long r, const float* values) override {
    const int id = plan_.input_tensors[input];
    const PlanTensor& tensor = TensorOf(id);
    uint8_t* row = ViewOf(id).WriteRow(r);
    if (tensor.quantisation == nullptr) {
      std::memcpy(row, values, options_.in_width * tensor.channels * sizeof(float));
      return;
    }
    const size_t at_once = IsGapless(id, ViewOf(id).bytes()) ? PixelsAtOnce(tensor.channels) : 1;
    for (size_t x = 0; x < options_.in_width; x += at_once) {
      StorePixels(id, values + x * tensor.channels, std::min(at_once, options_.in_width - x),
                  row + x * ViewOf(id).bytes());
    }
  }

  void Advance() override {
    if (plan_.observer != nullptr) ObserveInputs();
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const long begin = schedule_.step_end(s), end = schedule_.need(plan_.steps[s].output);
      if (begin >= end) continue;
      const auto start = options_.profile ? Clock::now() : Clock::time_point();
      RunStep(s, begin, end);
      if (options_.profile) Account(s, end - begin, start);
      if (plan_.observer != nullptr) Observe(plan_.steps[s].output, begin, end);
    }
    schedule_.Advance();
  }

  const float* OutputRow(long r) const override {
    const View& view = ViewOf(plan_.output_tensor);
    return view.ring->Floats(r, view.user);
  }
  size_t output_pixel_stride() const override {
    return views_[static_cast<size_t>(plan_.output_tensor)].ring->pixel_stride();
  }
  const std::vector<StepProfile>& profile() const override { return profile_; }

 private:
  struct View {
    RowRing* ring = nullptr;
    size_t offset = 0;  // channels
    RowUser user;
    uint8_t* WriteRow(long r) const { return ring->WriteRow(r, user) + offset_bytes(); }
    const uint8_t* Row(long r) const { return std::as_const(*ring).Row(r, user) + offset_bytes(); }
    const uint8_t* RowOrZero(long r) const { return ring->RowOrZero(r, user) + offset_bytes(); }
    size_t stride() const { return ring->pixel_stride(); }
    size_t bytes() const { return ring->pixel_bytes(); }
    size_t offset_bytes() const { return offset * kernels::BytesOf(ring->element()); }
  };

  // What the epilogue of a matrix step takes.
  struct StepConstants {
    std::vector<float> scale;  // of sums
    std::vector<float> gain;   // of values on their way out
  };

  // Everything that depends on the rate, and on the step of the input: evaluated once a picture.
  void SetConstants(size_t s, double in_step) {
    const PlanStep& step = plan_.steps[s];
    if (!step.conv && !step.gdn) return;
    StepConstants& constants = constants_[s];
    if (step.integer()) {
      constants.scale.resize(step.scale.size());
      for (size_t c = 0; c < step.scale.size(); ++c) {
        constants.scale[c] = static_cast<float>(in_step * static_cast<double>(step.scale[c]));
      }
    }
    const ChannelSteps& out = steps_of_[static_cast<size_t>(step.output)];
    const std::vector<float>& gain = gains_[s];
    if (gain.empty() && out.inverse.empty()) return;
    const size_t channels = TensorOf(step.output).channels;
    constants.gain.assign(kernels::PaddedChannels(channels), 0.0f);
    for (size_t c = 0; c < channels; ++c) {
      constants.gain[c] = gain.empty()          ? out.inverse[c]
                          : out.inverse.empty() ? gain[c]
                                                : gain[c] * out.inverse[c];
    }
  }

  kernels::Epilogue EpilogueOf(size_t s) const {
    const PlanStep& step = plan_.steps[s];
    kernels::Epilogue epilogue;
    epilogue.leaky_relu = step.leaky_relu;
    epilogue.slope = step.slope;
    const StepConstants& constants = constants_[s];
    epilogue.scale = constants.scale.data();
    epilogue.bias = step.bias.data();  // integer sums; those of floats have theirs already
    epilogue.gain = constants.gain.empty() ? nullptr : constants.gain.data();
    // GDN reads its input twice.
    const int residual = step.gdn ? step.inputs[0] : step.residual;
    if (residual >= 0) {
      const PlanTensor& tensor = TensorOf(residual);
      epilogue.residual = tensor.element;
      epilogue.residual_zero = static_cast<float>(tensor.zero());
      epilogue.residual_scale = steps_of_[static_cast<size_t>(residual)].step.data();
    }
    const PlanTensor& output = TensorOf(step.output);
    epilogue.out = output.element;
    if (output.quantisation != nullptr) {
      epilogue.low = static_cast<float>(output.quantisation->low());
      epilogue.high = static_cast<float>(output.quantisation->high());
      epilogue.zero = static_cast<float>(output.zero());
    }
    return epilogue;
  }

  // Whether pixels of the tensor that are `bytes` apart follow each other.
  bool IsGapless(int id, size_t bytes) const {
    return bytes == TensorOf(id).channels * kernels::BytesOf(TensorOf(id).element);
  }

  // One pixel, or up to PixelsAtOnce of them without gaps.
  void LoadPixels(int id, const uint8_t* from, size_t pixels, float* to) const {
    const PlanTensor& tensor = TensorOf(id);
    if (tensor.quantisation == nullptr) {
      std::memcpy(to, from, pixels * tensor.channels * sizeof(float));
      return;
    }
    kernels::ElementsToFloat(tensor.element, from, to, pixels * tensor.channels,
                             steps_of_[static_cast<size_t>(id)].step.data(),
                             static_cast<float>(tensor.zero()));
  }

  void StorePixels(int id, const float* from, size_t pixels, uint8_t* to) const {
    const PlanTensor& tensor = TensorOf(id);
    if (tensor.quantisation == nullptr) {
      std::memcpy(to, from, pixels * tensor.channels * sizeof(float));
      return;
    }
    kernels::FloatToElements(from, tensor.element, to, pixels * tensor.channels,
                             steps_of_[static_cast<size_t>(id)].inverse.data(),
                             static_cast<float>(tensor.quantisation->low()),
                             static_cast<float>(tensor.quantisation->high()),
                             static_cast<float>(tensor.zero()));
  }

  const View& ViewOf(int tensor) const { return views_[static_cast<size_t>(tensor)]; }
  const PlanTensor& TensorOf(int tensor) const {
    return plan_.tensors[static_cast<size_t>(tensor)];
  }

  size_t WidthOf(int tensor) const {
    return tensor == plan_.output_tensor ? schedule_.out_width() : schedule_.width(tensor);
  }

  // Column of the first wanted position of a row.
  size_t FirstColumn(long r) const {
    const size_t odd = plan_.wanted == Parity::kOdd ? 1 : 0;
    return (static_cast<size_t>(r) & 1) ^ odd;
  }

  size_t PixelsOf(int tensor, long r) const {
    const size_t width = WidthOf(tensor);
    if (!TensorOf(tensor).compact) return width;
    const size_t first = FirstColumn(r);
    return width > first ? (width - first + 1) / 2 : 0;
  }

  void RunStep(size_t s, long begin, long end) {
    const PlanStep& step = plan_.steps[s];
    if (step.kind == StepKind::kConv) {
      RunConv(s, begin, end);
      return;
    }
    if (step.kind == StepKind::kConvert && TensorOf(step.output).dynamic()) FindRange(step);
    ParallelFor(options_.runner, static_cast<size_t>(end - begin), [&](size_t i, size_t worker) {
      const long r = begin + static_cast<long>(i);
      if (step.kind == StepKind::kGdn) {
        RunGdnRow(s, r, worker);
      } else if (step.kind == StepKind::kDigits) {
        RunDigitsRow(step, r);
      } else {
        RunPointwiseRow(s, r, Scratch(worker));
      }
    });
  }

  // From the float tensor, all rows of which are there, the step of the dynamic one; then what
  // depends on it. A maximum is the same in any order.
  void FindRange(const PlanStep& convert) {
    const int from = convert.inputs[0], to = convert.output;
    const size_t channels = TensorOf(from).channels;
    const View& view = ViewOf(from);
    const size_t workers = std::max<size_t>(1, options_.runner.workers);
    for (size_t w = 0; w < workers; ++w) std::fill_n(Scratch(w), channels, 0.0f);
    ParallelFor(
        options_.runner, static_cast<size_t>(schedule_.height(from)), [&](size_t i, size_t worker) {
          const long r = static_cast<long>(i);
          kernels::MaxMagnitudes(static_cast<const float*>(static_cast<const void*>(view.Row(r))),
                                 PixelsOf(from, r), channels, view.stride(), Scratch(worker));
        });
    for (size_t w = 1; w < workers; ++w) {
      kernels::MaxMagnitudes(Scratch(w), 1, channels, channels, Scratch(0));
    }
    const std::vector<float>& factors = factors_[static_cast<size_t>(to)];
    const double step = DynamicStep(*TensorOf(to).quantisation, factors, Scratch(0));
    ChannelSteps& steps = steps_of_[static_cast<size_t>(to)];
    SetSteps(factors, step, &steps);
    Repeat(channels, &steps.step);
    Repeat(channels, &steps.inverse);
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      if (plan_.steps[s].integer() && plan_.steps[s].inputs[0] == to) SetConstants(s, step);
    }
  }

  void RunConv(size_t s, long begin, long end) {
    const PlanStep& step = plan_.steps[s];
    const long unit = step.paired_rows() ? 2 : 1;
    const size_t rows = static_cast<size_t>((end - begin) / unit);
    for (size_t i = 0; i < rows; ++i) {
      FillConvRow(step, begin + static_cast<long>(i) * unit, &conv_rows_[i]);
    }
    const kernels::Epilogue epilogue = EpilogueOf(s);
    // Enough items for every worker; each keeps a block's weights in its cache over its rows.
    const size_t blocks = step.conv->blocks();
    const size_t workers = options_.runner.workers;
    size_t row_parts = 1, block_parts = 1;
    if (workers > 1) {
      block_parts = blocks >= 2 * workers ? 2 * workers : blocks;
      row_parts = std::min(rows, (2 * workers + block_parts - 1) / block_parts);
    }
    ParallelFor(options_.runner, row_parts * block_parts, [&](size_t i, size_t) {
      const size_t row_part = i % row_parts, block_part = i / row_parts;
      const size_t first = rows * row_part / row_parts;
      const size_t last = rows * (row_part + 1) / row_parts;
      step.conv->Run(conv_rows_.data() + first, last - first, epilogue,
                     blocks * block_part / block_parts, blocks * (block_part + 1) / block_parts);
    });
  }

  void FillConvRow(const PlanStep& step, long oy, kernels::ConvRow* row) const {
    const kernels::Conv& conv = *step.conv;
    long iy[2 * kernels::kMaxKernel];
    const size_t taps = conv.TapRows(oy, iy);
    for (size_t source = 0; source < step.inputs.size(); ++source) {
      const View& view = ViewOf(step.inputs[source]);
      for (size_t i = 0; i < taps; ++i) {
        row->in[source * kernels::kMaxKernel + i] = view.RowOrZero(iy[i]);
      }
      row->in_pixel_stride[source] = view.stride();
      row->in_compact[source] = TensorOf(step.inputs[source]).compact;
    }
    const View& out = ViewOf(step.output);
    row->out = out.WriteRow(oy);
    row->out_second = step.paired_rows() ? out.WriteRow(oy + 1) : nullptr;
    row->out_pixel_stride = out.stride();
    row->phase = step.transposed() && !step.paired_rows() ? static_cast<size_t>(oy & 1) : 0;
    const bool compact = TensorOf(step.output).compact;
    row->x_first = compact ? FirstColumn(oy) : 0;
    row->x_step = compact ? 2 : 1;
    row->pixels = PixelsOf(step.output, oy);
    row->residual = nullptr;
    if (step.residual >= 0) {
      const View& view = ViewOf(step.residual);
      const bool gather = compact && !TensorOf(step.residual).compact;
      row->residual = view.Row(oy) + (gather ? row->x_first * view.bytes() : 0);
      row->residual_pixel_stride = view.stride() * (gather ? 2 : 1);
    }
  }

  // Where a row-by-row step reads its input for the positions of its output.
  struct RowInput {
    const uint8_t* data;
    size_t stride;  // elements
    size_t bytes;
    const uint8_t* Pixel(size_t x) const { return data + x * bytes; }
  };
  RowInput InputAt(int tensor, int output, long r) const {
    const View& view = ViewOf(tensor);
    if (TensorOf(output).compact && !TensorOf(tensor).compact) {
      return {view.Row(r) + FirstColumn(r) * view.bytes(), 2 * view.stride(), 2 * view.bytes()};
    }
    return {view.Row(r), view.stride(), view.bytes()};
  }

  void RunGdnRow(size_t s, long r, size_t worker) {
    const PlanStep& step = plan_.steps[s];
    const View& out = ViewOf(step.output);
    const RowInput in = InputAt(step.inputs[0], step.output, r);
    step.gdn->Run(in.data, in.stride, out.WriteRow(r), out.stride(), PixelsOf(step.output, r),
                  EpilogueOf(s), Scratch(worker));
  }

  void RunDigitsRow(const PlanStep& step, long r) {
    const PlanTensor& output = TensorOf(step.output);
    const Quantisation& kept = *output.quantisation;
    const kernels::Digits digits = {TensorOf(step.inputs[0]).channels,
                                    &step.digits->low,
                                    &step.digits->coarse,
                                    kept.low(),
                                    kept.high(),
                                    output.zero()};
    const RowInput in = InputAt(step.inputs[0], step.output, r);
    const View& out = ViewOf(step.output);
    kernels::SplitDigits(static_cast<const int16_t*>(static_cast<const void*>(in.data)), in.stride,
                         output.element, out.WriteRow(r), out.stride(), PixelsOf(step.output, r),
                         digits);
  }

  void RunPointwiseRow(size_t s, long r, float* scratch) {
    const PlanStep& step = plan_.steps[s];
    const View& out = ViewOf(step.output);
    const size_t channels = TensorOf(step.output).channels;
    const size_t pixels = PixelsOf(step.output, r);
    float* a = scratch;
    float* b = scratch + pixel_floats_;
    size_t at_once = step.kind == StepKind::kConcat ? 1 : PixelsAtOnce(channels);
    if (!IsGapless(step.output, out.bytes())) at_once = 1;
    for (const int input : step.inputs) {
      if (!IsGapless(input, InputAt(input, step.output, r).bytes)) at_once = 1;
    }
    const RowInput first = InputAt(step.inputs.front(), step.output, r);
    const RowInput last = InputAt(step.inputs.back(), step.output, r);
    uint8_t* to = out.WriteRow(r);  // after them: it may take the place of the first one's
    for (size_t x = 0; x < pixels; x += at_once, to += at_once * out.bytes()) {
      const size_t count = std::min(at_once, pixels - x);
      if (step.kind == StepKind::kConcat) {
        LoadConcat(step, r, x, a);
        StorePixels(step.output, a, 1, to);
        continue;
      }
      const size_t values = count * channels;
      LoadPixels(step.inputs[0], first.Pixel(x), count, a);
      if (step.kind == StepKind::kLeakyRelu) {
        kernels::LeakyRelu(a, a, values, step.slope);
      } else if (step.kind == StepKind::kAdd) {
        LoadPixels(step.inputs[1], last.Pixel(x), count, b);
        kernels::Add(a, b, a, values);
      }
      if (!gains_[s].empty()) {
        kernels::Gain(a, a, count, channels, channels, channels, gains_[s].data());
      }
      StorePixels(step.output, a, count, to);
    }
  }

  void LoadConcat(const PlanStep& step, long r, size_t x, float* to) const {
    for (const int input : step.inputs) {
      LoadPixels(input, InputAt(input, step.output, r).Pixel(x), 1, to);
      to += TensorOf(input).channels;
    }
  }

  // All inputs are fed alike.
  void ObserveInputs() {
    const long end = schedule_.InputEnd();
    for (const int input : plan_.input_tensors) Observe(input, inputs_observed_, end);
    inputs_observed_ = std::max(inputs_observed_, end);
  }

  void Observe(int id, long begin, long end) {
    const PlanTensor& tensor = TensorOf(id);
    if (tensor.element != kernels::Element::kF32) return;
    const View& view = ViewOf(id);
    for (long r = begin; r < end; ++r) {
      plan_.observer->OnRow(plan_.graph_name, tensor.name,
                            static_cast<const float*>(static_cast<const void*>(view.Row(r))),
                            PixelsOf(id, r), tensor.channels, view.stride());
    }
  }

  float* Scratch(size_t worker) { return scratch_.get() + worker * scratch_floats_; }

  void Account(size_t s, long rows, Clock::time_point start) {
    const PlanStep& step = plan_.steps[s];
    const double pixels = static_cast<double>(WidthOf(step.output)) * static_cast<double>(rows) *
                          (TensorOf(step.output).compact ? 0.5 : 1.0);
    profile_[s].macs += pixels * step.macs_per_pixel;
    profile_[s].seconds += std::chrono::duration<double>(Clock::now() - start).count();
  }

  std::shared_ptr<const Plan> owner_;
  const PlanImpl& plan_;
  ExecutorOptions options_;
  Schedule schedule_;
  std::vector<RowRing> rings_;               // by tensor; empty where it lives elsewhere
  std::vector<View> views_;                  // by tensor
  std::vector<ChannelSteps> steps_of_;       // by tensor; empty for float ones
  std::vector<std::vector<float>> factors_;  // by tensor; empty but for dynamic ones
  std::vector<std::vector<float>> gains_;    // by step
  std::vector<StepConstants> constants_;     // by step; empty but for matrix steps
  std::vector<StepProfile> profile_;
  std::vector<kernels::ConvRow> conv_rows_;
  long inputs_observed_ = 0;  // rows
  AlignedBuffer<float> scratch_;
  size_t scratch_floats_ = 0;
  size_t pixel_floats_ = 0;
};

}  // namespace

Result<std::unique_ptr<Executor>> Executor::Make(std::shared_ptr<const Plan> plan,
                                                 const ExecutorOptions& options,
                                                 const std::vector<BoundInput>& inputs,
                                                 RowRing* output) {
  auto executor = std::make_unique<ExecutorImpl>(std::move(plan), options);
  GLINT_TRY(executor->Init(inputs, output));
  return std::unique_ptr<Executor>(std::move(executor));
}

Result<uint64_t> Executor::MemoryNeeded(const Plan& plan, const ExecutorOptions& options,
                                        const std::vector<BoundInput>& inputs,
                                        const RowRing* output) {
  GLINT_ASSIGN(const ExecutorMemory memory,
               PlanExecutorMemory(static_cast<const PlanImpl&>(plan), options, inputs, output));
  return memory.bytes;
}

}  // namespace glint
