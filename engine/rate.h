// What depends on the rate: from its parameter t, -1 to 1, to the gains of a ScalingNet and the
// scales of quantised tensors. Exact: double precision, + - * / only, no libm.
// Called by steps and executor; ExactLog by codec/model as well.
// Thread rules: pure functions.
#ifndef GLINT_ENGINE_RATE_H_
#define GLINT_ENGINE_RATE_H_

#include <vector>

#include "engine/graph.h"
#include "engine/model_file.h"

namespace glint {

// exp and log whose bits are the same everywhere; a few units in the last place from the true
// value. ExactExp limits its argument to [-80, 80] (NaN counts as -80), so that gains are always
// finite floats.
double ExactExp(double x);
// x must be a positive normal number.
double ExactLog(double x);

// gain[c] = exp(b2[c] + sum over j of W2[c][j] relu(b1[j] + W1[j] t)), j ascending, rounded to
// float. `node` is a kGain node of a validated model.
std::vector<float> EvaluateGain(const ModelFile& model, const Node& node, double t);

// Of a quantised tensor: value = (q - zero) * scale[c], q = value * inverse[c] + zero; padded to
// whole vectors.
struct ChannelScales {
  std::vector<float> scale;
  std::vector<float> inverse;
};
// Quantisation::scales at t, without the channels' factors; 1 where there are none.
double EvaluateScale(const Quantisation& quantisation, double t);
ChannelScales EvaluateScales(const ModelFile& model, const Quantisation& quantisation,
                             size_t channels, double t);

// The factors of a quantised tensor's channels, 1 where it has none.
std::vector<float> ReadFactors(const ModelFile& model, const Quantisation& quantisation,
                               size_t channels);
// The scale of a dynamic tensor whose channels reach the magnitudes most[c]: the least there is for
// zeros, the greatest for infinity and NaN.
double DynamicScale(const Quantisation& quantisation, const std::vector<float>& factors,
                    const float* most);
// Sets the first factors.size() entries of vectors that are long enough.
void SetScales(const std::vector<float>& factors, double scale, ChannelScales* out);

}  // namespace glint

#endif  // GLINT_ENGINE_RATE_H_
