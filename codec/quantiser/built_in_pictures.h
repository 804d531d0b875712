// Small pictures that every calibration looks at besides the photographs it is given: what people
// code and photographs lack. Made by integer arithmetic, so they are the same bytes on every
// machine. Called by codec/quantiser only.
// Thread rules: functions without state.
#ifndef GLINT_CODEC_QUANTISER_BUILT_IN_PICTURES_H_
#define GLINT_CODEC_QUANTISER_BUILT_IN_PICTURES_H_

#include <vector>

#include "glint/quantise.hpp"

namespace glint::quantiser {

// BuiltInPictures() of the interface. Flat colours (the corners of the RGB cube and mixtures),
// squares of the corners side by side, gradients over the full range, black and white edges of
// every width, noise, text, charts, and scenes as a saturated photograph has them.
std::vector<NamedPicture> MakeBuiltInPictures();

// Flat pictures so large that their edges do not count: what a model expects of a flat area, it
// expects of every block of it. Small ones are built in.
std::vector<Picture> MakeLargeFlats();

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_BUILT_IN_PICTURES_H_
