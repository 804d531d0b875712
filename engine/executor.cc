// The band executor: before anything is allocated the whole schedule is run on row numbers alone,
// which gives every ring its capacity; after that Advance touches no allocator.

#include "engine/executor.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "engine/plan.h"
#include "engine/rate.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

using Clock = std::chrono::steady_clock;

long RoundUpTo2(long n) { return (n + 1) & ~1L; }

// Sizes of all tensors, and how far each step has come: enough to run the schedule without data.
class Schedule {
 public:
  Status Init(const PlanImpl& plan, const ExecutorOptions& options) {
    plan_ = &plan;
    width_.resize(plan.tensors.size());
    height_.resize(plan.tensors.size());
    if (options.in_width == 0 || options.in_height <= 0) return Bad("an empty input");
    for (const int id : plan.input_tensors) SetSize(id, options.in_width, options.in_height);
    for (size_t s = 0; s < plan.steps.size(); ++s) {
      const PlanStep& step = plan.steps[s];
      const int first = step.inputs[0];
      SetSize(step.output,
              static_cast<size_t>(step.rows.OutHeight(static_cast<long>(width_[Index(first)]))),
              step.rows.OutHeight(height_[Index(first)]));
      for (const int input : step.inputs) GLINT_TRY(SameSize(step, first, input));
      if (step.residual >= 0) GLINT_TRY(SameSize(step, step.output, step.residual));
    }
    out_width_ = width_[Index(plan.output_tensor)];
    out_height_ = height_[Index(plan.output_tensor)];
    if (options.out_width > out_width_ || options.out_height > out_height_) {
      return Bad("an output larger than the graph gives");
    }
    if (options.out_width > 0) out_width_ = options.out_width;
    if (options.out_height > 0) out_height_ = options.out_height;
    if (plan.steps.back().transposed() && out_width_ % 2 != 0) {
      return Bad("an odd width of a transposed convolution's output");
    }
    end_.assign(plan.steps.size(), 0);
    need_.assign(plan.tensors.size(), 0);
    return Status::Ok();
  }

  size_t width(int tensor) const { return width_[Index(tensor)]; }
  long height(int tensor) const { return height_[Index(tensor)]; }
  size_t out_width() const { return out_width_; }
  long out_height() const { return out_height_; }
  long end(size_t step) const { return end_[step]; }
  void set_end(size_t step, long end) { end_[step] = end; }
  // Rows [0, need) of `tensor` must exist for output rows < out_end (after Need).
  long need(int tensor) const { return need_[Index(tensor)]; }

  void Need(long out_end) { FillNeed(out_end, &need_); }

  // Rows of the graph's inputs for output rows < out_end; the state stays as it is.
  long InputEnd(long out_end) const {
    std::vector<long> need(need_.size());
    FillNeed(out_end, &need);
    return need[Index(plan_->input_tensors[0])];
  }

  // The lowest row of `tensor` that a step may still read when it goes on from where it is.
  long Lowest(int tensor) const {
    long lowest = tensor == plan_->output_tensor ? end_.back() : need_[Index(tensor)];
    for (size_t s = 0; s < plan_->steps.size(); ++s) {
      const PlanStep& step = plan_->steps[s];
      for (const int input : step.inputs) {
        if (input == tensor) lowest = std::min(lowest, step.rows.InputBegin(end_[s]));
      }
      if (step.residual == tensor) lowest = std::min(lowest, end_[s]);
    }
    return std::max(0L, lowest);
  }

 private:
  static size_t Index(int tensor) { return static_cast<size_t>(tensor); }

  Status Bad(const std::string& what) const {
    return Status::Error(StatusCode::kInvalidArgument,
                         "graph " + plan_->graph_name + " cannot take " + what);
  }

  void SetSize(int tensor, size_t width, long height) {
    width_[Index(tensor)] = width;
    height_[Index(tensor)] = height;
  }

  Status SameSize(const PlanStep& step, int a, int b) const {
    if (width(a) == width(b) && height(a) == height(b)) return Status::Ok();
    return Bad("tensors of different sizes in " + step.name);
  }

  void FillNeed(long out_end, std::vector<long>* need) const {
    if (plan_->whole) {
      *need = height_;  // also of what no row of the output needs
      return;
    }
    std::fill(need->begin(), need->end(), 0);
    (*need)[Index(plan_->output_tensor)] = out_end;
    const auto raise = [&](int tensor, long rows) {
      long& have = (*need)[Index(tensor)];
      have = std::max(have, std::min(rows, height_[Index(tensor)]));
    };
    for (size_t s = plan_->steps.size(); s-- > 0;) {
      const PlanStep& step = plan_->steps[s];
      long& rows = (*need)[Index(step.output)];
      rows = std::max(rows, end_[s]);
      if (step.paired_rows()) rows = RoundUpTo2(rows);
      for (const int input : step.inputs)
        raise(input, step.rows.InputEnd(rows, height_[Index(input)]));
      if (step.residual >= 0) raise(step.residual, rows);
    }
    // All inputs are fed alike.
    long rows = 0;
    for (const int input : plan_->input_tensors) rows = std::max(rows, (*need)[Index(input)]);
    for (const int input : plan_->input_tensors) (*need)[Index(input)] = rows;
  }

  const PlanImpl* plan_ = nullptr;
  std::vector<size_t> width_;
  std::vector<long> height_;
  size_t out_width_ = 0;
  long out_height_ = 0;
  std::vector<long> end_;   // rows done, by step
  std::vector<long> need_;  // by tensor
};

// Row steps on integers go through so many floats at a time, whole pixels: enough that a call for
// them costs little, few enough to stay in L1.
size_t PixelsAtOnce(size_t channels) { return std::max<size_t>(1, 512 / channels); }

// What `steps` says of each channel, for several pixels that follow each other.
void Repeat(size_t channels, std::vector<float>* steps) {
  if (steps->empty()) return;
  const size_t pixels = PixelsAtOnce(channels);
  steps->resize(std::max(steps->size(), pixels * channels));
  for (size_t i = channels; i < pixels * channels; ++i) (*steps)[i] = (*steps)[i - channels];
}

size_t RowPixels(const PlanTensor& tensor, size_t width) {
  return tensor.compact ? (width + 1) / 2 : width;
}

// Far beyond what a machine can have, and so little that sums of it do not overflow.
constexpr uint64_t kMostBytes = uint64_t{1} << 48;

// Layouts of all rings by tensor: capacity 0 for those that live elsewhere or belong to the caller.
struct MemoryPlan {
  std::vector<RowRing::Layout> layouts;
  size_t scratch_floats = 0;  // of one worker
  size_t pixel_floats = 0;    // that row steps hold of a tensor at a time
  size_t most_rows = 0;       // of one step in one Advance
  uint64_t bytes = 0;
};

Result<MemoryPlan> PlanMemory(const PlanImpl& plan, const ExecutorOptions& options,
                              const std::vector<Executor::BoundInput>& inputs,
                              const RowRing* output) {
  Schedule schedule;
  GLINT_TRY(schedule.Init(plan, options));
  const size_t count = plan.tensors.size();
  std::vector<long> capacity(count, 1);
  MemoryPlan memory;
  const long band = std::max(1L, options.band_rows);
  for (long out_end = 0; out_end < schedule.out_height();) {
    out_end = std::min(out_end + band, schedule.out_height());
    schedule.Need(out_end);
    for (size_t i = 0; i < count; ++i) {
      const int id = static_cast<int>(i);
      capacity[i] = std::max(capacity[i], schedule.need(id) - schedule.Lowest(id));
    }
    for (size_t s = 0; s < plan.steps.size(); ++s) {
      const long need = schedule.need(plan.steps[s].output);
      memory.most_rows = std::max(memory.most_rows, static_cast<size_t>(need - schedule.end(s)));
      schedule.set_end(s, need);
    }
  }
  memory.layouts.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const PlanTensor& tensor = plan.tensors[i];
    RowRing::Layout& layout = memory.layouts[static_cast<size_t>(tensor.storage)];
    const int id = static_cast<int>(i);
    const bool is_output = id == plan.output_tensor;
    const size_t width = is_output ? schedule.out_width() : schedule.width(id);
    layout.channels = tensor.channels;
    layout.element = tensor.element;
    layout.zero = static_cast<uint8_t>(tensor.zero());
    layout.width = std::max(layout.width, RowPixels(tensor, width));
    layout.height = schedule.height(id);
    layout.halo_left = layout.halo_right = std::max(layout.halo_left, tensor.halo);
    layout.capacity = std::max(layout.capacity, static_cast<size_t>(capacity[i]));
  }
  for (size_t i = 0; i < plan.input_tensors.size() && i < inputs.size(); ++i) {
    if (inputs[i].ring != nullptr) memory.layouts[static_cast<size_t>(plan.input_tensors[i])] = {};
  }
  if (output != nullptr) {
    memory.layouts[static_cast<size_t>(
        plan.tensors[static_cast<size_t>(plan.output_tensor)].storage)] = {};
  }
  for (const RowRing::Layout& layout : memory.layouts) {
    if (layout.capacity == 0) continue;
    const uint64_t row_bytes = layout.RowBytes();
    if (layout.capacity >= kMostBytes / row_bytes || memory.bytes >= kMostBytes) {
      return Status::Error(StatusCode::kLimit,
                           "graph " + plan.graph_name + " needs more memory than any machine has");
    }
    memory.bytes += layout.Bytes();
  }
  for (const PlanStep& step : plan.steps) {
    if (step.gdn)
      memory.scratch_floats = std::max(memory.scratch_floats, step.gdn->ScratchFloats());
  }
  // Row steps on integers take pixels of two inputs and the output through floats.
  for (const PlanTensor& tensor : plan.tensors) {
    const size_t floats = PixelsAtOnce(tensor.channels) * tensor.channels;
    memory.pixel_floats = std::max(memory.pixel_floats, kernels::PaddedChannels(floats));
  }
  memory.scratch_floats = std::max(memory.scratch_floats, 3 * memory.pixel_floats);
  memory.scratch_floats = (memory.scratch_floats + 15) / 16 * 16;
  memory.bytes += uint64_t{memory.scratch_floats} * options.runner.workers * sizeof(float);
  memory.bytes += uint64_t{memory.most_rows} * sizeof(kernels::ConvRow);
  return memory;
}

class ExecutorImpl final : public Executor {
 public:
  ExecutorImpl(std::shared_ptr<const Plan> plan, const ExecutorOptions& options)
      : owner_(std::move(plan)), plan_(static_cast<const PlanImpl&>(*owner_)), options_(options) {}

  Status Init(const std::vector<BoundInput>& inputs, RowRing* output) {
    GLINT_ASSIGN(MemoryPlan memory, PlanMemory(plan_, options_, inputs, output));
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

  long InputEnd(long out_end) const override {
    return schedule_.InputEnd(std::min(out_end, schedule_.out_height()));
  }

  void WriteInput(size_t input, long r, const float* values) override {
    const int id = plan_.input_tensors[input];
    const PlanTensor& tensor = TensorOf(id);
    uint8_t* row = ViewOf(id).Row(r);
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

  void Advance(long out_end) override {
    schedule_.Need(std::min(out_end, schedule_.out_height()));
    if (plan_.observer != nullptr) ObserveInputs();
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const long begin = schedule_.end(s), end = schedule_.need(plan_.steps[s].output);
      if (begin >= end) continue;
      const auto start = options_.profile ? Clock::now() : Clock::time_point();
      RunStep(s, begin, end);
      schedule_.set_end(s, end);
      if (options_.profile) Account(s, end - begin, start);
      if (plan_.observer != nullptr) Observe(plan_.steps[s].output, begin, end);
    }
  }

  const float* OutputRow(long r) const override {
    return views_[static_cast<size_t>(plan_.output_tensor)].ring->Floats(r);
  }
  size_t output_pixel_stride() const override {
    return views_[static_cast<size_t>(plan_.output_tensor)].ring->pixel_stride();
  }
  const std::vector<StepProfile>& profile() const override { return profile_; }

 private:
  struct View {
    RowRing* ring = nullptr;
    size_t offset = 0;  // channels
    uint8_t* Row(long r) const { return ring->Row(r) + offset_bytes(); }
    const uint8_t* RowOrZero(long r) const { return ring->RowOrZero(r) + offset_bytes(); }
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
    row->out = out.Row(oy);
    row->out_second = step.paired_rows() ? out.Row(oy + 1) : nullptr;
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
    step.gdn->Run(in.data, in.stride, out.Row(r), out.stride(), PixelsOf(step.output, r),
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
                         output.element, out.Row(r), out.stride(), PixelsOf(step.output, r),
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
    for (size_t x = 0; x < pixels; x += at_once) {
      const size_t count = std::min(at_once, pixels - x);
      uint8_t* to = out.Row(r) + x * out.bytes();
      if (step.kind == StepKind::kConcat) {
        LoadConcat(step, r, x, a);
        StorePixels(step.output, a, 1, to);
        continue;
      }
      const size_t values = count * channels;
      LoadPixels(step.inputs[0], InputAt(step.inputs[0], step.output, r).Pixel(x), count, a);
      if (step.kind == StepKind::kLeakyRelu) {
        kernels::LeakyRelu(a, a, values, step.slope);
      } else if (step.kind == StepKind::kAdd) {
        LoadPixels(step.inputs[1], InputAt(step.inputs[1], step.output, r).Pixel(x), count, b);
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
    const long end = schedule_.need(plan_.input_tensors[0]);
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
  GLINT_ASSIGN(const MemoryPlan memory,
               PlanMemory(static_cast<const PlanImpl&>(plan), options, inputs, output));
  return memory.bytes;
}

}  // namespace glint
