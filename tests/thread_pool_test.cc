// The thread pool: every index once, distinct workers, loops inside loops, pools shared by callers,
// the floating-point environment of tasks.
#include "engine/thread_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

namespace glint {
namespace {

TEST_CASE("thread pool: every index once, by workers in range") {
  for (const size_t threads : {1U, 2U, 3U, 5U}) {
    ThreadPool pool(threads);
    REQUIRE(pool.workers() == threads);
    const Runner runner = pool.runner();
    CHECK(runner.workers == threads);
    for (const size_t count : {0U, 1U, 2U, 3U, 7U, 64U, 1000U}) {
      for (int repeat = 0; repeat < 20; ++repeat) {
        std::vector<std::atomic<int>> calls(count);
        std::atomic<bool> in_range{true};
        ParallelFor(runner, count, [&](size_t index, size_t worker) {
          calls[index].fetch_add(1);
          if (worker >= threads) in_range = false;
        });
        CHECK(in_range);
        for (const std::atomic<int>& c : calls) REQUIRE(c.load() == 1);
      }
    }
  }
}

TEST_CASE("thread pool: no two tasks of a worker at the same time, plain memory is handed over") {
  ThreadPool pool(4);
  const Runner runner = pool.runner();
  std::vector<size_t> sums(pool.workers());  // one per worker, without atomics
  std::vector<std::atomic<int>> inside(pool.workers());
  std::atomic<bool> alone{true};
  size_t total = 0;
  for (size_t loop = 0; loop < 500; ++loop) {
    ParallelFor(runner, 50, [&](size_t index, size_t worker) {
      if (inside[worker].fetch_add(1) != 0) alone = false;
      sums[worker] += index + loop;
      inside[worker].fetch_sub(1);
    });
    total += 49 * 50 / 2 + 50 * loop;
  }
  size_t sum = 0;
  for (const size_t s : sums) sum += s;
  CHECK(alone);
  CHECK(sum == total);
}

TEST_CASE("thread pool: several threads really take part") {
  ThreadPool pool(2);
  std::atomic<int> arrived{0};
  // Each task waits for the other: this ends only when two threads run.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  ParallelFor(pool.runner(), 2, [&](size_t, size_t) {
    arrived.fetch_add(1);
    while (arrived.load() < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  });
  CHECK(arrived == 2);
  CHECK(std::chrono::steady_clock::now() < end);
}

TEST_CASE("thread pool: workers that fell asleep wake up, callers sleep through long tasks") {
  ThreadPool pool(3);
  std::atomic<int> done{0};
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ParallelFor(pool.runner(), 6, [&](size_t index, size_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(index % 3));
      done.fetch_add(1);
    });
    CHECK(done == 6 * (repeat + 1));
  }
}

TEST_CASE("thread pool: a loop inside a task and loops of several callers") {
  ThreadPool pool(3);
  const Runner runner = pool.runner();
  std::atomic<int> calls{0};
  ParallelFor(runner, 8, [&](size_t, size_t) {
    ParallelFor(runner, 8, [&](size_t, size_t) { calls.fetch_add(1); });
  });
  CHECK(calls == 64);

  std::vector<std::thread> callers;
  calls = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int loop = 0; loop < 200; ++loop) {
        int mine[16] = {};
        ParallelFor(runner, 16, [&](size_t index, size_t) { mine[index] = 1; });
        for (const int m : mine) calls.fetch_add(m);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(calls == 4 * 200 * 16);
}

TEST_CASE("thread pool: made and destroyed at once, with and without work") {
  for (int i = 0; i < 50; ++i) {
    ThreadPool pool(4);
    std::atomic<int> calls{0};
    if (i % 2 == 0) ParallelFor(pool.runner(), 3, [&](size_t, size_t) { calls.fetch_add(1); });
    CHECK(calls == (i % 2 == 0 ? 3 : 0));
  }
  CHECK(ThreadPool(0).workers() >= 1);
}

TEST_CASE("runner: serial, in order, and a foreign one") {
  std::vector<size_t> order;
  ParallelFor(SerialRunner(), 4, [&](size_t index, size_t worker) {
    CHECK(worker == 0);
    order.push_back(index);
  });
  CHECK(order == std::vector<size_t>{0, 1, 2, 3});

  const auto backwards = [](void* opaque, size_t count, void (*task)(void*, size_t, size_t),
                            void* arg) {
    ++*static_cast<int*>(opaque);
    for (size_t i = count; i > 0; --i) task(arg, i - 1, 1);
  };
  int loops = 0;
  order.clear();
  ParallelFor(Runner{backwards, &loops, 2}, 3, [&](size_t i, size_t) { order.push_back(i); });
  CHECK(loops == 1);
  CHECK(order == std::vector<size_t>{2, 1, 0});
}

// Volatile keeps the compiler from computing at compile time.
float Divide(float a, float b) {
  const volatile float x = a, y = b;
  return x / y;
}

TEST_CASE("float environment: set inside, restored outside, also in tasks of foreign threads") {
  REQUIRE(std::fesetround(FE_DOWNWARD) == 0);
  const float down = Divide(1, 3);
  float inside = 0, in_task = 0;
  {
    const ScopedFloatEnv env;
    inside = Divide(1, 3);
  }
  const float restored = Divide(1, 3);
  ParallelFor(SerialRunner(), 1, [&](size_t, size_t) { in_task = Divide(1, 3); });
  float in_foreign_thread = 0;
  const auto on_a_thread = [](void*, size_t count, void (*task)(void*, size_t, size_t), void* arg) {
    std::thread([&] {
      std::fesetround(FE_DOWNWARD);
      for (size_t i = 0; i < count; ++i) task(arg, i, 0);
    }).join();
  };
  ParallelFor(Runner{on_a_thread, nullptr, 2}, 2,
              [&](size_t, size_t) { in_foreign_thread = Divide(1, 3); });
  REQUIRE(std::fesetround(FE_TONEAREST) == 0);
  const float nearest = Divide(1, 3);
  CHECK(down == std::nextafter(nearest, 0.0f));
  CHECK(restored == down);
  CHECK(inside == nearest);
  CHECK(in_task == nearest);
  CHECK(in_foreign_thread == nearest);
}

#if defined(__SSE2__)
TEST_CASE("float environment: denormals are kept") {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero
  const float flushed = Divide(0x1p-126f, 4);
  float kept = 0;
  {
    const ScopedFloatEnv env;
    kept = Divide(0x1p-126f, 4);
  }
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  CHECK(flushed == 0.0f);
  CHECK(kept == 0x1p-128f);
  CHECK((after & 0x8040) == 0x8040);
}
#endif

}  // namespace
}  // namespace glint
