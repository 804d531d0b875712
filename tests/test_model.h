// For tests of planner, executor and operators: a model in memory, of tensors that a test makes up.
// Thread rules: a model belongs to one test.
#ifndef GLINT_TESTS_TEST_MODEL_H_
#define GLINT_TESTS_TEST_MODEL_H_

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/model_file.h"
#include "tests/test_json.h"

namespace glint {

// A model in memory with just the tensors that a test's graph names.
class TestModel final : public ModelFile {
 public:
  explicit TestModel(unsigned seed) : random_(seed) {}

  void Add(const std::string& name, const std::vector<int64_t>& shape, float low, float high) {
    size_t count = 1;
    for (const int64_t n : shape) count *= static_cast<size_t>(n);
    std::vector<float>& data = storage_[name];
    data.resize(count);
    std::uniform_real_distribution<float> value(low, high);
    for (float& v : data) v = value(random_);
    TensorView view;
    view.shape = shape;
    view.data = reinterpret_cast<const uint8_t*>(data.data());
    view.elements = count;
    tensors_[name] = view;
  }

  template <typename T>
  void AddIntegers(const std::string& name, DType dtype, const std::vector<int64_t>& shape,
                   const std::vector<T>& values) {
    std::vector<uint8_t>& data = bytes_[name];
    data.resize(values.size() * sizeof(T));
    std::memcpy(data.data(), values.data(), data.size());
    tensors_[name] = {dtype, shape, data.data(), values.size()};
  }

  // Of a node, by its name: what its JSON object would have, for the loops in double that know
  // nothing of the engine's own attributes.
  testing::Json& attributes(const std::string& node) { return attributes_[node]; }
  const testing::Json& attributes(const std::string& node) const { return attributes_.at(node); }

  const Graphs& graphs() const override { return graphs_; }
  const ModelId& id() const override { return id_; }
  uint64_t file_bytes() const override { return 0; }
  const std::string& name() const override { return name_; }
  const TensorView* tensor(const std::string& name) const override {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
  }
  const TensorTable& tensors() const override { return tensors_; }
  const std::string& document_text() const override { return text_; }

 private:
  std::mt19937 random_;
  Graphs graphs_;
  std::string text_;
  ModelId id_{};
  std::string name_ = "test model";
  std::map<std::string, std::vector<float>> storage_;
  std::map<std::string, std::vector<uint8_t>> bytes_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, testing::Json> attributes_;
};

}  // namespace glint

#endif  // GLINT_TESTS_TEST_MODEL_H_
