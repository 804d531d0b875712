// Runs of steps that read nothing but the rows they write: the executor takes such a chain a few
// rows at a time, from its first step to its last, so that what lies between stays in the cache.
// Tensors that nothing else reads have memory for those rows only. Internal to engine/.
// Thread rules: FindChains is for the planner; the rest are functions of their arguments.
#ifndef GLINT_ENGINE_CHAINS_H_
#define GLINT_ENGINE_CHAINS_H_

#include <cstddef>
#include <cstdint>

#include "engine/plan.h"

namespace glint {

// Finds the chains of a plan whose steps are all there. None where every tensor is looked at, or
// where some tensor has to be whole before it is read.
void FindChains(PlanImpl* plan);

// Rows that a chain makes at a time, where a row has `pixels`: enough for every worker, and enough
// pixels that a call of a kernel reads its weights for many of them.
int64_t ChainRows(size_t pixels, size_t workers);

}  // namespace glint

#endif  // GLINT_ENGINE_CHAINS_H_
