// Tables of a model file: the tensors that a document names, checked and copied. Called by
// codec/model/model_document.cc.
// Thread rules: a function of its arguments.
#ifndef GLINT_CODEC_MODEL_TABLE_DOCUMENT_H_
#define GLINT_CODEC_MODEL_TABLE_DOCUMENT_H_

#include "codec/model/model_document.h"
#include "engine/json.h"
#include "engine/status.h"

namespace glint {

// The object `tables` of a document's coding: sets by name.
Status ReadTableSets(const Json& object, const TensorTable& tensors,
                     std::map<std::string, TableSet>* out);

}  // namespace glint

#endif  // GLINT_CODEC_MODEL_TABLE_DOCUMENT_H_
