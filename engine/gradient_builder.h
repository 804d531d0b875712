// What derivatives are made with (op.h): nodes, weights, and gradients that are collected by the
// tensors that they are of. A graph of all that is added is the gradient's. Called by engine/ops/
// and engine/gradient_graph.cc.
// Thread rules: values of one caller.
#ifndef GLINT_ENGINE_GRADIENT_BUILDER_H_
#define GLINT_ENGINE_GRADIENT_BUILDER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/json_value.h"
#include "engine/model_file.h"
#include "engine/model_writer.h"

namespace glint {

struct NamedTensor {
  std::string name;
  int channels = 0;
};

// In the order of the shape, as in a file.
struct FloatMatrix {
  std::vector<int64_t> shape;
  std::vector<float> values;

  size_t size(size_t dimension) const { return static_cast<size_t>(shape[dimension]); }
  FloatMatrix Transposed() const;  // of [outputs][inputs]
};

// A node of the model, as derivatives see it.
struct GradientNode {
  const Node& node;
  std::vector<NamedTensor> inputs;
  NamedTensor output;
  // The float32 numbers that its matrix stands for, 0 for taps that it does not have; empty where
  // it has no matrix.
  FloatMatrix matrix;
  // Backwards only: the gradient of its output, and what Derivative::Forward gave.
  NamedTensor gradient;
  std::vector<NamedTensor> kept;

  const NamedTensor& input() const { return inputs[0]; }
};

class GradientBuilder {
 public:
  // Both must outlive this. `document`: of the graph.
  GradientBuilder(const ModelFile& model, const Json& document);

  // ---- weights: a name for other nodes

  std::string AddWeight(const std::vector<int64_t>& shape, const std::vector<float>& values);
  std::string AddWeight(const FloatMatrix& matrix) {
    return AddWeight(matrix.shape, matrix.values);
  }
  // The same value for each channel.
  std::string AddWeight(int channels, float value);
  // One of the model's, in float32. It can be named by nodes as it is.
  std::vector<float> Values(const std::string& weight) const;

  // ---- nodes: the tensor that they make

  using Weights = std::map<std::string, std::string>;  // role -> tensor
  NamedTensor Add(const std::string& op, const std::vector<NamedTensor>& inputs, int channels,
                  const Weights& weights = {}, const Json::Object& attributes = {});
  // The same, of an output that has a name.
  void Make(const NamedTensor& output, const std::string& op,
            const std::vector<NamedTensor>& inputs, const Weights& weights = {},
            const Json::Object& attributes = {});
  // As in a document.
  void Append(Json node);

  // Of two that have the same channels.
  NamedTensor Sum(const NamedTensor& a, const NamedTensor& b);
  NamedTensor Multiply(const NamedTensor& a, const NamedTensor& b);
  // x * factor + shift.
  NamedTensor Scaled(const NamedTensor& x, float factor, float shift = 0);
  // low where x < 0, high where x > 0, half of both where it is 0.
  NamedTensor Switch(const NamedTensor& x, float low, float high);
  // Channels [begin, end).
  NamedTensor Slice(const NamedTensor& x, int begin, int end);
  NamedTensor Beside(const std::vector<NamedTensor>& inputs);
  // The sums of x by the rows of a matrix [outputs][x.channels], and `bias`, where it is not empty.
  NamedTensor Product(const NamedTensor& x, const FloatMatrix& matrix,
                      const std::vector<float>& bias = {});
  // Of each entry that channel of x; zeros where there is none.
  NamedTensor Picked(const NamedTensor& x, const std::vector<std::optional<int>>& channels);

  // ---- gradients

  // Another part of the gradient of `tensor`.
  void Collect(const NamedTensor& tensor, const NamedTensor& part);
  // The sum of all parts so far; nullptr where there are none.
  const NamedTensor* GradientOf(const std::string& tensor) const;

  // ---- the whole

  // Copies a weight of the model.
  void Take(const std::string& weight);
  // Unlike those of all tensors, nodes and weights.
  std::string NewName();
  Result<std::shared_ptr<const ModelFile>> Finish(const std::string& graph,
                                                  const std::vector<NamedTensor>& inputs,
                                                  const NamedTensor& output);

 private:
  const ModelFile& model_;
  std::set<std::string> names_;                   // of tensors and nodes
  std::map<std::string, NamedTensor> gradients_;  // by the tensor that they are of
  int made_ = 0;
  ModelWriter writer_;
  Json::Array nodes_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_GRADIENT_BUILDER_H_
