// Choosing a SIMD target.

#include "kernels/targets.h"

#include <doctest/doctest.h>
#if defined(__aarch64__) && defined(__linux__)
#include <hwy/detect_targets.h>
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

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

#if defined(__x86_64__)
TEST_CASE(
    "targets: AVX2_VNNI is there where the CPU says so, before AVX2, with products of bytes") {
  struct Reset {
    ~Reset() { SetTarget(""); }
  } reset;
  std::string flags;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; flags.empty() && std::getline(file, line);) {
    if (line.rfind("flags", 0) == 0) flags = line + " ";
  }
  const std::vector<std::string> names = SupportedTargets();
  const auto avx2 = std::find(names.begin(), names.end(), "AVX2");
  const auto vnni = std::find(names.begin(), names.end(), "AVX2_VNNI");
  // Kernels before Linux 5.12 do not name it.
  if (flags.find(" avx_vnni ") != std::string::npos && avx2 != names.end()) {
    CHECK(vnni != names.end());
  }
  if (avx2 != names.end()) {
    REQUIRE(SetTarget("AVX2"));
    CHECK(!UsesAvxVnni());
    CHECK(!HasFastBytes());
  }
  if (vnni == names.end()) {
    CHECK(!SetTarget("AVX2_VNNI"));
    return;
  }
  REQUIRE(vnni + 1 == avx2);
  REQUIRE(SetTarget("avx2_vnni"));
  CHECK(UsesAvxVnni());
  CHECK(HasFastBytes());
  for (const std::string& name : names) {
    REQUIRE(SetTarget(name));
    CHECK(UsesAvxVnni() == (name == "AVX2_VNNI"));
  }
}
#endif

#if defined(__aarch64__) && defined(__linux__)
// Not every compiler makes kernels for it (HWY_TARGETS): GCC does since 13.2, Clang since 17.
TEST_CASE("targets: NEON_BF16 is the best where the CPU says so, with sums of float16") {
  struct Reset {
    ~Reset() { SetTarget(""); }
  } reset;
  const uint64_t wanted = HWCAP_AES | HWCAP_ASIMDHP | HWCAP_ASIMDDP;
  const bool runs =
      (getauxval(AT_HWCAP) & wanted) == wanted && (getauxval(AT_HWCAP2) & HWCAP2_BF16) != 0;
  const bool expected = runs && (HWY_TARGETS & HWY_NEON_BF16) != 0;
  const std::vector<std::string> names = SupportedTargets();
  CHECK((names.front() == "NEON_BF16") == expected);
  for (const std::string& name : names) {
    REQUIRE(SetTarget(name));
    CHECK(HasFastFloat16());
    CHECK(HasFastFloat16Sums() == HasFloat16Sums());
    if (name == "NEON_BF16") CHECK(HasFloat16Sums());
  }
}
#endif

}  // namespace glint::kernels
