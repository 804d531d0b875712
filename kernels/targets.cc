#include "kernels/targets.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/targets.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

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

// What the machine can run, best (lowest bit) first. The list does not depend on the choice,
// because SetTarget asks for it before it limits the choice for the first time.
const std::vector<int64_t>& AllTargets() {
  static const std::vector<int64_t> targets = [] {
    std::vector<int64_t> found = hwy::SupportedAndGeneratedTargets();
    std::sort(found.begin(), found.end());
    return found;
  }();
  return targets;
}

}  // namespace

std::vector<std::string> SupportedTargets() {
  std::vector<std::string> names;
  names.reserve(AllTargets().size());
  for (const int64_t target : AllTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

std::string CurrentTarget() {
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(TargetBit)());
}

bool HasFastFloat16() { return HWY_DYNAMIC_DISPATCH(FastFloat16)(); }

bool SetTarget(const std::string& name) {
  const std::vector<int64_t>& targets = AllTargets();
  const std::string wanted = Upper(name);
  int64_t chosen = 0;  // no limit
  if (!wanted.empty() && wanted != "BEST") {
    for (const int64_t target : targets) {
      if (wanted == hwy::TargetName(target)) chosen = target;
    }
    if (chosen == 0) return false;
  }
  hwy::SetSupportedTargetsForTest(chosen);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return true;
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
