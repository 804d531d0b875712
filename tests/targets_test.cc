// Choosing a SIMD target.

#include "kernels/targets.h"

#include <doctest/doctest.h>

namespace glint::kernels {

TEST_CASE("targets: each supported one can be chosen, by any case, and the best is the default") {
  const std::vector<std::string> targets = SupportedTargets();
  REQUIRE(!targets.empty());
  for (const std::string& target : targets) {
    CHECK(SetTarget(target));
    CHECK(CurrentTarget() == target);
    CHECK(SupportedTargets() == targets);  // the list does not depend on the choice,
    CHECK(CurrentTarget() == target);      // nor the choice on asking for the list
  }
  std::string lower = targets.back();
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  CHECK(SetTarget(lower));
  CHECK(CurrentTarget() == targets.back());
  CHECK(!SetTarget("ABACUS"));
  CHECK(CurrentTarget() == targets.back());  // a wrong name changes nothing
  CHECK(SetTarget("best"));
  CHECK(CurrentTarget() == targets.front());
  CHECK(SetTarget(""));
  CHECK(CurrentTarget() == targets.front());
}

}  // namespace glint::kernels
