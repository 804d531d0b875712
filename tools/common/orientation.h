// The orientation that EXIF names, and pictures turned by it.
// Used by tools/thumbnailer.cc and tools/commands/metadata_flags.cc.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_COMMON_ORIENTATION_H_
#define GLINT_TOOLS_COMMON_ORIENTATION_H_

#include <cstdint>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

inline constexpr uint32_t kUpright = 1;

// 1 to 8, as EXIF numbers them: which of a turn and a mirroring the picture is to be shown with.
// kUpright where there is no EXIF, or none that says so.
uint32_t OrientationOf(const std::vector<uint8_t>& exif);
// As it is to be shown, without metadata. `orientation` is one of OrientationOf.
Picture Turned(const Picture& picture, uint32_t orientation);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_ORIENTATION_H_
