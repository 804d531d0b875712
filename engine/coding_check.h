// Do the coding steps work: every latent coded once, every step reading only what is decoded before
// it, and far enough ahead. Called by engine/model_file.cc after all graphs have been checked.
// Thread rules: a function of its argument.
#ifndef GLINT_ENGINE_CODING_CHECK_H_
#define GLINT_ENGINE_CODING_CHECK_H_

#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

// Errors: kBadModel.
Status CheckCoding(const ModelDocument& document);

}  // namespace glint

#endif  // GLINT_ENGINE_CODING_CHECK_H_
