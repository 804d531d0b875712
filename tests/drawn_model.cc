#include "tests/drawn_model.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/draws.h"

namespace glint::testing {
namespace {

// Nodes one after the other; each is called `name` and its number.
struct Chain {
  std::string name;
  std::string last;  // tensor
  int channels = 0;  // of it
  Json nodes = Json::array();

  std::string NextName() const { return name + std::to_string(nodes.size()); }
  void Add(Json node, int node_channels) {
    last = node["output"];
    channels = node_channels;
    nodes.push_back(std::move(node));
  }
};

class CodecDrawer {
 public:
  explicit CodecDrawer(uint32_t seed) : draws_({seed}), b_(TinyModel(seed)) {
    b_.tensors.clear();
    b_.document["name"] = b_.document["architecture"] = "drawn";
    b_.document["graphs"] = Json::object();
  }

  ModelBuilder Draw() {
    DrawSizes();
    DrawTransforms();
    DrawSteps();
    b_.AddTables("coding.z", hyper_, 10);
    b_.AddTables("coding.y", 3, 20);
    b_.AddFloats("coding.y.thresholds", {2}, {-0.5f, 0.5f});
    return b_;
  }

 private:
  struct Step {
    int group;
    const char* parity;
    std::vector<int> radius;  // rows around a position that it reads of each group; -1: none
    int ahead;
  };

  void DrawSizes() {
    halvings_ = draws_.Whole(1, 3);
    hyper_halvings_ = draws_.Whole(0, 3);
    groups_ = draws_.Whole(1, 2);
    group_ = draws_.Whole(1, 3);
    hyper_ = draws_.Whole(1, 4);
    psi_ = draws_.Whole(1, 8);
    const int stride = 1 << halvings_;
    Json& d = b_.document;
    d["picture"]["stride"] = stride << (draws_.Percent(20) ? 1 : 0);
    d["latents"] = {{"channels", groups_ * group_}, {"stride", stride}, {"fraction_bits", 6}};
    d["hyper"] = {{"channels", hyper_}, {"stride", stride << hyper_halvings_}};
  }

  void Convolve(Chain* chain, int channels, int kernel, int stride, float gain = 1.0f,
                const char* mask = "none") {
    chain->Add(b_.Conv(chain->NextName(), chain->last, chain->channels, channels, kernel, stride,
                       gain, mask),
               channels);
  }

  // Half of the time.
  void MaybeActivate(Chain* chain) {
    if (draws_.Percent(50)) return;
    chain->Add(ModelBuilder::LeakyRelu(chain->NextName(), chain->last), chain->channels);
  }

  // Halves the size `times` times and ends in `channels`.
  void Halve(Chain* chain, int times, int channels, float gain) {
    for (int i = 0; i + 1 < times; ++i) {
      Convolve(chain, draws_.Whole(2, 6), draws_.Of({3, 5}), 2, 2.0f);
      MaybeActivate(chain);
    }
    Convolve(chain, channels, times == 0 ? draws_.Of({1, 3, 5}) : draws_.Of({3, 5}),
             times == 0 ? 1 : 2, gain);
  }

  // Doubles the size `times` times, at times with convolutions before, between or behind, and ends
  // in `channels`.
  void Double(Chain* chain, int times, int channels) {
    if (times == 0) Convolve(chain, channels, draws_.Of({1, 3, 5}), 1);
    for (int i = 0; i < times; ++i) {
      if (draws_.Percent(30)) Convolve(chain, draws_.Whole(2, 6), draws_.Of({1, 3, 5}), 1);
      const int out = i + 1 == times ? channels : draws_.Whole(2, 6);
      const int kernel = draws_.Of({3, 4, 5});
      chain->Add(b_.Deconv(chain->NextName(), chain->last, chain->channels, out, kernel), out);
      if (i + 1 < times) MaybeActivate(chain);
    }
    if (draws_.Percent(30)) {
      MaybeActivate(chain);
      Convolve(chain, channels, draws_.Of({1, 3, 5}), 1);
    }
  }

  void AddGraph(const std::string& name, const char* numeric_class,
                const std::vector<std::pair<const char*, int>>& inputs, Json nodes) {
    b_.document["graphs"][name] = ModelBuilder::Graph(numeric_class, inputs, std::move(nodes));
  }

  void DrawTransforms() {
    const int latents = groups_ * group_;
    Chain g_a{"a", "x", 3}, g_s{"s", "y_hat", latents}, h_a{"ha", "y", latents},
        h_s{"hs", "z", hyper_};
    Halve(&g_a, halvings_, latents, static_cast<float>(draws_.Real(2, 20)));
    Double(&g_s, halvings_, 3);
    Halve(&h_a, hyper_halvings_, hyper_, 1.0f);
    Double(&h_s, hyper_halvings_, psi_);
    AddGraph("g_a", "close", {{"x", 3}}, g_a.nodes);
    AddGraph("g_s", "close", {{"y_hat", latents}}, g_s.nodes);
    AddGraph("h_a", "close", {{"y", latents}}, h_a.nodes);
    AddGraph("h_s", "exact", {{"z", hyper_}}, h_s.nodes);
  }

  // Groups of channels one after the other, each at once or in the two parities. A step looks
  // around in all that is decoded: in earlier groups everywhere, in its own at the other parity.
  void DrawSteps() {
    const bool parities = draws_.Percent(67);
    std::vector<Step> steps;
    for (int group = 0; group < groups_; ++group) {
      std::vector<int> radius(2, -1);
      if (group > 0 && draws_.Percent(80)) radius[0] = draws_.Whole(0, 2);
      steps.push_back({group, parities ? "even" : "all", radius, 0});
      if (!parities) continue;
      radius[static_cast<size_t>(group)] = draws_.Whole(1, 2);
      steps.push_back({group, "odd", radius, 0});
    }
    Json& coded = b_.document["coding"]["steps"];
    coded = Json::array({ModelBuilder::HyperStep(hyper_, 0)});
    for (size_t i = steps.size(); i-- > 0;) {
      Step& step = steps[i];
      for (size_t j = i + 1; j < steps.size(); ++j) {
        const int radius = steps[j].radius[static_cast<size_t>(step.group)];
        if (radius >= 0) step.ahead = std::max(step.ahead, steps[j].ahead + radius);
      }
      if (draws_.Percent(20)) step.ahead += draws_.Whole(1, 2);
    }
    for (size_t i = 0; i < steps.size(); ++i) AddStep(steps[i], "step" + std::to_string(i));
  }

  void AddStep(const Step& step, const std::string& name) {
    std::vector<std::pair<const char*, int>> inputs = {{"psi", psi_}};
    Json sources = {{"psi", "psi"}};
    Chain chain{name + ".", "psi", psi_};
    if (draws_.Percent(50)) Convolve(&chain, draws_.Whole(1, 6), draws_.Of({1, 3, 5}), 1, 0.5f);
    std::vector<std::string> parts = {chain.last};
    int channels = chain.channels;
    for (int group = 0; group < groups_; ++group) {
      const int radius = step.radius[static_cast<size_t>(group)];
      if (radius < 0) continue;
      const char* input = group == 0 ? "y0" : "y1";
      inputs.emplace_back(input, group_);
      sources[input] = {group * group_, (group + 1) * group_};
      chain.last = input;
      chain.channels = group_;
      Convolve(&chain, draws_.Whole(1, 4), 2 * radius + 1, 1, 0.2f,
               group == step.group ? "checkerboard" : "none");
      parts.push_back(chain.last);
      channels += chain.channels;
    }
    if (parts.size() > 1) chain.Add(ModelBuilder::Simple("cat", "concat", parts), channels);
    Convolve(&chain, draws_.Whole(2, 8), 1, 1, 0.5f);
    MaybeActivate(&chain);
    Convolve(&chain, 2 * group_, 1, 1, 0.5f);
    AddGraph(name, "exact", inputs, chain.nodes);
    b_.document["coding"]["steps"].push_back(ModelBuilder::LatentStep(
        name, step.group * group_, (step.group + 1) * group_, step.parity, step.ahead, sources));
  }

  Draws draws_;
  ModelBuilder b_;
  int halvings_ = 1, hyper_halvings_ = 1;  // picture to y, y to z
  int groups_ = 1, group_ = 1;             // of latent channels, channels in each
  int hyper_ = 1, psi_ = 1;                // channels
};

}  // namespace

ModelBuilder DrawnModel(uint32_t seed) { return CodecDrawer(seed).Draw(); }

}  // namespace glint::testing
