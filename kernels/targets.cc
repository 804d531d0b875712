#include "kernels/targets.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/targets.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#if HWY_ARCH_X86 && !HWY_COMPILER_MSVC
#include <cpuid.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

int64_t TargetBit() { return HWY_TARGET; }
bool FastFloat16() { return !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX2; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {
namespace {

HWY_EXPORT(TargetBit);
HWY_EXPORT(FastFloat16);

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// Does the CPU have AVX-VNNI? Highway has no target for it.
bool HasAvxVnni() {
#if HWY_ARCH_X86 && !HWY_COMPILER_MSVC
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
#else
  return false;
#endif
}

struct Target {
  std::string name;
  int64_t bit;  // Highway's
  bool avx_vnni;
};

// What the machine can run, best (lowest bit) first. The list does not depend on the choice,
// because SetTarget asks for it before it limits the choice for the first time.
const std::vector<Target>& AllTargets() {
  static const std::vector<Target> targets = [] {
    std::vector<int64_t> bits = hwy::SupportedAndGeneratedTargets();
    std::sort(bits.begin(), bits.end());
    std::vector<Target> found;
    for (const int64_t bit : bits) {
      const std::string name = hwy::TargetName(bit);
      if (bit == HWY_AVX2 && HasAvxVnni()) found.push_back({name + "_VNNI", bit, true});
      found.push_back({name, bit, false});
    }
    return found;
  }();
  return targets;
}

// Without a choice AVX2 is AVX2_VNNI where the CPU has it.
std::atomic<bool>& AvxVnniMayBeUsed() {
  static std::atomic<bool> may_be_used(HasAvxVnni());
  return may_be_used;
}

}  // namespace

std::vector<std::string> SupportedTargets() {
  std::vector<std::string> names;
  names.reserve(AllTargets().size());
  for (const Target& target : AllTargets()) names.push_back(target.name);
  return names;
}

std::string CurrentTarget() {
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  const std::string name = hwy::TargetName(HWY_DYNAMIC_DISPATCH(TargetBit)());
  return UsesAvxVnni() ? name + "_VNNI" : name;
}

bool UsesAvxVnni() {
  return HWY_DYNAMIC_DISPATCH(TargetBit)() == HWY_AVX2 &&
         AvxVnniMayBeUsed().load(std::memory_order_relaxed);
}

bool HasFastFloat16() { return HWY_DYNAMIC_DISPATCH(FastFloat16)(); }

bool SetTarget(const std::string& name) {
  const std::string wanted = Upper(name);
  Target chosen{"", 0, HasAvxVnni()};  // no limit
  for (const Target& target : AllTargets()) {
    if (wanted == target.name) chosen = target;
  }
  if (chosen.name.empty() && !wanted.empty() && wanted != "BEST") return false;
  AvxVnniMayBeUsed().store(chosen.avx_vnni, std::memory_order_relaxed);
  hwy::SetSupportedTargetsForTest(chosen.bit);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return true;
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
