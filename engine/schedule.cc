#include "engine/schedule.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "engine/chains.h"
#include "kernels/element.h"

namespace glint {
namespace {

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
  CopySteps();
  JumpTo(0);
  return Status::Ok();
}

void Schedule::CopySteps() {
  steps_.clear();
  inputs_.clear();
  ring_.clear();
  for (const auto& planned : plan_->steps) {
    StepRows step = {planned->window.rows, planned->output, planned->residual, inputs_.size(), 0};
    inputs_.insert(inputs_.end(), planned->inputs.begin(), planned->inputs.end());
    step.end_input = inputs_.size();
    steps_.push_back(step);
  }
  for (const PlanTensor& tensor : plan_->tensors) ring_.push_back(tensor.storage);
  unfinished_.steps.resize(steps_.size());
  std::iota(unfinished_.steps.begin(), unfinished_.steps.end(), size_t{0});
  unfinished_.lowest.assign(height_.size(), std::numeric_limits<int64_t>::max());
  made_.assign(height_.size(), 0);
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
  unit_.clear();
  for (const int of_tensor : level) unit_.push_back(int64_t{1} << (of_tensor - lowest));
  period_ = std::lcm(bands_.stop_every > 0 ? bands_.stop_every : std::max<int64_t>(1, bands_.rows),
                     unit());
}

void Schedule::RaiseEnds(int64_t out_end, std::vector<int64_t>* ends) {
  ends->resize(height_.size(), 0);
  if (out_end == 0) return;
  if (plan_->whole) {
    *ends = height_;  // also of what no row of the output needs
    return;
  }
  moves_.assign(height_.size(), 0);
  const auto raise = [&](int tensor, int64_t rows) {
    int64_t& have = (*ends)[Index(tensor)];
    if (rows <= have) return;
    have = rows;
    moves_[Index(tensor)] = 1;
  };
  raise(plan_->output_tensor, out_end);
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (moves_[Index(step->output)] == 0) continue;
    int64_t& rows = (*ends)[Index(step->output)];
    rows = step->axis.WholeGroups(rows);
    for (size_t i = step->first_input; i < step->end_input; ++i) {
      raise(inputs_[i], step->axis.InputEnd(rows, height(inputs_[i])));
    }
    if (step->residual >= 0) raise(step->residual, std::min(rows, height(step->residual)));
  }
}

void Schedule::FillLowest(const std::vector<int64_t>& ends, std::vector<int64_t>* lowest) {
  *lowest = unfinished_.lowest;
  for (const size_t s : unfinished_.steps) {
    LowerLowest(steps_[s], ends[Index(steps_[s].output)], lowest);
  }
  std::erase_if(unfinished_.steps, [&](size_t s) {
    const int output = steps_[s].output;
    if (ends[Index(output)] < height(output)) return false;
    LowerLowest(steps_[s], height(output), &unfinished_.lowest);
    return true;
  });
}

void Schedule::LowerLowest(const StepRows& step, int64_t end, std::vector<int64_t>* lowest) const {
  const auto lower = [&](int tensor, int64_t row) {
    int64_t& have = (*lowest)[Index(tensor)];
    have = std::min(have, row);
  };
  lower(step.output, end);  // made at once by several workers, read or not
  const int64_t begin = step.axis.InputBegin(end);
  for (size_t i = step.first_input; i < step.end_input; ++i) lower(inputs_[i], begin);
  if (step.residual >= 0) lower(step.residual, end);
}

int64_t Schedule::InputEnd() const {
  int64_t end = 0;
  for (const int input : plan_->input_tensors) end = std::max(end, need(input));
  return end;
}

const std::vector<int64_t>& Schedule::Held() {
  held_.assign(need_.size(), 0);
  lowest_of_ring_ = lowest_;
  for (size_t i = 0; i < need_.size(); ++i) {
    const size_t ring = Index(ring_[i]);
    held_[ring] = std::max(held_[ring], need_[i]);
    lowest_of_ring_[ring] = std::min(lowest_of_ring_[ring], lowest_[i]);
  }
  for (const int input : plan_->input_tensors) {  // own inputs are fed alike
    int64_t& end = held_[Index(ring_[Index(input)])];
    end = std::max(end, InputEnd());
  }
  for (size_t i = 0; i < held_.size(); ++i) {
    held_[i] = std::max<int64_t>(0, held_[i] - lowest_of_ring_[i]);
  }
  return held_;
}

int64_t Schedule::MostRows() const {
  int64_t most = 0;
  for (const StepRows& step : steps_) {
    most = std::max(most, need(step.output) - made_[Index(step.output)]);
  }
  return most;
}

void Schedule::Advance() {
  end_ = next_end_;
  made_.swap(need_);
  SetNext();
}

void Schedule::JumpTo(int64_t end) {
  end_ = end;
  RaiseEnds(end, &made_);
  SetNext();
}

void Schedule::SetNext() {
  ++visits_;
  next_end_ = bands_.Next(end_, out_height_);
  need_ = made_;
  RaiseEnds(next_end_, &need_);
  FillLowest(made_, &lowest_);
  for (size_t i = 0; i < lowest_.size(); ++i) lowest_[i] = std::min(lowest_[i], need_[i]);
  int64_t& of_output = lowest_[Index(plan_->output_tensor)];
  of_output = std::min(of_output, end_);
}

bool Schedule::steady() const {
  if (end_ < bands_.stop_every + bands_.stop_ahead) return false;
  return std::all_of(lowest_.begin(), lowest_.end(), [](int64_t row) { return row > 0; });
}

// ---- memory ------------------------------------------------------------------------------------

namespace {

// Most rows of every ring that live side by side, and of any step in one Advance.
class MostRows {
 public:
  MostRows(const PlanImpl& plan, const Bands& bands, Schedule* schedule)
      : plan_(plan), bands_(bands), schedule_(*schedule), of_ring_(plan.tensors.size(), 1) {
    for (; !schedule_.done() && !schedule_.steady(); schedule_.Advance()) {
      Count();
      if (plan_.whole) return;  // the first Advance makes all rows that there are
    }
    CountPeriod();
  }

  const std::vector<int64_t>& of_ring() const { return of_ring_; }
  size_t of_step() const { return of_step_; }

 private:
  void Count() {
    const std::vector<int64_t>& held = schedule_.Held();
    for (size_t i = 0; i < held.size(); ++i) of_ring_[i] = std::max(of_ring_[i], held[i]);
    of_step_ = std::max(of_step_, static_cast<size_t>(schedule_.MostRows()));
  }

  // In a steady state, numbers of rows depend on nothing but how many rows are made, and where the
  // first of them lies in its unit.
  void CountPeriod() {
    std::set<std::pair<int64_t, int64_t>> counted;
    const int64_t height = schedule_.out_height();
    const int64_t stop_at = std::min(height, schedule_.end() + schedule_.period());
    for (int64_t end = schedule_.end(); end < stop_at;) {
      const int64_t next = bands_.Next(end, height);
      if (counted.emplace(end % schedule_.unit(), next - end).second) {
        if (schedule_.end() != end) schedule_.JumpTo(end);
        Count();
        if (next < stop_at) schedule_.Advance();
      }
      end = next;
    }
  }

  const PlanImpl& plan_;
  const Bands& bands_;
  Schedule& schedule_;
  std::vector<int64_t> of_ring_;
  size_t of_step_ = 0;
};

}  // namespace

Result<ExecutorMemory> PlanExecutorMemory(const PlanImpl& plan, const ExecutorOptions& options,
                                          const std::vector<Executor::BoundInput>& inputs,
                                          const RowRing* output) {
  Schedule schedule;
  GLINT_TRY(schedule.Init(plan, options));
  const size_t count = plan.tensors.size();
  const MostRows most(plan, options.bands, &schedule);
  ExecutorMemory memory;
  memory.visits = schedule.visits();
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
    int64_t rows = most.of_ring()[static_cast<size_t>(tensor.storage)];
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
  memory.band_bytes = most.of_step() * row_bytes;
  memory.bytes += memory.band_bytes;
  return memory;
}

}  // namespace glint
