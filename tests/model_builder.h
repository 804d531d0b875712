// Builds model files in memory: TinyModel is a small but complete codec of `light`'s shape with
// random weights, MiniModel the least there can be; tests change document and tensors and call
// Build. Used by tests only.
// Thread rules: values.
#ifndef GLINT_TESTS_MODEL_BUILDER_H_
#define GLINT_TESTS_MODEL_BUILDER_H_

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/test_json.h"

namespace glint::testing {

class ModelBuilder {
 public:
  struct Tensor {
    std::string dtype;
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };

  Json document;
  std::map<std::string, Tensor> tensors;

  explicit ModelBuilder(uint32_t seed = 1) : random_(seed) {}

  void AddFloats(const std::string& name, std::vector<int64_t> shape,
                 const std::vector<float>& values);
  void AddWords(const std::string& name, std::vector<int64_t> shape,
                const std::vector<int16_t>& values);
  void AddBytes(const std::string& name, std::vector<int64_t> shape,
                const std::vector<int8_t>& values);
  // F32 to F16.
  void MakeFloat16(const std::string& name);
  void AddInts(const std::string& name, const std::vector<int32_t>& values);
  // Values from low to high.
  void AddRandom(const std::string& name, const std::vector<int64_t>& shape, float low, float high);
  float& Float(const std::string& name, size_t index) {
    return *reinterpret_cast<float*>(tensors.at(name).bytes.data() + 4 * index);
  }
  int32_t& Int(const std::string& name, size_t index) {
    return *reinterpret_cast<int32_t*>(tensors.at(name).bytes.data() + 4 * index);
  }

  // Nodes, with weights of their own. `gain` of a convolution: its outputs are about that many
  // times as large as its inputs.
  Json Conv(const std::string& name, const std::string& in, int in_channels, int out_channels,
            int k, int stride, float gain = 1.0f, const char* mask = "none");
  Json Deconv(const std::string& name, const std::string& in, int in_channels, int out_channels,
              int k);
  Json Depthwise(const std::string& name, const std::string& in, int channels, int rows,
                 int columns, int stride);
  Json Gdn(const std::string& name, const std::string& in, int channels, bool inverse,
           const char* form);
  // exp of `level` + `slope` t, roughly.
  Json Gain(const std::string& name, const std::string& in, int channels, float level, float slope);
  static Json LeakyRelu(const std::string& name, const std::string& in, double slope = 0.125);
  // relu, add, concat. The output is called as the node.
  static Json Simple(const std::string& name, const char* op, const std::vector<std::string>& in);
  static Json Graph(const char* numeric_class,
                    const std::vector<std::pair<const char*, int>>& inputs, Json nodes);

  // `count` tables `prefix`.cdf, .cdf_start, .cdf_min; table i of two-sided geometric distributions
  // whose width grows with i, over -range .. range and the escape.
  void AddTables(const std::string& prefix, int count, int range);

  // What a document says of them.
  static Json TableNames(const std::string& prefix);
  // Coding steps: z from tables "z", and channels [begin, end) of y from means and scales.
  static Json HyperStep(int channels, int ahead);
  static Json LatentStep(const std::string& graph, int begin, int end, const char* positions,
                         int ahead, Json inputs);
  // Channels [begin, end) at `positions`, a name or a list of points of the lattice.
  static Json Part(int begin, int end, Json positions);
  static Json Step(const char* codes, Json parts, int ahead, Json distribution);
  static Json Fixed(const std::string& tables);
  static Json FromGraph(const char* kind, const std::string& graph, Json inputs);

  // The safetensors file of `header` (Header() or a changed one).
  std::vector<uint8_t> Build() const;
  std::vector<uint8_t> Build(std::string header) const;
  Json Header() const;

 private:
  void Add(const std::string& name, const char* dtype, std::vector<int64_t> shape, const void* data,
           size_t bytes);

  std::mt19937 random_;
};

// 3 picture channels, 8 latent channels in groups of 4, 4 hyper channels; every operator occurs.
ModelBuilder TinyModel(uint32_t seed = 1);

// A model with int16 products wherever there are any, but for GDNs of form sqrt, and int16 tensors
// of one step before them. Latents are inputs y_hat, y0, y1 and above, and what a concatenation
// makes is called cat.
ModelBuilder WithIntegers(ModelBuilder b);
ModelBuilder IntegerModel(uint32_t seed = 1);

// TinyModel with half weights everywhere and most tensors in half, some with factors; psi, z and
// the latents stay floats.
ModelBuilder Float16Model(uint32_t seed = 1);

// The model of integers whose tensors within g_a and g_s have the range of the picture.
ModelBuilder DynamicModel(uint32_t seed = 1);

// The least that is a model: one operator a graph, one coding step for all positions. 2 latent
// channels, 1 hyper channel, strides 2 and 4.
ModelBuilder MiniModel(uint32_t seed = 1);

// Without hyper latents: two fixed steps in quarters, then scales of a graph, then means and scales
// for channels at different positions. 4 latent channels.
ModelBuilder LatticeModel(uint32_t seed = 1);

// Two wavefront steps of two channels each; the second reads the first at the position itself and
// by a larger causal kernel than its own. 4 latent channels.
ModelBuilder WavefrontModel(uint32_t seed = 1);

// A model whose g_s is so long that its gradient has more nodes than a file may have, so that it
// takes no effort: 900 activations where there was one.
ModelBuilder UnderivableModel();

}  // namespace glint::testing

#endif  // GLINT_TESTS_MODEL_BUILDER_H_
