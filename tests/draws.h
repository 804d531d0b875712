// Draws for randomised tests: the same ones for the same numbers, whatever the standard library.
// Used by tests/ only.
// Thread rules: a value; one thread at a time.
#ifndef GLINT_TESTS_DRAWS_H_
#define GLINT_TESTS_DRAWS_H_

#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

namespace glint::testing {

class Draws {
 public:
  explicit Draws(std::initializer_list<uint32_t> seeds) {
    std::seed_seq sequence(seeds);
    random_.seed(sequence);
  }

  uint32_t Seed() { return static_cast<uint32_t>(random_()); }
  // low to high, both included.
  int Whole(int low, int high) {
    const auto count = static_cast<uint32_t>(high - low + 1);
    return low + static_cast<int>(Seed() % count);
  }
  double Real(double low, double high) { return low + (high - low) * (Seed() >> 8) * 0x1p-24; }
  bool Percent(int chance) { return Whole(0, 99) < chance; }
  template <typename T>
  T Of(const std::vector<T>& list) {
    return list[static_cast<size_t>(Seed()) % list.size()];
  }
  int Of(std::initializer_list<int> list) { return Of(std::vector<int>(list)); }

 private:
  std::mt19937 random_;
};

}  // namespace glint::testing

#endif  // GLINT_TESTS_DRAWS_H_
