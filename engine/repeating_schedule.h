// The rows of a Schedule for those who ask for its output and inputs alone. Away from the picture's
// edges they repeat, so a graph is gone through once for each place in a unit of rows, and no more
// often for a taller picture. Called by codec/latents, which plans several graphs side by side.
// Thread rules: a RepeatingSchedule is a value of one caller; the plan must outlive it.
#ifndef GLINT_ENGINE_REPEATING_SCHEDULE_H_
#define GLINT_ENGINE_REPEATING_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "engine/executor.h"
#include "engine/schedule.h"
#include "engine/status.h"

namespace glint {

class RepeatingSchedule {
 public:
  // What follows is as in Schedule.
  Status Init(const Plan& plan, const ExecutorOptions& options);
  int64_t end() const { return made_.out_end; }
  int64_t next_end() const { return next_.out_end; }
  bool done() const { return end() >= schedule_.out_height(); }
  int64_t InputEnd() const;
  int64_t InputEnd(size_t input) const { return next_.inputs[input].end; }
  int64_t InputLowest(size_t input) const;
  int64_t OutputEnd() const { return next_.made_end; }
  int64_t OutputGroup() const { return plan_->steps.back()->window.rows.group(); }  // made at once
  void Advance();
  bool steady() const;
  int64_t period() const { return schedule_.period(); }
  // How often all steps of the graph were gone through.
  int64_t visits() const { return visits_; }

 private:
  struct Input {
    int64_t end = 0;     // rows [0, end) have been read
    int64_t lowest = 0;  // of those that are read later, unless it is beyond what is there then
    int64_t unit = 1;    // rows that it moves on by in a unit of the output
  };
  // What there is when rows [0, out_end) of the output are.
  struct Rows {
    int64_t out_end = 0;
    int64_t made_end = 0;  // of the output, in whole groups
    std::vector<Input> inputs;
    bool below_top = false;  // no tensor is cut off by the picture's top
    int64_t repeats = -1;    // so many units further down all is alike; below 0: not even here
  };

  Rows RowsAt(int64_t out_end);
  Rows CountRows(int64_t out_end);

  const PlanImpl* plan_ = nullptr;
  Bands bands_;
  Schedule schedule_;
  Rows made_, next_;
  std::unordered_map<int64_t, Rows> by_place_;  // in the unit
  std::vector<int64_t> ends_, lowest_;          // what CountRows works with
  int64_t visits_ = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_REPEATING_SCHEDULE_H_
