// Ranges that follow from the weights alone: a sample is at most 255, so what the first layers
// make of samples has ends that no picture passes. Called by codec/quantiser only. Thread rules:
// functions of their arguments.
#ifndef GLINT_CODEC_QUANTISER_BOUNDS_H_
#define GLINT_CODEC_QUANTISER_BOUNDS_H_

#include <map>
#include <vector>

#include "codec/quantiser/layers.h"

namespace glint::quantiser {

struct Bounds {
  std::vector<double> low, high;  // per channel; low <= 0 <= high
};

// Of what the first convolution of g_a makes, and of what GDN (form abs, with nonnegative weights)
// makes of that. Pictures reach these ends, or nearly; those behind further layers none would.
std::map<TensorKey, Bounds> BoundsFromWeights(const ModelFile& model,
                                              const std::vector<Layer>& layers);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_BOUNDS_H_
