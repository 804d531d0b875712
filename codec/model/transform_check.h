// Do the transforms fit each other: g_a and g_s, and h_a and h_s where a model has hyper latents.
// Called by codec/model/model_document.cc.
// Thread rules: a function of its arguments.
#ifndef GLINT_CODEC_MODEL_TRANSFORM_CHECK_H_
#define GLINT_CODEC_MODEL_TRANSFORM_CHECK_H_

#include "codec/model/model_document.h"
#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

// Channels and strides are as `document` says. Errors: kBadModel.
Status CheckTransforms(const ModelDocument& document, const Graphs& graphs);

}  // namespace glint

#endif  // GLINT_CODEC_MODEL_TRANSFORM_CHECK_H_
