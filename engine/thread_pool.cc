#include "engine/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>

namespace glint {
namespace {

constexpr size_t kMaxThreads = 256;
constexpr uint64_t kOpen = uint64_t{1} << 15;
constexpr uint64_t kJoinedMask = kOpen - 1;
constexpr int kLoopShift = 16;

// Longer than the gaps between the loops of a band, shorter than a scheduler's time slice.
constexpr std::chrono::microseconds kSpinTime{40};

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// True as soon as ready() is; false when it is not within kSpinTime.
template <typename Ready>
bool SpinUntil(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

bool Joinable(uint64_t ticket, uint64_t last_loop) {
  return (ticket & kOpen) != 0 && (ticket >> kLoopShift) != last_loop;
}

}  // namespace

ThreadPool::ThreadPool(size_t threads) {
  if (threads == 0) threads = std::max<size_t>(1, std::thread::hardware_concurrency());
  threads = std::min(threads, kMaxThreads);
  threads_.reserve(threads - 1);
  for (size_t worker = 1; worker < threads; ++worker) {
    try {
      threads_.emplace_back([this, worker] { WorkerLoop(worker); });
    } catch (const std::system_error&) {
      break;
    } catch (const std::bad_alloc&) {  // must not leave here: the threads that there are would end
      break;                           // the process
    }
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_.store(true);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Runner ThreadPool::runner() {
  const auto run = [](void* opaque, size_t count, Task task, void* arg) {
    static_cast<ThreadPool*>(opaque)->Run(count, task, arg);
  };
  return Runner{run, this, workers()};
}

void ThreadPool::Run(size_t count, Task task, void* arg) {
  if (threads_.empty() || count <= 1 || busy_.exchange(true, std::memory_order_acquire)) {
    for (size_t i = 0; i < count; ++i) task(arg, i, 0);
    return;
  }
  task_ = task;
  arg_ = arg;
  count_ = count;
  next_.store(0, std::memory_order_relaxed);
  left_.store(0, std::memory_order_relaxed);
  const uint64_t loop = (ticket_.load(std::memory_order_relaxed) >> kLoopShift) + 1;
  // Sequentially consistent with sleepers_: either we see a sleeper, or it sees the open ticket.
  ticket_.store(loop << kLoopShift | kOpen);
  const size_t sleepers = sleepers_.load();
  if (sleepers > 0) {
    { const std::lock_guard<std::mutex> lock(mutex_); }
    for (size_t i = std::min(sleepers, count - 1); i > 0; --i) wake_.notify_one();
  }
  RunTasks(0);
  AwaitLeft(ticket_.fetch_and(~kOpen, std::memory_order_acq_rel) & kJoinedMask);
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::RunTasks(size_t worker) {
  while (true) {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count_) return;
    task_(arg_, index, worker);
  }
}

void ThreadPool::WorkerLoop(size_t worker) {
  uint64_t last_loop = 0;
  while (true) {
    AwaitLoop(last_loop);
    if (stop_.load()) return;
    uint64_t ticket = ticket_.load(std::memory_order_relaxed);
    if (!Joinable(ticket, last_loop) ||
        !ticket_.compare_exchange_strong(ticket, ticket + 1, std::memory_order_acq_rel)) {
      continue;
    }
    last_loop = ticket >> kLoopShift;
    RunTasks(worker);
    Leave();
  }
}

void ThreadPool::AwaitLoop(uint64_t last_loop) {
  const auto ready = [&] { return stop_.load() || Joinable(ticket_.load(), last_loop); };
  if (SpinUntil(ready)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  sleepers_.fetch_add(1);
  wake_.wait(lock, ready);
  sleepers_.fetch_sub(1);
}

void ThreadPool::Leave() {
  left_.fetch_add(1);
  if (!caller_sleeps_.load()) return;
  { const std::lock_guard<std::mutex> lock(mutex_); }
  done_.notify_one();
}

void ThreadPool::AwaitLeft(uint64_t joined) {
  const auto ready = [&] { return left_.load() == joined; };
  if (SpinUntil(ready)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  caller_sleeps_.store(true);
  done_.wait(lock, ready);
  caller_sleeps_.store(false);
}

}  // namespace glint
