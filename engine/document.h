// From the JSON text of a model file to a ModelDocument: keys, types, values and tables are checked
// here; whether graphs and coding steps make sense is checked by engine/graph_check.h and
// engine/coding_check.h. Called by engine/model_file.cc. Thread rules: a function of its arguments.
#ifndef GLINT_ENGINE_DOCUMENT_H_
#define GLINT_ENGINE_DOCUMENT_H_

#include <map>
#include <string>
#include <string_view>

#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

using TensorTable = std::map<std::string, TensorView>;

// `tensors` are those of the file (for the tables). Errors: kBadModel, without the file's name.
Result<ModelDocument> ParseDocument(std::string_view text, const TensorTable& tensors);

}  // namespace glint

#endif  // GLINT_ENGINE_DOCUMENT_H_
