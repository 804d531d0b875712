// Parallel loops: Runner, the callback that an embedding product may replace, and our own
// ThreadPool. Used by engine/ (rows of a band) and codec/. Tasks must not throw.
// Thread rules: a Runner may be called from any thread; ThreadPool serves one loop at a time, a
// loop started meanwhile (also from inside a task) runs on its caller alone.
#ifndef GLINT_ENGINE_THREAD_POOL_H_
#define GLINT_ENGINE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "engine/float_env.h"

namespace glint {

// `run` calls task(arg, index, worker) once for every index in [0, count), in any order, on any
// threads, and returns when all are done. Tasks that run at the same time have different worker <
// workers. nullptr: serial.
struct Runner {
  void (*run)(void* opaque, size_t count, void (*task)(void* arg, size_t index, size_t worker),
              void* arg) = nullptr;
  void* opaque = nullptr;
  size_t workers = 1;
};

inline Runner SerialRunner() { return Runner{}; }

// fn(index, worker) for every index in [0, count), each in the floating-point environment of exact
// results whatever threads the runner has.
template <typename Fn>
void ParallelFor(const Runner& runner, size_t count, Fn&& fn) {
  if (runner.run == nullptr || count <= 1) {
    const ScopedFloatEnv float_env;
    for (size_t i = 0; i < count; ++i) fn(i, size_t{0});
    return;
  }
  using Function = std::remove_reference_t<Fn>;
  const auto task = [](void* arg, size_t index, size_t worker) {
    const ScopedFloatEnv float_env;
    (*static_cast<Function*>(arg))(index, worker);
  };
  runner.run(runner.opaque, count, task,
             const_cast<void*>(static_cast<const void*>(std::addressof(fn))));
}

class ThreadPool {
 public:
  // `threads` counts the thread that calls; 0: one per hardware thread. When the system gives fewer
  // threads, the pool has fewer.
  explicit ThreadPool(size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t workers() const { return threads_.size() + 1; }
  // Valid as long as the pool.
  Runner runner();

 private:
  using Task = void (*)(void* arg, size_t index, size_t worker);

  void Run(size_t count, Task task, void* arg);
  void WorkerLoop(size_t worker);
  void AwaitLoop(uint64_t last_loop);
  void RunTasks(size_t worker);
  void Leave();
  void AwaitLeft(uint64_t joined);

  // The loop in progress; written while ticket_ is closed and all who joined have left.
  Task task_ = nullptr;
  void* arg_ = nullptr;
  size_t count_ = 0;

  // Number of the loop << 16 | open << 15 | workers who joined. A worker that wakes late finds the
  // loop closed, so nobody has to wait for it.
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<size_t> next_{0};
  alignas(64) std::atomic<uint64_t> left_{0};
  std::atomic<bool> busy_{false};
  std::atomic<bool> stop_{false};
  std::atomic<bool> caller_sleeps_{false};
  std::atomic<size_t> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::vector<std::thread> threads_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_THREAD_POOL_H_
