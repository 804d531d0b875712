// Do the coding steps work: every latent coded once, every step reading only what is decoded before
// it, and far enough ahead. Called by codec/model/model_document.cc.
// Thread rules: a function of its arguments.
#ifndef GLINT_CODEC_MODEL_CODING_CHECK_H_
#define GLINT_CODEC_MODEL_CODING_CHECK_H_

#include "codec/model/model_document.h"
#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

// Errors: kBadModel.
Status CheckCoding(const ModelDocument& document, const Graphs& graphs);

}  // namespace glint

#endif  // GLINT_CODEC_MODEL_CODING_CHECK_H_
