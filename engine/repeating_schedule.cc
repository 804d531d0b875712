#include "engine/repeating_schedule.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace glint {

Status RepeatingSchedule::Init(const Plan& plan, const ExecutorOptions& options) {
  plan_ = static_cast<const PlanImpl*>(&plan);
  bands_ = options.bands;
  GLINT_TRY(schedule_.Init(plan, options));
  by_place_.clear();
  ends_.clear();
  made_ = RowsAt(0);
  next_ = RowsAt(bands_.Next(0, schedule_.out_height()));
  return Status::Ok();
}

int64_t RepeatingSchedule::InputEnd() const {
  int64_t end = 0;
  for (const Input& input : next_.inputs) end = std::max(end, input.end);
  return end;
}

int64_t RepeatingSchedule::InputLowest(size_t input) const {
  return std::min(made_.inputs[input].lowest, next_.inputs[input].end);
}

void RepeatingSchedule::Advance() {
  made_ = std::move(next_);
  next_ = RowsAt(bands_.Next(end(), schedule_.out_height()));
}

bool RepeatingSchedule::steady() const {
  return end() > 0 && end() >= bands_.stop_every + bands_.stop_ahead && made_.below_top;
}

RepeatingSchedule::Rows RepeatingSchedule::RowsAt(int64_t out_end) {
  const int64_t unit = schedule_.unit();
  const auto found = by_place_.find(out_end % unit);
  if (found == by_place_.end()) {
    Rows rows = CountRows(out_end);
    if (rows.repeats >= 0) by_place_.emplace(out_end % unit, rows);
    return rows;
  }
  const int64_t units = (out_end - found->second.out_end) / unit;
  if (units > found->second.repeats) return CountRows(out_end);
  Rows rows = found->second;
  rows.out_end = out_end;
  rows.made_end += units * unit;
  for (Input& input : rows.inputs) {
    input.end += units * input.unit;
    input.lowest += units * input.unit;
  }
  return rows;
}

RepeatingSchedule::Rows RepeatingSchedule::CountRows(int64_t out_end) {
  ++visits_;
  schedule_.RaiseEnds(out_end, &ends_);
  schedule_.FillLowest(ends_, &lowest_);
  Rows rows;
  rows.out_end = out_end;
  rows.made_end = ends_[static_cast<size_t>(plan_->output_tensor)];
  for (const int id : plan_->input_tensors) {
    const auto tensor = static_cast<size_t>(id);
    rows.inputs.push_back({ends_[tensor], lowest_[tensor], schedule_.unit(id)});
  }
  rows.below_top = true;
  for (size_t i = 0; i < ends_.size(); ++i) {
    rows.below_top = rows.below_top && std::min(ends_[i], lowest_[i]) > 0;
  }
  if (!rows.below_top) return rows;
  rows.repeats = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < ends_.size(); ++i) {
    const int id = static_cast<int>(i);
    const int64_t left = schedule_.height(id) - 1 - ends_[i];
    rows.repeats = std::min(rows.repeats, left < 0 ? -1 : left / schedule_.unit(id));
  }
  return rows;
}

}  // namespace glint
