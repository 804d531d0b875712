// The seed of this run's randomised tests; tests/main.cc prints it before the first test.
// Called by tests: std::mt19937 random(TestSeed() + n), with another n for each test.
// Thread rules: any thread.
#ifndef GLINT_TESTS_SEED_H_
#define GLINT_TESTS_SEED_H_

#include <cstdint>

namespace glint {

uint32_t TestSeed();

}  // namespace glint

#endif  // GLINT_TESTS_SEED_H_
