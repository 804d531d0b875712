// The progress of a call whose work many threads do: they count it, the caller's callback hears of
// it and may stop them. Called by engine/mapped_file, engine/model_file, engine/plan and
// codec/model.
// Thread rules: Done may be called by any thread, the callback is called by one at a time; Begin
// and Rethrow by the thread that the call belongs to, while no other is at work.
#ifndef GLINT_ENGINE_WORK_PROGRESS_H_
#define GLINT_ENGINE_WORK_PROGRESS_H_

#include <algorithm>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>

#include "engine/status.h"

namespace glint {

class WorkProgress {
 public:
  // `hear` gets 0..1, never less than before, and returns false to stop; none: nothing is told.
  explicit WorkProgress(std::function<bool(double done)> hear = nullptr) : hear_(std::move(hear)) {}

  // A part of the call begins where the one before ended, and ends at `end` of 0..1.
  void Begin(double end) {
    begin_ = end_;
    end_ = end;
    done_ = 0;
  }

  // A share of the part is done. kCancelled from when the callback returned false or threw.
  Status Done(double share) {
    if (!hear_) return Status::Ok();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!stopped_) Tell(share);
    if (!stopped_) return Status::Ok();
    return Status::Error(StatusCode::kCancelled, "stopped by the progress callback");
  }

  // What the callback threw, to the caller.
  void Rethrow() const {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
  }

 private:
  void Tell(double share) {
    done_ = std::min(1.0, done_ + share);
    told_ = std::max(told_, begin_ + (end_ - begin_) * done_);
    stopped_ = true;  // unless the callback returns true
    try {
      stopped_ = !hear_(told_);
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }

  const std::function<bool(double done)> hear_;
  std::mutex mutex_;
  double begin_ = 0, end_ = 0, done_ = 0, told_ = 0;
  bool stopped_ = false;
  std::exception_ptr thrown_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_WORK_PROGRESS_H_
