// For tests of gradients: graphs that grow by a node at a time, and what the gradient's graph says
// beside differences of the loops in double.
// Thread rules: functions of their arguments; a value.
#ifndef GLINT_TESTS_GRADIENT_CHECKS_H_
#define GLINT_TESTS_GRADIENT_CHECKS_H_

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/model_file.h"
#include "tests/model_builder.h"
#include "tests/reference_graph.h"

namespace glint::testing {

constexpr double kT = 0.25;  // at which gradients are run

// Of values from -size to size, as float32 has them: the executor gets these.
ReferenceTensor DrawTensor(std::mt19937* random, int height, int width, int channels, double size);
double SquaredDistance(const ReferenceTensor& a, const ReferenceTensor& b);
double SquaredSize(const ReferenceTensor& a);
// Pixels of `factor` x `factor` blocks as channels, as pixel_unshuffle has them.
ReferenceTensor Unshuffled(const ReferenceTensor& in, int factor);

// `target`: as the gradient's graph reads it.
ReferenceTensor RunGradient(const ModelFile& gradient_model, const ReferenceTensor& y,
                            const ReferenceTensor& target, int64_t band = 1);
// At drawn latents and a drawn target of the model's g_s.
void CheckByDifferences(const ModelFile& model, std::mt19937* random, int height, int width);

// A synthesis that grows by a node at a time.
class Growing {
 public:
  Growing(std::mt19937* random, int inputs)
      : builder(static_cast<uint32_t>((*random)())),
        channels(inputs),
        random_(random),
        inputs_(inputs) {}

  int Draw(int least, int most) {
    return least + static_cast<int>((*random_)() % static_cast<uint32_t>(most - least + 1));
  }
  std::string Name() const { return "n" + std::to_string(nodes_.size()); }
  void Append(Json node, int its_channels) {
    x = node.at("output");
    channels = its_channels;
    nodes_.push_back(std::move(node));
  }
  void Append(const char* op, const Json& attributes = Json::object()) {
    Json node = ModelBuilder::Simple(Name(), op, {x});
    node.update(attributes);
    Append(node, channels);
  }
  void Conv(int outputs, int kernel, int stride = 1, const char* mask = "none") {
    Append(builder.Conv(Name(), x, channels, outputs, kernel, stride, 1.0f, mask), outputs);
  }
  void Deconv(int outputs, int kernel) {
    Append(builder.Deconv(Name(), x, channels, outputs, kernel), outputs);
  }
  // Of a norm, whose weights `roles` are.
  void Norm(const char* op, const std::vector<std::string>& roles) {
    Conv(Draw(3, 9), 1);
    Json node = ModelBuilder::Simple(Name(), op, {x});
    node["epsilon"] = std::pow(10.0, Draw(-5, 0));
    for (const std::string& role : roles) {
      node["weights"][role] = Name() + "." + role;
      builder.AddRandom(Name() + "." + role, {channels}, -1.5f, 1.5f);
    }
    Append(node, channels);
  }
  std::shared_ptr<const ModelFile> Finish() {
    builder.document = {{"format", 2}};
    builder.document["graphs"]["g_s"] = ModelBuilder::Graph("close", {{"y", inputs_}}, nodes_);
    auto model = ModelFile::FromMemory(builder.Build(), "test");
    REQUIRE_MESSAGE(model.ok(), model.status().message());
    return model.value();
  }

  ModelBuilder builder;
  std::string x = "y";
  int channels;

 private:
  std::mt19937* random_;
  const int inputs_;
  std::vector<Json> nodes_;
};

}  // namespace glint::testing

#endif  // GLINT_TESTS_GRADIENT_CHECKS_H_
