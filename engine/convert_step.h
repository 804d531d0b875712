// A step that no operator stands for: a tensor kept in one form to another, float to integers or
// float16 or back. For a dynamic tensor it finds the range first, from all of the tensor.
// Made by the planner. Internal to engine/. Thread rules: as step.h.
#ifndef GLINT_ENGINE_CONVERT_STEP_H_
#define GLINT_ENGINE_CONVERT_STEP_H_

#include <memory>

#include "engine/step.h"

namespace glint {

std::unique_ptr<Step> MakeConvertStep(int from, int to);

}  // namespace glint

#endif  // GLINT_ENGINE_CONVERT_STEP_H_
