#include <algorithm>

#include "tests/fuzz/target.h"

namespace glint::fuzz {

std::span<const Target> Targets() {
  // In this order they run.
  static const Target targets[] = {kStreamTarget,  kInspectTarget, kModelTarget,
                                   kPictureTarget, kCCallsTarget,  kAlphaTarget,
                                   kPngTarget,     kJpegTarget,    kPnmTarget};
  return targets;
}

const Target* FindTarget(std::string_view name) {
  const auto targets = Targets();
  const auto found = std::find_if(targets.begin(), targets.end(),
                                  [&](const Target& target) { return target.name == name; });
  return found == targets.end() ? nullptr : &*found;
}

void RunInput(const Target& target, std::span<const uint8_t> bytes) {
  // A copy of just that size, so that a sanitizer sees every byte beyond.
  const Bytes copy(bytes.begin(), bytes.end());
  Input input = SplitInput(copy);
  target.run(&input);
}

}  // namespace glint::fuzz
