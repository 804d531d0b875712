// Loads a model file: reads or maps it, validates the structure of every byte, gives graphs and
// tensors.
// Called by codec/model and by tests. Formats: docs/MODEL_FORMAT.md.
// Thread rules: immutable after Load, shared freely.
#ifndef GLINT_ENGINE_MODEL_FILE_H_
#define GLINT_ENGINE_MODEL_FILE_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/mapped_file.h"
#include "engine/memory_budget.h"
#include "engine/status.h"
#include "engine/thread_pool.h"
#include "engine/work_progress.h"

namespace glint {

using ModelId = std::array<uint8_t, 8>;  // the first bytes of the SHA-256 of the whole file
std::string ToHex(std::span<const uint8_t> bytes);

struct ModelFileOptions {
  // With two workers one computes the id while the other checks.
  Runner runner = SerialRunner();
  MappedFile::Access access = MappedFile::Access::kMapLarge;  // of Load
  // What the file and its document take; must outlive the call. nullptr: no limit.
  MemoryBudget* budget = nullptr;
  // Hears how far loading is, up to kLoaded; must outlive the call. nullptr: nobody does.
  WorkProgress* progress = nullptr;
  static constexpr double kLoaded = 0.5;
};

class ModelFile {
 public:
  // Errors: kNotFound, kIo, kBadModel (with the file's name and the offending key or tensor),
  // kLimit, kCancelled.
  static Result<std::shared_ptr<const ModelFile>> Load(const std::string& path,
                                                       const ModelFileOptions& options = {});
  // Keeps a copy of `bytes`. `name` stands for the file in messages.
  static Result<std::shared_ptr<const ModelFile>> FromMemory(std::span<const uint8_t> bytes,
                                                             const std::string& name,
                                                             const ModelFileOptions& options = {});
  // Of any file: whether it is a model is not looked at. kNotFound, kIo, kLimit.
  static Result<ModelId> IdOf(const std::string& path);
  virtual ~ModelFile() = default;

  virtual const Graphs& graphs() const = 0;
  virtual const ModelId& id() const = 0;
  virtual uint64_t file_bytes() const = 0;
  virtual const std::string& name() const = 0;
  // nullptr when there is none of that name.
  virtual const TensorView* tensor(const std::string& name) const = 0;
  virtual const TensorTable& tensors() const = 0;
  // The JSON that graphs() were read from: more of it is the codec's
  // (codec/model/model_document.h).
  virtual const std::string& document_text() const = 0;
};

// Any safetensors file as named tensors, without a glint document (golden data in tests).
struct SafeTensors {
  TensorTable tensors;
  std::map<std::string, std::string> metadata;
};
// Views point into `bytes`. Rejects overlaps, holes, wrong sizes, duplicate names, unknown dtypes.
Result<SafeTensors> ParseSafeTensors(std::span<const uint8_t> bytes, const std::string& name);

// `count` values of an f32 (or f16, i32, i16, i8, u8: converted) tensor from index `first`.
void CopyAsFloat(const TensorView& tensor, size_t first, size_t count, float* out);

// The same values by their index, for those that go through them in order: a few at a time are
// copied, so that the largest tensor takes no memory.
class TensorValues {
 public:
  explicit TensorValues(const TensorView& tensor) : tensor_(tensor) {}
  size_t size() const { return tensor_.elements; }
  float operator[](size_t i) {
    if (i < first_ || i - first_ >= count_) Load(i);
    return values_[i - first_];
  }

 private:
  void Load(size_t i);

  const TensorView& tensor_;
  size_t first_ = 0, count_ = 0;
  std::array<float, 256> values_{};
};
// All values of an i16 or i8 tensor.
std::vector<int16_t> ReadAsInt16(const TensorView& tensor);
// Whether all values are finite; integers are.
bool IsFinite(const TensorView& tensor);

}  // namespace glint

#endif  // GLINT_ENGINE_MODEL_FILE_H_
