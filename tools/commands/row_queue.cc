#include "tools/commands/row_queue.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "tools/common/console.h"
#include "tools/common/machine.h"

namespace glint::tools {
namespace {

// Longer rows, of pictures a million pixels wide, would take memory that the codec wants.
constexpr size_t kLongestRow = size_t{4} << 20;

size_t SlotsFor(size_t row_bytes) {
  constexpr size_t kBytes = size_t{1} << 20, kMost = 256;
  return std::clamp<size_t>(kBytes / std::max<size_t>(1, row_bytes), 2, kMost);
}

}  // namespace

// One row more for the work.
RowQueue::RowQueue(size_t row_bytes)
    : row_bytes_(row_bytes),
      slots_(SlotsFor(row_bytes)),
      batch_(std::max<size_t>(1, slots_ / 8)),
      rows_(row_bytes * (slots_ + 1)) {}

std::unique_ptr<RowQueue> RowQueue::Start(size_t row_bytes, Work work) {
  if (row_bytes > kLongestRow) return nullptr;
  try {
    auto queue = std::make_unique<RowQueue>(row_bytes);
    queue->thread_ = std::thread([raw = queue.get(), moved = std::move(work)] { raw->Run(moved); });
    return queue;
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  }
  return nullptr;
}

RowQueue::~RowQueue() {
  Stop();
  Join();
}

void RowQueue::Run(const Work& work) noexcept {
  try {
    work(this, rows_.data() + slots_ * row_bytes_);
  } catch (const std::bad_alloc&) {
    out_of_memory_ = true;
    Stop();
  }
}

bool RowQueue::Join() {
  if (thread_.joinable()) thread_.join();
  return !out_of_memory_;
}

uint64_t RowQueue::MemoryOf(size_t row_bytes) {
  return row_bytes > kLongestRow ? 0 : uint64_t{row_bytes} * (SlotsFor(row_bytes) + 1);
}

// A row's bytes are copied without the lock: a slot belongs to one side at a time. Who waits found
// the queue empty, or full, and is woken when there is something to do for more than a row.
bool RowQueue::Push(const void* row) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || pushed_ - popped_ < slots_; });
    if (stopped_) return false;
  }
  std::memcpy(Slot(pushed_), row, row_bytes_);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (++pushed_ - popped_ == batch_) changed_.notify_one();
  return !stopped_;
}

void RowQueue::End() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  changed_.notify_one();
}

bool RowQueue::Pop(void* row) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || ended_ || pushed_ > popped_; });
    if (stopped_ || pushed_ == popped_) return false;
  }
  std::memcpy(row, Slot(popped_), row_bytes_);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (slots_ - (pushed_ - ++popped_) == batch_) changed_.notify_one();
  return true;
}

void RowQueue::Stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  changed_.notify_one();
}

bool HasThreadForRows(int threads, const std::string& path) {
  return (threads == 0 ? HardwareThreads() : threads) >= 2 && IsStoredFile(path);
}

}  // namespace glint::tools
