#include "engine/schedule.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>

#include "engine/chains.h"
#include "kernels/element.h"

namespace glint {
namespace {

int64_t RoundUp(int64_t n, int64_t group) { return (n + group - 1) / group * group; }

// Of the longest row.
size_t RowPixels(const PlanTensor& tensor, PositionSet wanted, size_t width) {
  if (!tensor.compact) return width;
  return std::max(PositionsOfRow(wanted, 0, width).count, PositionsOfRow(wanted, 1, width).count);
}

// Far beyond what a machine can have, and so little that sums of it do not overflow.
constexpr uint64_t kMostBytes = uint64_t{1} << 48;

}  // namespace

int64_t Bands::Next(int64_t end, int64_t height) const {
  int64_t stop = height;
  if (stop_every > 0) {
    const int64_t passed = end < stop_every + stop_ahead ? 0 : (end - stop_ahead) / stop_every;
    stop = std::min(height, stop_every * (passed + 1) + stop_ahead);
  }
  return std::min(stop, end + std::max<int64_t>(1, rows));
}

// ---- schedule ----------------------------------------------------------------------------------

Status Schedule::Init(const Plan& plan, const ExecutorOptions& options) {
  plan_ = static_cast<const PlanImpl*>(&plan);
  bands_ = options.bands;
  GLINT_TRY(SetSizes(options));
  SetPeriod();
  end_ = 0;
  step_end_.assign(plan_->steps.size(), 0);
  need_.assign(plan_->tensors.size(), 0);
  next_end_ = bands_.Next(0, out_height_);
  FillNeed();
  FillLowest();
  return Status::Ok();
}

Status Schedule::SetSizes(const ExecutorOptions& options) {
  width_.assign(plan_->tensors.size(), 0);
  height_.assign(plan_->tensors.size(), 0);
  const auto set = [this](int tensor, size_t width, int64_t height) {
    width_[Index(tensor)] = width;
    height_[Index(tensor)] = height;
  };
  if (options.in_width == 0 || options.in_height <= 0) return Bad("an empty input");
  for (const int id : plan_->input_tensors) set(id, options.in_width, options.in_height);
  for (const auto& planned : plan_->steps) {
    const Step& step = *planned;
    const int first = step.inputs[0];
    const int64_t columns = step.window.columns.OutSize(static_cast<int64_t>(width(first)));
    set(step.output, static_cast<size_t>(columns), step.window.rows.OutSize(height(first)));
    for (const int input : step.inputs) GLINT_TRY(SameSize(step, first, input));
    if (step.residual >= 0) GLINT_TRY(SameSize(step, step.output, step.residual));
  }
  out_width_ = width(plan_->output_tensor);
  out_height_ = height(plan_->output_tensor);
  if (options.out_width > out_width_ || options.out_height > out_height_) {
    return Bad("an output larger than the graph gives");
  }
  if (options.out_width > 0) out_width_ = options.out_width;
  if (options.out_height > 0) out_height_ = options.out_height;
  const auto columns = static_cast<size_t>(plan_->steps.back()->window.columns.group());
  if (out_width_ % columns != 0) {
    return Bad("an output whose width is no multiple of " + std::to_string(columns));
  }
  return Status::Ok();
}

void Schedule::SetWidth(size_t width) {
  std::fill(width_.begin(), width_.end(), width);
  out_width_ = width;
}

Status Schedule::Bad(const std::string& what) const {
  return Status::Error(StatusCode::kInvalidArgument,
                       "graph " + plan_->graph_name + " cannot take " + what);
}

Status Schedule::SameSize(const Step& step, int a, int b) const {
  if (width(a) == width(b) && height(a) == height(b)) return Status::Ok();
  return Bad("tensors of different sizes in " + step.name);
}

// The period is a number of output rows. When the output moves on by it, every tensor moves on by
// whole rows (those made in pairs by whole pairs), and ends of bands fall on ends of bands again.
void Schedule::SetPeriod() {
  std::vector<int> level(plan_->tensors.size(), 0);  // log2 of rows for one row of the inputs
  int lowest = 0;
  for (const auto& step : plan_->steps) {
    int& out = level[Index(step->output)];
    out = level[Index(step->inputs[0])] + step->window.rows.Level();
    lowest = std::min(lowest, out);
  }
  const int64_t unit = int64_t{1} << (level[Index(plan_->output_tensor)] - lowest);
  period_ =
      std::lcm(bands_.stop_every > 0 ? bands_.stop_every : std::max<int64_t>(1, bands_.rows), unit);
}

// Rows of every tensor for output rows < next_end_.
void Schedule::FillNeed() {
  if (plan_->whole) {
    need_ = height_;  // also of what no row of the output needs
    return;
  }
  std::fill(need_.begin(), need_.end(), 0);
  need_[Index(plan_->output_tensor)] = next_end_;
  const auto raise = [this](int tensor, int64_t rows) {
    int64_t& have = need_[Index(tensor)];
    have = std::max(have, std::min(rows, height(tensor)));
  };
  for (size_t s = plan_->steps.size(); s-- > 0;) {
    const Step& step = *plan_->steps[s];
    int64_t& rows = need_[Index(step.output)];
    rows = std::max(rows, step_end_[s]);
    rows = RoundUp(rows, step.window.rows.group());
    for (const int input : step.inputs) {
      raise(input, step.window.rows.InputEnd(rows, height(input)));
    }
    if (step.residual >= 0) raise(step.residual, rows);
  }
}

int64_t Schedule::InputEnd() const {
  int64_t end = 0;
  for (const int input : plan_->input_tensors) end = std::max(end, need(input));
  return end;
}

void Schedule::FillLowest() {
  lowest_ = need_;
  const auto lower = [this](int tensor, int64_t row) {
    int64_t& have = lowest_[Index(tensor)];
    have = std::min(have, row);
  };
  lower(plan_->output_tensor, end_);
  for (size_t s = 0; s < plan_->steps.size(); ++s) {
    const Step& step = *plan_->steps[s];
    lower(step.output, step_end_[s]);  // made at once by several workers, read or not
    for (const int input : step.inputs) lower(input, step.window.rows.InputBegin(step_end_[s]));
    if (step.residual >= 0) lower(step.residual, step_end_[s]);
  }
}

std::vector<int64_t> Schedule::Held() const {
  std::vector<int64_t> ends(need_.size(), 0), lowest(lowest_);
  for (size_t i = 0; i < ends.size(); ++i) {
    const PlanTensor& tensor = plan_->tensors[i];
    const size_t ring = Index(tensor.storage);
    // Own inputs are fed alike.
    ends[ring] = std::max(ends[ring], tensor.input >= 0 ? InputEnd() : need_[i]);
    lowest[ring] = std::min(lowest[ring], lowest_[i]);
  }
  for (size_t i = 0; i < ends.size(); ++i) ends[i] = std::max<int64_t>(0, ends[i] - lowest[i]);
  return ends;
}

void Schedule::Advance() {
  for (size_t s = 0; s < plan_->steps.size(); ++s) step_end_[s] = need(plan_->steps[s]->output);
  end_ = next_end_;
  next_end_ = bands_.Next(end_, out_height_);
  FillNeed();
  FillLowest();
}

bool Schedule::steady() const {
  if (end_ < bands_.stop_every + bands_.stop_ahead) return false;
  return std::all_of(lowest_.begin(), lowest_.end(), [](int64_t row) { return row > 0; });
}

// ---- memory ------------------------------------------------------------------------------------

namespace {

// Most rows of every ring that live side by side, and of any step in one Advance.
void RunRows(const PlanImpl& plan, Schedule* schedule, std::vector<int64_t>* capacity,
             size_t* most_rows) {
  int64_t stop_at = schedule->out_height();
  for (bool steady = false; schedule->end() < stop_at; schedule->Advance()) {
    const std::vector<int64_t> held = schedule->Held();
    for (size_t i = 0; i < held.size(); ++i) (*capacity)[i] = std::max((*capacity)[i], held[i]);
    for (size_t s = 0; s < plan.steps.size(); ++s) {
      const int64_t rows = schedule->need(plan.steps[s]->output) - schedule->step_end(s);
      *most_rows = std::max(*most_rows, static_cast<size_t>(rows));
    }
    if (plan.whole) return;  // the first Advance makes all rows that there are
    if (steady || !schedule->steady()) continue;
    steady = true;
    stop_at = std::min(stop_at, schedule->end() + schedule->period());
  }
}

}  // namespace

Result<ExecutorMemory> PlanExecutorMemory(const PlanImpl& plan, const ExecutorOptions& options,
                                          const std::vector<Executor::BoundInput>& inputs,
                                          const RowRing* output) {
  Schedule schedule;
  GLINT_TRY(schedule.Init(plan, options));
  const size_t count = plan.tensors.size();
  std::vector<int64_t> capacity(count, 1);
  ExecutorMemory memory;
  size_t most_rows = 0;  // of one step in one Advance
  RunRows(plan, &schedule, &capacity, &most_rows);
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
    layout.width = std::max(layout.width, RowPixels(tensor, plan.wanted, width));
    layout.height = schedule.height(id);
    layout.halo_left = layout.halo_right = std::max(layout.halo_left, tensor.halo);
    int64_t rows = capacity[static_cast<size_t>(tensor.storage)];
    if (plan.tensors[static_cast<size_t>(tensor.storage)].chained) {
      rows = std::min(rows, ChainRows(schedule.width(id), options.runner.workers));
    }
    layout.capacity = static_cast<size_t>(rows);
  }
  for (size_t i = 0; i < plan.input_tensors.size() && i < inputs.size(); ++i) {
    if (inputs[i].ring != nullptr) memory.layouts[static_cast<size_t>(plan.input_tensors[i])] = {};
  }
  for (const int id : plan.input_tensors) {
    const PlanTensor& input = plan.tensors[static_cast<size_t>(id)];
    const bool own = memory.layouts[static_cast<size_t>(id)].capacity > 0;
    if (!own || input.quantisation == nullptr) continue;
    memory.input_floats = std::max(memory.input_floats, options.in_width * input.channels);
  }
  memory.bytes += uint64_t{memory.input_floats} * sizeof(float);
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
  size_t row_bytes = 0;
  for (const auto& step : plan.steps) {
    memory.scratch_floats = std::max(memory.scratch_floats, step->ScratchFloats());
    row_bytes = std::max(row_bytes, step->BandBytes());
  }
  // Row steps on integers hold pixels of two inputs and of the output as floats.
  for (const PlanTensor& tensor : plan.tensors) {
    const size_t floats = PixelsAtOnce(tensor.channels) * tensor.channels;
    memory.pixel_floats = std::max(memory.pixel_floats, kernels::PaddedChannels(floats));
  }
  memory.scratch_floats = std::max(memory.scratch_floats, 3 * memory.pixel_floats);
  memory.scratch_floats = (memory.scratch_floats + 15) / 16 * 16;
  memory.bytes += uint64_t{memory.scratch_floats} * options.runner.workers * sizeof(float);
  memory.band_bytes = most_rows * row_bytes;
  memory.bytes += memory.band_bytes;
  return memory;
}

}  // namespace glint
