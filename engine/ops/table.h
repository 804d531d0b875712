// The table of all operators: a new one adds a line to each list. Read by engine/op.cc; each record
// stands in a file of this folder.
// Thread rules: constants.
#ifndef GLINT_ENGINE_OPS_TABLE_H_
#define GLINT_ENGINE_OPS_TABLE_H_

#include "engine/op.h"

namespace glint::ops {

extern const Op kAbs;
extern const Op kAdd;
extern const Op kAffine;
extern const Op kConcat;
extern const Op kConv2d;
extern const Op kConvTranspose2d;
extern const Op kDepthwiseConv2d;
extern const Op kDigits;
extern const Op kGain;
extern const Op kGdn;
extern const Op kGelu;
extern const Op kLayerNorm;
extern const Op kLeakyRelu;
extern const Op kMultiply;
extern const Op kPixelShuffle;
extern const Op kPixelUnshuffle;
extern const Op kRelu;
extern const Op kRmsNorm;
extern const Op kSigmoid;
extern const Op kSilu;
extern const Op kSlice;

// In the order in which messages list them.
inline constexpr const Op* kTable[] = {
    &kConv2d,           //
    &kConvTranspose2d,  //
    &kGdn,              //
    &kLeakyRelu,        //
    &kRelu,             //
    &kAdd,              //
    &kGain,             //
    &kConcat,           //
    &kDigits,           //
    &kSigmoid,          //
    &kMultiply,         //
    &kPixelShuffle,     //
    &kLayerNorm,        //
    &kAbs,              //
    &kAffine,           //
    &kSlice,            //
    &kPixelUnshuffle,   //
    &kSilu,             //
    &kDepthwiseConv2d,  //
    &kRmsNorm,          //
    &kGelu,             //
};

}  // namespace glint::ops

#endif  // GLINT_ENGINE_OPS_TABLE_H_
