// Ranges that follow from the weights alone: a sample is at most 255, so what the first layers make
// of samples has ends that no picture passes. Called by codec/quantiser only.
// Thread rules: functions of their arguments.
#ifndef GLINT_CODEC_QUANTISER_BOUNDS_H_
#define GLINT_CODEC_QUANTISER_BOUNDS_H_

#include <map>
#include <vector>

#include "codec/quantiser/layers.h"

namespace glint::quantiser {

struct Bounds {
  std::vector<double> low, high;  // per channel; low <= 0 <= high
};

// The bounds of two tensors: the output of the first convolution of g_a, and that of the GDN behind
// it (form abs, with nonnegative weights). Pictures reach these bounds, or nearly. Behind further
// layers bounds could be computed too, but no picture would come near them.
// `picture_offset`: what is subtracted from samples of 0 to 1.
std::map<TensorKey, Bounds> BoundsFromWeights(const ModelFile& model,
                                              const std::vector<Layer>& layers,
                                              float picture_offset);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_BOUNDS_H_
