// Writes a model file: tensors without holes behind a JSON header with the document.
// Called by codec/quantiser. docs/MODEL_FORMAT.md.
// Thread rules: a value.
#ifndef GLINT_ENGINE_MODEL_WRITER_H_
#define GLINT_ENGINE_MODEL_WRITER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/graph.h"

namespace glint {

class ModelWriter {
 public:
  // Replaces a tensor of the same name. `data` is copied.
  void Set(const std::string& name, DType dtype, const std::vector<int64_t>& shape,
           const void* data);
  void Set(const std::string& name, const TensorView& tensor) {
    Set(name, tensor.dtype, tensor.shape, tensor.data);
  }
  std::vector<uint8_t> Finish(const std::string& document_text) const;

 private:
  struct Entry {
    DType dtype;
    std::vector<int64_t> shape;
    std::vector<uint8_t> data;
  };
  std::map<std::string, Entry> tensors_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_MODEL_WRITER_H_
