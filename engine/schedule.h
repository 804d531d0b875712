// Which rows of every tensor of a planned graph exist after each Advance, worked out on row numbers
// alone. PlanExecutorMemory runs the schedule beforehand, without data, and the executor runs the
// same one. So every ring has just as many rows as its steps will ever want at once. Called by
// engine/executor, and by codec/latents/latent_schedule for rings that several graphs share.
// Thread rules: a Schedule is a value of one caller; the plan must outlive it.
#ifndef GLINT_ENGINE_SCHEDULE_H_
#define GLINT_ENGINE_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/executor.h"
#include "engine/plan.h"
#include "engine/row_ring.h"
#include "engine/status.h"

namespace glint {

class Schedule {
 public:
  // kInvalidArgument for sizes that the graph cannot take.
  Status Init(const Plan& plan, const ExecutorOptions& options);

  // Of a tensor, in full rows and columns.
  size_t width(int tensor) const { return width_[Index(tensor)]; }
  int64_t height(int tensor) const { return height_[Index(tensor)]; }
  // Of the output, which may be cropped.
  size_t out_width() const { return out_width_; }
  int64_t out_height() const { return out_height_; }

  // Of all tensors, from now on; at most what it was.
  void SetWidth(size_t width);
  // Output rows [0, end()) are there; the next Advance gives [end(), next_end()).
  int64_t end() const { return end_; }
  int64_t next_end() const { return next_end_; }
  bool done() const { return end_ >= out_height_; }
  // Rows [0, result) of all inputs, and of one, that the next Advance reads.
  int64_t InputEnd() const;
  int64_t InputEnd(size_t input) const { return need(plan_->input_tensors[input]); }
  // The lowest row of an input that this or a later Advance reads.
  int64_t InputLowest(size_t input) const { return Lowest(plan_->input_tensors[input]); }
  // Rows [0, result) of the output that the next Advance writes: one more than next_end() where
  // rows are made in pairs.
  int64_t OutputEnd() const { return need(plan_->output_tensor); }

  // Rows [0, need) of a tensor exist after the next Advance; [0, step_end) of a step's output do
  // already.
  int64_t need(int tensor) const { return need_[Index(tensor)]; }
  int64_t step_end(size_t step) const { return made_[Index(steps_[step].output)]; }
  // Of all steps, the most that one makes in the next Advance.
  int64_t MostRows() const;
  // The lowest row of a tensor that the next Advance makes, or that it or a later one reads or
  // gives to the caller.
  int64_t Lowest(int tensor) const { return lowest_[Index(tensor)]; }
  // How many rows each ring holds during the next Advance; the index is the tensor that owns the
  // ring. Where tensors share a ring, the rows of all of them count: a tensor that is made in pairs
  // may be a row ahead of the one that takes its place.
  const std::vector<int64_t>& Held();

  // The next Advance has been made.
  void Advance();
  // All have been made that give output rows [0, end), the end of one of them.
  void JumpTo(int64_t end);

  // Whether the picture's top edge cuts off nothing that the next Advance reads. From the first
  // such Advance behind the first stop on, row numbers repeat: every period() output rows all of
  // them move on alike, until the bottom edge is in reach. Near the top and near the bottom no
  // tensor holds more rows than in between.
  bool steady() const;
  int64_t period() const { return period_; }
  // Whenever the output moves on by its unit, every tensor does by its own, in whole rows, those
  // that are made in pairs in whole pairs. A period is made of units; bands begin alike in it.
  int64_t unit(int tensor) const { return unit_[Index(tensor)]; }
  int64_t unit() const { return unit(plan_->output_tensor); }

  // How often all steps were gone through so far: what planning costs.
  int64_t visits() const { return visits_; }

  // Rows as functions of where the output ends, of which all the above is made; by tensor.
  // `ends`: rows [0, ends) exist when rows [0, out_end) of the output do. Before, those of an
  // earlier end, or zeros: what does not move on is passed over.
  void RaiseEnds(int64_t out_end, std::vector<int64_t>* ends);
  // The lowest rows that are read when more is made than `ends`, or that it makes; nothing of what
  // the caller is given. To be asked for ends that rise.
  void FillLowest(const std::vector<int64_t>& ends, std::vector<int64_t>* lowest);

 private:
  static size_t Index(int tensor) { return static_cast<size_t>(tensor); }

  // What rows are about, of a step, side by side in memory: plans of thousands of steps are gone
  // through thousands of times.
  struct StepRows {
    Axis axis;
    int output = 0;
    int residual = -1;
    size_t first_input = 0, end_input = 0;  // in inputs_
  };
  // Steps whose outputs are not whole yet, and what the others read, by tensor. In a deep graph
  // most are through as soon as the bottom is in reach.
  struct Unfinished {
    std::vector<size_t> steps;
    std::vector<int64_t> lowest;
  };

  Status Bad(const std::string& what) const;
  Status SetSizes(const ExecutorOptions& options);
  Status SameSize(const Step& step, int a, int b) const;
  void SetPeriod();
  void SetNext();
  void CopySteps();
  void LowerLowest(const StepRows& step, int64_t end, std::vector<int64_t>* lowest) const;

  const PlanImpl* plan_ = nullptr;
  Bands bands_;
  std::vector<size_t> width_;
  std::vector<int64_t> height_;
  size_t out_width_ = 0;
  int64_t out_height_ = 0;
  std::vector<int64_t> unit_;  // by tensor
  int64_t period_ = 1;
  int64_t end_ = 0;
  int64_t next_end_ = 0;
  std::vector<StepRows> steps_;
  std::vector<int> inputs_;  // tensors, of all steps
  std::vector<int> ring_;    // by tensor: the one that owns its ring
  Unfinished unfinished_;
  std::vector<int64_t> made_;    // by tensor: rows that exist
  std::vector<int64_t> need_;    // by tensor
  std::vector<int64_t> lowest_;  // by tensor
  // What functions work with.
  std::vector<int64_t> held_, lowest_of_ring_;
  std::vector<uint8_t> moves_;
  int64_t visits_ = 0;
};

// Pixels that row steps on integers convert to float at a time: enough that a call costs little,
// few enough that the floats stay in L1.
inline size_t PixelsAtOnce(size_t channels) {
  return channels >= 2048 ? size_t{1} : size_t{2048} / channels;
}

// What an executor allocates. Layouts of all rings by tensor: capacity 0 for those that live
// elsewhere or belong to the caller.
struct ExecutorMemory {
  std::vector<RowRing::Layout> layouts;
  size_t scratch_floats = 0;  // of one worker
  size_t pixel_floats = 0;    // that row steps hold of a tensor at a time
  size_t input_floats = 0;    // a row of an own input that is not kept in float
  size_t band_bytes = 0;      // that one step has for itself during an Advance
  uint64_t bytes = 0;
  int64_t visits = 0;  // of all steps, to find this out
};

// kLimit for what no machine has.
Result<ExecutorMemory> PlanExecutorMemory(const PlanImpl& plan, const ExecutorOptions& options,
                                          const std::vector<Executor::BoundInput>& inputs,
                                          const RowRing* output);

}  // namespace glint

#endif  // GLINT_ENGINE_SCHEDULE_H_
