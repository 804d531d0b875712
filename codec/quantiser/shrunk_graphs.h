// Graphs that make a model's pictures at a fraction of their size (docs/MODEL_FORMAT.md, `shrunk`):
// a 3x3 convolution of y, whose outputs are pixels, and a function of a pixel's colour behind it.
// g_s is no linear function, and what it does to a colour as a whole is most of the difference:
// pure colours are 26 levels off without. Both are least squares fits to means of the pixels that
// g_s makes. Called by codec/quantiser only. Thread rules: functions of their arguments; a call
// uses `threads` workers of its own.
#ifndef GLINT_CODEC_QUANTISER_SHRUNK_GRAPHS_H_
#define GLINT_CODEC_QUANTISER_SHRUNK_GRAPHS_H_

#include <cstdint>
#include <vector>

#include "codec/quantiser/statistics.h"
#include "engine/status.h"
#include "glint/quantise.hpp"

namespace glint::quantiser {

// The model with new graphs in place of those that it had, for each of kShrinks that its latents
// allow. Convolutions have weights of the model's form; where its pictures are the same on every
// machine, those of the graphs are as well. A graph reads fewer channels of y than all where a step
// of coding ends with them and they give kEnoughForFewerChannels.
Result<ShrunkModel> FitShrunkGraphs(const Model& model, const std::vector<PictureShare>& sets,
                                    const CalibrationOptions& options);

// What FitShrunkGraphs holds besides pictures and what coding them takes.
uint64_t ShrunkFitBytes(const ModelDocument& document);

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_SHRUNK_GRAPHS_H_
