// The step that converts a tensor from float to integers or float16, or back. No operator stands
// for it; the planner makes it. For a dynamic tensor it finds the range first, from all of the
// tensor. Internal to engine/.
// Thread rules: as step.h.
#ifndef GLINT_ENGINE_CONVERT_STEP_H_
#define GLINT_ENGINE_CONVERT_STEP_H_

#include <memory>

#include "engine/step.h"

namespace glint {

std::unique_ptr<Step> MakeConvertStep(int from, int to);

}  // namespace glint

#endif  // GLINT_ENGINE_CONVERT_STEP_H_
