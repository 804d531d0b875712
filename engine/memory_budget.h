// How much memory a model may take: counted as it is taken, refused before it is. Called by
// engine/model_file, engine/plan and codec/model.
// Thread rules: any thread may take and give back at any time.
#ifndef GLINT_ENGINE_MEMORY_BUDGET_H_
#define GLINT_ENGINE_MEMORY_BUDGET_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "engine/status.h"

namespace glint {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit = UINT64_MAX) : limit_(limit) {}

  // kLimit, and nothing is taken, where it is beyond the limit. `what` begins the message.
  Status Take(uint64_t bytes, const std::string& what) {
    uint64_t taken = taken_.load();
    do {
      if (bytes > limit_ - taken) {
        return Status::Error(StatusCode::kLimit,
                             what + " would take the memory of the model beyond its limit of " +
                                 std::to_string(limit_) + " bytes");
      }
    } while (!taken_.compare_exchange_weak(taken, taken + bytes));
    return Status::Ok();
  }
  void GiveBack(uint64_t bytes) { taken_ -= bytes; }
  uint64_t taken() const { return taken_; }

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> taken_{0};
};

// What one task takes of a budget: given back at its end, unless it is kept.
class BudgetShare {
 public:
  explicit BudgetShare(MemoryBudget* budget) : budget_(budget) {}
  ~BudgetShare() { budget_->GiveBack(taken_); }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  Status Take(uint64_t bytes, const std::string& what) {
    GLINT_TRY(budget_->Take(bytes, what));
    taken_ += bytes;
    return Status::Ok();
  }
  void GiveBack(uint64_t bytes) {
    budget_->GiveBack(bytes);
    taken_ -= bytes;
  }
  void Keep() { taken_ = 0; }

 private:
  MemoryBudget* const budget_;
  uint64_t taken_ = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_MEMORY_BUDGET_H_
