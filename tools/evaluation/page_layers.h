// The layers of a run's models, measured for the page of `evaluate --html`.
// Used by tools/evaluation/runner.cc.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_EVALUATION_PAGE_LAYERS_H_
#define GLINT_TOOLS_EVALUATION_PAGE_LAYERS_H_

#include <cstddef>

#include "glint/glint.hpp"
#include "tools/common/console.h"
#include "tools/evaluation/job.h"
#include "tools/evaluation/page.h"
#include "tools/evaluation/run.h"

namespace glint::tools {

// Of the corner of a picture of the job; there are none where that is gone.
Error AddLayers(const EvaluateFlags& flags, const Job& job, const EvaluationRun& run,
                size_t picture, StatusLine* status, EvaluationPage* page);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_PAGE_LAYERS_H_
