// Handles of the C interface that free themselves.
// Used by tests and tests/fuzz.
// Thread rules: values.
#ifndef GLINT_TESTS_C_HANDLES_H_
#define GLINT_TESTS_C_HANDLES_H_

#include <memory>

#include "glint/glint.h"

namespace glint::testing {

struct Freer {
  void operator()(glint_model* model) const { glint_model_free(model); }
  void operator()(glint_session* session) const { glint_session_free(session); }
  void operator()(glint_metadata* metadata) const { glint_metadata_free(metadata); }
  void operator()(glint_picture* picture) const { glint_picture_free(picture); }
  void operator()(glint_stream_info* info) const { glint_stream_info_free(info); }
  void operator()(glint_stream_decoder* decoder) const { glint_stream_decoder_free(decoder); }
  void operator()(char* text) const { glint_free(text); }
};
template <typename Handle>
using Owned = std::unique_ptr<Handle, Freer>;

}  // namespace glint::testing

#endif  // GLINT_TESTS_C_HANDLES_H_
