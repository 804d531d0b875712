// From the JSON text of a model file to its graphs: keys, types and values are checked here;
// whether a graph makes sense is checked by engine/graph_check.h. What else the document says is
// the codec's (codec/model/model_document.h). Called by engine/model_file.cc.
// Thread rules: a function of its argument.
#ifndef GLINT_ENGINE_GRAPH_DOCUMENT_H_
#define GLINT_ENGINE_GRAPH_DOCUMENT_H_

#include <string_view>

#include "engine/graph.h"
#include "engine/status.h"

namespace glint {

inline constexpr int kModelFormat = 2;  // of the document

// Errors: kBadModel, without the file's name.
Result<Graphs> ParseGraphs(std::string_view text);

}  // namespace glint

#endif  // GLINT_ENGINE_GRAPH_DOCUMENT_H_
