// RowRing: which memory a row has, what stands around it, and what a checked ring notices.
#include "engine/row_ring.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/row_faults.h"
#include "tests/seed.h"

namespace glint {
namespace {

RowRing::Layout DrawLayout(std::mt19937* random) {
  const auto draw = [random](size_t low, size_t high) {
    return std::uniform_int_distribution<size_t>(low, high)(*random);
  };
  constexpr kernels::Element kElements[] = {kernels::Element::kF32, kernels::Element::kF16,
                                            kernels::Element::kI16, kernels::Element::kU8};
  RowRing::Layout layout;
  layout.element = kElements[draw(0, 3)];
  if (layout.element == kernels::Element::kU8) layout.zero = static_cast<uint8_t>(draw(0, 255));
  layout.channels = draw(1, 70);
  layout.width = draw(0, 3) == 0 ? 1 : draw(1, 40);
  layout.height = static_cast<int64_t>(draw(1, 60));
  layout.halo_left = draw(0, 9);
  layout.halo_right = draw(0, 9);
  layout.capacity = draw(1, 12);
  return layout;
}

// All that may be read of a row: halos and the vector behind the last pixel.
constexpr size_t kSlack = 64;

// Are `pixels` pixels from `first` on of a row all zeros, and the slack behind the last of them?
bool IsZero(const RowRing& ring, const uint8_t* first, size_t bytes) {
  return std::all_of(first, first + bytes, [&](uint8_t b) { return b == ring.layout().zero; });
}

}  // namespace

TEST_CASE("row ring: rows keep what was written, and what stands around them stays zero") {
  std::mt19937 random(TestSeed() + 210);
  for (int i = 0; i < 200; ++i) {
    const RowRing::Layout layout = DrawLayout(&random);
    CAPTURE(i);
    RowRing ring;
    REQUIRE(ring.Allocate(layout).ok());
    CHECK(layout.Bytes() == layout.RowBytes() * (layout.capacity + 1));
    const size_t pixel = ring.pixel_bytes();
    const size_t bytes = layout.width * pixel, left = layout.halo_left * pixel;
    const size_t right = layout.halo_right * pixel + kSlack;
    const auto content = [](int64_t row, size_t at) {
      return static_cast<uint8_t>(static_cast<size_t>(row) * 31 + at * 7 + 1);
    };
    for (int64_t row = 0; row < layout.height; ++row) {
      uint8_t* written = ring.WriteRow(row);
      // Kernels load whole vectors from pixel 0 on.
      CHECK(reinterpret_cast<uintptr_t>(written) % 64 == 0);
      for (size_t at = 0; at < bytes; ++at) written[at] = content(row, at);
      // Of all rows that are still there.
      const int64_t oldest = std::max<int64_t>(0, row + 1 - static_cast<int64_t>(layout.capacity));
      size_t differ = 0;
      for (int64_t r = oldest; r <= row; ++r) {
        const uint8_t* read = ring.Row(r);
        for (size_t at = 0; at < bytes; ++at) differ += read[at] != content(r, at);
        differ += !IsZero(ring, read - left, left);
        differ += !IsZero(ring, read + bytes, right);
      }
      CHECK(differ == 0);
    }
    for (const int64_t outside : {int64_t{-1}, int64_t{-7}, layout.height, layout.height + 100}) {
      const uint8_t* zeros = ring.RowOrZero(outside);
      CHECK(reinterpret_cast<uintptr_t>(zeros) % 64 == 0);
      CHECK(IsZero(ring, zeros - left, left + bytes + right));
    }
    CHECK(ring.RowOrZero(layout.height - 1) == ring.Row(layout.height - 1));
  }
}

TEST_CASE("row ring: a row takes the memory of the one `capacity` before it, and of no other") {
  std::mt19937 random(TestSeed() + 211);
  for (int i = 0; i < 50; ++i) {
    RowRing::Layout layout = DrawLayout(&random);
    layout.height = 1000;
    RowRing ring;
    REQUIRE(ring.Allocate(layout).ok());
    const int64_t capacity = static_cast<int64_t>(layout.capacity);
    std::vector<const uint8_t*> places;
    for (int64_t row = 0; row < 3 * capacity; ++row) places.push_back(ring.WriteRow(row));
    for (int64_t a = 0; a < 3 * capacity; ++a) {
      for (int64_t b = 0; b < a; ++b) {
        const bool same = places[static_cast<size_t>(a)] == places[static_cast<size_t>(b)];
        CHECK(same == ((a - b) % capacity == 0));
      }
    }
  }
}

TEST_CASE("row ring: begun anew it is zero again, and without rows it has one") {
  RowRing::Layout layout;
  layout.channels = 3;
  layout.width = 5;
  layout.height = 4;
  layout.capacity = 0;
  RowRing ring;
  REQUIRE(ring.Allocate(layout).ok());
  CHECK(ring.layout().capacity == 1);
  std::fill_n(ring.WriteFloats(0), 15, 1.0f);
  REQUIRE(ring.Allocate(layout).ok());
  const float* row = ring.WriteFloats(0);
  CHECK(std::all_of(row, row + 15, [](float v) { return v == 0.0f; }));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they end the program instead
TEST_CASE("row ring: memory that cannot be had is an error with the number of bytes") {
  RowRing::Layout layout;
  layout.channels = 4096;
  layout.width = size_t{1} << 30;
  layout.height = int64_t{1} << 30;
  layout.capacity = size_t{1} << 17;
  RowRing ring;
  const Status status = ring.Allocate(layout);
  CHECK(status.code() == StatusCode::kLimit);
  CHECK(status.message() == "out of memory: " + std::to_string(layout.Bytes()) + " bytes for rows");
}
#endif

TEST_CASE("row ledger: what is read must be what was written last, by the same tensor") {
  const testing::NotedRowFaults noted;
  RowRing::Layout layout;
  layout.channels = layout.width = 1;
  layout.height = 100;
  layout.capacity = 4;
  RowRing ring;
  REQUIRE(ring.Allocate(layout).ok());
  const std::string graph = "g", other_graph = "h", x = "x", y = "y";
  const RowUser user{&graph, &x};
  const auto fault = [&](const auto& act) {
    noted.Noted().clear();
    act();
    REQUIRE(noted.Noted().size() <= 1);
    return noted.Noted().empty() ? std::string() : noted.Noted()[0];
  };
  CHECK(fault([&] { ring.Row(2, user); }) ==
        "graph g, tensor x: reads row 2, where nothing has been written");
  CHECK(fault([&] { ring.WriteRow(2, user); }).empty());
  CHECK(fault([&] { ring.Row(2, user); }).empty());
  CHECK(fault([&] { ring.Row(6, user); }) ==
        "graph g, tensor x: reads row 6, where row 2 of graph g, tensor x is");
  CHECK(fault([&] { ring.WriteRow(6, user); }).empty());
  CHECK(fault([&] { ring.Row(2, user); }) ==
        "graph g, tensor x: reads row 2, where row 6 of graph g, tensor x is");
  CHECK(fault([&] { ring.WriteRow(2, user); }) ==
        "graph g, tensor x: writes row 2, where row 6 of graph g, tensor x is");
  ring.WriteRow(10, user);
  // Another tensor of the graph has not been written there; another graph calls the same one so.
  CHECK(fault([&] {
          ring.Row(10, {&graph, &y});
        }) == "graph g, tensor y: reads row 10, where row 10 of graph g, tensor x is");
  CHECK(fault([&] { ring.Row(10, {&other_graph, &y}); }).empty());
  CHECK(fault([&] { ring.Row(10); }).empty());
  CHECK(fault([&] { ring.Row(14); }) ==
        "the latents: reads row 14, where row 10 of graph g, tensor x is");
  // What lies outside of the tensor needs no row.
  CHECK(fault([&] { ring.RowOrZero(-1, user); }).empty());
  CHECK(fault([&] { ring.RowOrZero(100, user); }).empty());
}

}  // namespace glint
