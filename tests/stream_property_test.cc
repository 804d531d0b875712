// Streams of drawn pictures, models and settings: one stream, one set of latents and one picture,
// whatever the threads, bands and targets. GLINT_STREAM_CASES=N draws so many cases (200 unless it
// is set), GLINT_STREAM_CASE=I only number I. A fault says what repeats its case.

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/seed.h"
#include "tests/stream_cases.h"

namespace glint::testing {
namespace {

constexpr uint32_t kUsualCases = 200;
constexpr uint32_t kProgressEvery = 500;

// The number that an environment variable has, or `otherwise`.
uint32_t NumberOf(const char* variable, uint32_t otherwise) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return otherwise;
  return static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

bool IsHolding(uint32_t seed, uint32_t index, StreamModels* models) {
  const StreamCase stream_case = DrawCase(seed, index, models);
  const std::vector<std::string> faults = CheckCase(stream_case, models);
  if (faults.empty()) return true;
  std::string text = "GLINT_SEED=" + std::to_string(seed) +
                     " GLINT_STREAM_CASE=" + std::to_string(index) +
                     " repeats it: " + Describe(stream_case);
  for (const std::string& fault : faults) text += "\n    " + fault;
  FAIL_CHECK(text);
  return false;
}

TEST_CASE("streams: drawn cases give one stream, one set of latents, one picture") {
  constexpr uint32_t kAll = ~uint32_t{0};
  const uint32_t only = NumberOf("GLINT_STREAM_CASE", kAll);
  const uint32_t begin = only == kAll ? 0 : only;
  const uint32_t end = only == kAll ? NumberOf("GLINT_STREAM_CASES", kUsualCases) : only + 1;
  REQUIRE(begin < end);
  StreamModels models;
  uint32_t held = 0;
  for (uint32_t index = begin; index < end; ++index) {
    if (index % kCasesWithSameModels == 0) models.Clear();
    held += IsHolding(TestSeed(), index, &models) ? 1 : 0;
    if ((index + 1) % kProgressEvery != 0) continue;
    std::printf("streams: %u cases of %u, %u hold\n", index + 1, end, held);
    std::fflush(stdout);
  }
  CHECK(held == end - begin);
}

}  // namespace
}  // namespace glint::testing
