// The structure of safetensors files: 8 bytes of length, a JSON header, tensors without holes.
// ParseSafeTensors itself is declared in engine/model_file.h. Called by engine/model_file.cc and
// tests.
// Thread rules: functions of their arguments.
#ifndef GLINT_ENGINE_SAFETENSORS_H_
#define GLINT_ENGINE_SAFETENSORS_H_

#include <cstddef>
#include <string>

#include "engine/graph.h"

namespace glint {

size_t BytesOf(DType dtype);
const char* NameOf(DType dtype);                  // as in safetensors: "F32"
std::string ShapeText(const TensorView& tensor);  // "[64, 3, 5, 5]"

}  // namespace glint

#endif  // GLINT_ENGINE_SAFETENSORS_H_
