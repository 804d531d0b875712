// A small codec whose form is drawn: strides, kernels, layers before and behind transposed
// convolutions, coding steps, rows ahead. It is as sound as any model, with random weights.
// Used by tests of whole streams.
// Thread rules: a function of its argument.
#ifndef GLINT_TESTS_DRAWN_MODEL_H_
#define GLINT_TESTS_DRAWN_MODEL_H_

#include <cstdint>

#include "tests/model_builder.h"

namespace glint::testing {

// Coding steps are ahead by what later ones need, or by a row or two more. The one that codes z,
// where there is one, is 0 ahead, which is too little for most: the caller raises it until the
// model loads.
ModelBuilder DrawnModel(uint32_t seed);

}  // namespace glint::testing

#endif  // GLINT_TESTS_DRAWN_MODEL_H_
