// What the quantiser finds by measuring R + lambda D of coded pictures instead of by a formula:
// which layers may have 8 bits, and how far the ranges of 8-bit tensors should reach. Called by
// codec/quantiser only.
// Thread rules: one caller.
#ifndef GLINT_CODEC_QUANTISER_SEARCH_H_
#define GLINT_CODEC_QUANTISER_SEARCH_H_

#include <vector>

#include "codec/quantiser/quantiser.h"

namespace glint::quantiser {

// From a draft in 16 bits to the cheapest mix whose loss stays below `max_loss` percent. Gives the
// loss of each layer alone in 8 bits (0 where it was not tried).
Result<std::vector<double>> ChooseMix(double max_loss, Quantiser* quantiser);

// One round over the groups of 8-bit tensors: keeps the range of several with the least loss.
// Refresh and Widen have been done afterwards.
Status TuneRanges(Quantiser* quantiser);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_SEARCH_H_
