// The entry of glint_tests. Prints the seed of randomised tests, so that a failure can be repeated:
// GLINT_SEED=N chooses it. Where cases are only listed, the list is all that is printed: ctest
// reads it. One thread; tests make their own.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

#include "tests/seed.h"

namespace glint {
namespace {

uint32_t ChooseSeed() {
  const char* text = std::getenv("GLINT_SEED");
  if (text != nullptr && *text != '\0')
    return static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
  return std::random_device{}();
}

}  // namespace

uint32_t TestSeed() {
  static const uint32_t seed = ChooseSeed();
  return seed;
}

}  // namespace glint

int main(int argc, char** argv) {
  const bool lists = std::any_of(argv + 1, argv + argc, [](std::string_view argument) {
    return argument.starts_with("-l") || argument.starts_with("--list");
  });
  if (!lists) {
    std::printf("GLINT random seed: %u (GLINT_SEED=%u repeats it)\n", glint::TestSeed(),
                glint::TestSeed());
    std::fflush(stdout);
  }
  doctest::Context context(argc, argv);
  return context.run();
}
