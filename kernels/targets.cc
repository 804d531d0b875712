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

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {
namespace {

HWY_EXPORT(TargetBit);

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

}  // namespace

std::vector<std::string> SupportedTargets() {
  // What the machine can run, whatever the choice is limited to now. A lower bit is a better
  // target.
  std::vector<std::string> names;
  const int64_t limit = hwy::SupportedTargets();
  hwy::SetSupportedTargetsForTest(0);
  std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  hwy::SetSupportedTargetsForTest(limit);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  std::sort(targets.begin(), targets.end());
  names.reserve(targets.size());
  for (const int64_t target : targets) names.emplace_back(hwy::TargetName(target));
  return names;
}

std::string CurrentTarget() {
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(TargetBit)());
}

bool SetTarget(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  const std::string wanted = Upper(name);
  if (!wanted.empty() && wanted != "BEST") {
    int64_t chosen = 0;
    for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
      if (wanted == hwy::TargetName(target)) chosen = target;
    }
    if (chosen == 0) return false;
    hwy::SetSupportedTargetsForTest(chosen);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return true;
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
