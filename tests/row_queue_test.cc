// Rows from one thread to another: all of them, in order, whatever the two sides do and when they
// stop.
#include "tools/commands/row_queue.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "tests/draws.h"
#include "tests/seed.h"

namespace glint::tools {
namespace {

std::vector<uint8_t> RowOf(uint32_t y, size_t bytes) {
  std::vector<uint8_t> row(bytes);
  for (size_t i = 0; i < bytes; ++i) row[i] = static_cast<uint8_t>(y * 31 + i * 7 + (y >> 8));
  return row;
}

void Linger(testing::Draws* draws) {
  if (draws->Percent(5)) std::this_thread::sleep_for(std::chrono::microseconds(200));
}

// Pushes `pushed` rows, takes at most `taken`, and returns how many came right.
uint32_t Pass(size_t bytes, uint32_t pushed, uint32_t taken, uint32_t seed) {
  RowQueue queue(bytes);
  std::thread producer([&queue, bytes, pushed, seed] {
    testing::Draws draws({seed, 1});
    for (uint32_t y = 0; y < pushed; ++y) {
      Linger(&draws);
      if (!queue.Push(RowOf(y, bytes).data())) return;
    }
    queue.End();
  });
  testing::Draws draws({seed, 2});
  std::vector<uint8_t> row(bytes);
  uint32_t right = 0;
  for (uint32_t y = 0; y < taken && queue.Pop(row.data()); ++y) {
    Linger(&draws);
    right += row == RowOf(y, bytes);
  }
  queue.Stop();
  producer.join();
  return right;
}

TEST_CASE("row queue: every row comes, in order, and then no more") {
  testing::Draws draws({TestSeed(), 77});
  for (int i = 0; i < 30; ++i) {
    const auto bytes = static_cast<size_t>(draws.Of({1, 3, 100, 5000, 100000, 600000}));
    const auto rows = static_cast<uint32_t>(draws.Whole(0, bytes > 10000 ? 20 : 2000));
    CAPTURE(bytes);
    CAPTURE(rows);
    CHECK(Pass(bytes, rows, UINT32_MAX, draws.Seed()) == rows);
  }
}

TEST_CASE("row queue: a side that waits goes on when the other stops") {
  testing::Draws draws({TestSeed(), 78});
  for (int i = 0; i < 40; ++i) {
    const auto bytes = static_cast<size_t>(draws.Of({1, 100, 100000}));
    const auto taken = static_cast<uint32_t>(draws.Whole(0, 30));
    CHECK(Pass(bytes, 5000, taken, draws.Seed()) == taken);
  }
  RowQueue queue(8);
  std::thread consumer([&queue] {
    uint8_t row[8];
    CHECK_FALSE(queue.Pop(row));
  });
  queue.Stop();
  consumer.join();
  const uint8_t row[8] = {};
  CHECK_FALSE(queue.Push(row));
}

TEST_CASE("row queue: its thread ends with it, wherever it is") {
  const auto count = [](RowQueue* queue, uint8_t* row) {
    for (int y = 0; y < 5000; ++y) {
      *row = static_cast<uint8_t>(y);
      if (!queue->Push(row)) return;
    }
    queue->End();
  };
  uint8_t row = 0;
  for (const int taken : {0, 1, 300, 5000}) {
    const auto queue = RowQueue::Start(1, count);
    REQUIRE(queue != nullptr);
    int right = 0;
    for (int y = 0; y < taken; ++y) right += queue->Pop(&row) && row == static_cast<uint8_t>(y);
    CHECK(right == taken);
    if (taken < 5000) continue;
    CHECK_FALSE(queue->Pop(&row));
    CHECK(queue->Join());
  }
  const auto idle = RowQueue::Start(1, [](RowQueue* queue, uint8_t* to) { queue->Pop(to); });
}

TEST_CASE("row queue: where memory runs out on its thread, both sides end and it says so") {
  const auto queue = RowQueue::Start(1, [](RowQueue* to, uint8_t* row) {
    to->Push(row);
    throw std::bad_alloc();
  });
  REQUIRE(queue != nullptr);
  uint8_t row = 0;
  for (int y = 0; y < 2 && queue->Pop(&row); ++y) {
  }
  CHECK_FALSE(queue->Pop(&row));
  CHECK_FALSE(queue->Join());
}

TEST_CASE(
    "row queue: rows that would take many megabytes have none, and nothing is held for them") {
  constexpr size_t kLong = (size_t{4} << 20) + 1;
  bool ran = false;
  const auto work = [&ran](RowQueue* queue, uint8_t*) {
    ran = true;
    queue->End();
  };
  CHECK(RowQueue::Start(kLong, work) == nullptr);
  CHECK_FALSE(ran);
  CHECK(RowQueue::MemoryOf(kLong) == 0);
  CHECK(RowQueue::MemoryOf(kLong - 1) == 3 * (kLong - 1));
}

TEST_CASE("row queue: files have a thread where there are two, pipes have none") {
  const std::string file =
      std::filesystem::temp_directory_path() / ("glint_row_queue_" + std::to_string(getpid()));
  std::ofstream(file) << "x";
  CHECK(HasThreadForRows(2, file));
  CHECK(HasThreadForRows(2, file + ".new"));
  CHECK_FALSE(HasThreadForRows(1, file));
  CHECK_FALSE(HasThreadForRows(8, "-"));
  CHECK_FALSE(HasThreadForRows(8, "/dev/null"));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace glint::tools
