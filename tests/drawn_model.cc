#include "tests/drawn_model.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/positions.h"
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
    Json& tables = b_.document["coding"]["tables"];
    tables = Json::object();
    b_.AddTables("coding.y", 3, 20);
    b_.AddFloats("coding.y.thresholds", {2}, {-0.5f, 0.5f});
    if (has_hyper_) {
      b_.AddTables("coding.z", hyper_, 10);
      tables["z"] = ModelBuilder::TableNames("coding.z");
    }
    DrawSteps();
    return b_;
  }

 private:
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
    d["latents"] = {{"channels", groups_ * group_},
                    {"stride", stride},
                    {"fraction_bits", draws_.Percent(70) ? 6 : draws_.Whole(0, 7)}};
    has_hyper_ = draws_.Percent(85);
    d.erase("hyper");
    if (has_hyper_) d["hyper"] = {{"channels", hyper_}, {"stride", stride << hyper_halvings_}};
    if (draws_.Percent(30)) d["picture"]["padding"] = "centred_zeros";
    if (draws_.Percent(20)) {
      d["rate"] = {{"parameter", "none"}};
    } else if (draws_.Percent(20)) {
      d["rate"]["map"] = "linear";
    }
  }

  void Convolve(Chain* chain, int channels, int kernel, int stride, float gain = 1.0f,
                const char* mask = "none") {
    chain->Add(b_.Conv(chain->NextName(), chain->last, chain->channels, channels, kernel, stride,
                       gain, mask),
               channels);
  }

  // Half of the time: anything that reads its own position and leaves the channels as they are.
  void MaybeActivate(Chain* chain) {
    if (draws_.Percent(50)) return;
    const std::string name = chain->NextName();
    const auto simple = [&](const char* op) {
      return ModelBuilder::Simple(name, op, {chain->last});
    };
    const std::vector<int64_t> channels = {chain->channels};
    Json node = ModelBuilder::LeakyRelu(name, chain->last);
    switch (draws_.Whole(0, 8)) {
      case 0:
        node = simple("silu");
        node["factor"] = draws_.Real(0.5, 2);
        break;
      case 1:
        node = simple(draws_.Percent(50) ? "gelu" : "abs");
        break;
      case 2:
        node = simple("affine");
        b_.AddRandom(name + ".factor", channels, -1.5f, 1.5f);
        b_.AddRandom(name + ".shift", channels, -0.5f, 0.5f);
        node["weights"] = {{"factor", name + ".factor"}, {"shift", name + ".shift"}};
        break;
      case 3:
        node = simple("rms_norm");
        node["epsilon"] = 1e-2;
        b_.AddRandom(name + ".weight", channels, 0.5f, 1.5f);
        node["weights"] = {{"weight", name + ".weight"}};
        break;
      case 4:
        return Swap(chain);
      default:
        break;
    }
    chain->Add(node, chain->channels);
  }

  void Filter(Chain* chain, int rows, int columns, int stride = 1) {
    chain->Add(b_.Depthwise(chain->NextName(), chain->last, chain->channels, rows, columns, stride),
               chain->channels);
  }

  void MaybeFilter(Chain* chain) {
    if (draws_.Percent(25)) Filter(chain, draws_.Of({1, 3, 5}), draws_.Of({1, 3, 5}));
  }

  // The channels from somewhere on before the others.
  void Swap(Chain* chain) {
    if (chain->channels < 2) return;
    const std::string from = chain->last;
    const int all = chain->channels, begin = draws_.Whole(1, all - 1);
    std::vector<std::string> parts;
    for (const auto& [first, last] : {std::pair{begin, all}, std::pair{0, begin}}) {
      Json node = ModelBuilder::Simple(chain->NextName(), "slice", {from});
      node.update({{"begin", first}, {"end", last}});
      parts.push_back(node["output"]);
      chain->Add(node, last - first);
    }
    chain->Add(ModelBuilder::Simple(chain->NextName(), "concat", parts), all);
  }

  void Shuffle(Chain* chain, const char* op, int channels) {
    Json node = ModelBuilder::Simple(chain->NextName(), op, {chain->last});
    node["factor"] = 2;
    if (channels < chain->channels && draws_.Percent(50)) node["order"] = "dcr";
    chain->Add(node, channels);
  }

  // Halves the size `times` times and ends in `channels`.
  void Halve(Chain* chain, int times, int channels, float gain) {
    for (int i = 0; i + 1 < times; ++i) {
      const int way = draws_.Whole(0, 4), between = draws_.Whole(2, 6);
      if (way == 0) Filter(chain, draws_.Of({3, 5}), draws_.Of({1, 3}), 2);
      if (way == 1) Shuffle(chain, "pixel_unshuffle", 4 * chain->channels);
      Convolve(chain, between, way < 2 ? 1 : draws_.Of({3, 5}), way < 2 ? 1 : 2, 2.0f);
      MaybeActivate(chain);
      MaybeFilter(chain);
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
      if (draws_.Percent(30)) {
        Convolve(chain, 4 * out, 1, 1);
        Shuffle(chain, "pixel_shuffle", out);
      } else {
        chain->Add(b_.Deconv(chain->NextName(), chain->last, chain->channels, out, kernel), out);
      }
      if (draws_.Percent(15)) {  // down and up again
        Shuffle(chain, "pixel_unshuffle", 4 * out);
        Shuffle(chain, "pixel_shuffle", out);
      }
      if (i + 1 < times) MaybeActivate(chain);
      MaybeFilter(chain);
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
    AddGraph("g_a", "close", {{"x", 3}}, g_a.nodes);
    AddGraph("g_s", "close", {{"y_hat", latents}}, g_s.nodes);
    if (!has_hyper_) return;
    Halve(&h_a, hyper_halvings_, hyper_, 1.0f);
    Double(&h_s, hyper_halvings_, psi_);
    AddGraph("h_a", "close", {{"y", latents}}, h_a.nodes);
    AddGraph("h_s", "exact", {{"z", hyper_}}, h_s.nodes);
  }

  // What a step reads of a group: rows around a position, or nothing; of the other colour alone.
  struct Look {
    int radius = -1;
    bool masked = false;
    bool causal = false;  // above, and to the left
    PositionSet positions = kNoPositions;
  };
  struct Step {
    std::vector<std::pair<int, PositionSet>> parts;  // group, positions
    std::vector<Look> looks;                         // by group
    bool fixed = false;
    bool wavefront = false;
    int ahead = 0;
    PositionSet positions() const {
      PositionSet all = kNoPositions;
      for (const auto& part : parts) all |= part.second;
      return all;
    }
  };

  // All positions of all groups, in any order: at once, by colours, by quarters, in two parts of
  // any kind, or two groups crosswise.
  std::vector<Step> DrawOrder() {
    std::vector<Step> steps;
    const int way = draws_.Percent(20) ? 0 : draws_.Whole(0, 9);
    const auto any = static_cast<PositionSet>(draws_.Whole(1, 14));
    if (groups_ == 2 && way == 9) {
      for (const PositionSet set : {any, kAllPositions & ~any}) {
        Step step;
        step.parts = {{0, set}, {1, kAllPositions & ~set}};
        steps.push_back(step);
      }
      return steps;
    }
    for (int group = 0; group < groups_; ++group) {
      std::vector<PositionSet> sets = {kEvenPositions, kOddPositions};
      if (way == 0) sets = {kAllPositions};
      if (way == 7) sets = {1, 8, 2, 4};
      if (way == 8) sets = {any, kAllPositions & ~any};
      for (const PositionSet set : sets) {
        Step step;
        step.parts = {{group, set}};
        step.wavefront = way == 0 && draws_.Percent(75);
        steps.push_back(step);
      }
    }
    return steps;
  }

  // One of the ways to look at a group whose `coded` positions are decoded; mostly not "not at
  // all".
  Look DrawLook(PositionSet wanted, PositionSet coded) {
    std::vector<Look> looks;
    const PositionSet other = Moved(wanted, 0, 1) | Moved(wanted, 1, 0);
    if ((wanted & ~coded) == 0) looks.push_back({0, false, false, wanted});
    for (int radius = 1; radius <= 2; ++radius) {
      if (coded == kAllPositions) looks.push_back({radius, false, false, kAllPositions});
      if ((other & ~coded) == 0) looks.push_back({radius, true, false, other});
    }
    if (looks.empty() || draws_.Percent(20)) return {};
    return looks[static_cast<size_t>(draws_.Whole(0, static_cast<int>(looks.size()) - 1))];
  }

  // A wavefront step reads its own group by causal convolutions, and others so or at the position
  // itself.
  Look DrawWavefrontLook(bool own, PositionSet coded) {
    if (!own && coded != kAllPositions) return {};
    if (!own && draws_.Percent(50)) return {0, false, false, kAllPositions};
    return {draws_.Whole(1, 3), false, true, kAllPositions};
  }

  void DrawSteps() {
    std::vector<Step> steps = DrawOrder();
    std::vector<PositionSet> coded(static_cast<size_t>(groups_), kNoPositions);
    for (Step& step : steps) {
      bool looks = has_hyper_;
      for (int group = 0; group < groups_; ++group) {
        const PositionSet of_group = coded[static_cast<size_t>(group)];
        step.looks.push_back(step.wavefront
                                 ? DrawWavefrontLook(group == step.parts[0].first, of_group)
                                 : DrawLook(step.positions(), of_group));
        looks = looks || step.looks.back().radius >= 0;
      }
      const bool last = &step == &steps.back();  // somebody must read psi
      step.fixed = !looks || (draws_.Percent(15) && !last && !step.wavefront);
      if (step.fixed) step.looks.assign(coded.size(), {});
      for (const auto& [group, set] : step.parts) coded[static_cast<size_t>(group)] |= set;
    }
    for (size_t i = steps.size(); i-- > 0;) {
      for (size_t j = i + 1; j < steps.size(); ++j) {
        for (const auto& [group, set] : steps[i].parts) {
          const Look& look = steps[j].looks[static_cast<size_t>(group)];
          if (look.radius < 0 || (look.positions & set) == 0) continue;
          const int below = look.causal ? 0 : look.radius;
          steps[i].ahead = std::max(steps[i].ahead, steps[j].ahead + below);
        }
      }
      if (draws_.Percent(20)) steps[i].ahead += draws_.Whole(1, 2);
    }
    Json& coding = b_.document["coding"];
    coding["steps"] = Json::array();
    if (has_hyper_) coding["steps"].push_back(ModelBuilder::HyperStep(hyper_, 0));
    for (size_t i = 0; i < steps.size(); ++i) AddStep(steps[i], "step" + std::to_string(i));
  }

  void AddStep(const Step& step, const std::string& name) {
    Json parts = Json::array();
    for (const auto& [group, set] : step.parts) {
      Json points = Json::array();
      for (int point = 0; point < 4; ++point) {
        if ((set >> point & 1) != 0) points.push_back(Json::array({point / 2, point % 2}));
      }
      parts.push_back(ModelBuilder::Part(group * group_, (group + 1) * group_, points));
    }
    const int channels = group_ * static_cast<int>(step.parts.size());
    Json& coding = b_.document["coding"];
    Json distribution;
    if (step.fixed) {
      b_.AddTables("coding." + name, channels, 10);
      coding["tables"][name] = ModelBuilder::TableNames("coding." + name);
      distribution = ModelBuilder::Fixed(name);
    } else {
      const bool means = draws_.Percent(75);
      distribution =
          ModelBuilder::FromGraph(means ? "means_and_scales" : "scales", name,
                                  AddStepGraph(step, name, means ? 2 * channels : channels));
      coding["tables"]["gaussian"] = ModelBuilder::TableNames("coding.y");
      coding["tables"]["gaussian"]["thresholds"] = "coding.y.thresholds";
    }
    coding["steps"].push_back(ModelBuilder::Step("y", parts, step.ahead, distribution));
    if (step.wavefront) coding["steps"].back()["order"] = "wavefront";
  }

  // Returns where the graph's inputs come from.
  Json AddStepGraph(const Step& step, const std::string& name, int outputs) {
    std::vector<std::pair<const char*, int>> inputs;
    Json sources;
    Chain chain{name + ".", "", 0};
    std::vector<std::string> parts;
    int channels = 0;
    const auto take = [&] {
      parts.push_back(chain.last);
      channels += chain.channels;
    };
    if (has_hyper_) {
      inputs.emplace_back("psi", psi_);
      sources["psi"] = "psi";
      chain.last = "psi";
      chain.channels = psi_;
      const int kernel = step.wavefront ? 1 : draws_.Of({1, 3, 5});
      if (draws_.Percent(50)) Convolve(&chain, draws_.Whole(1, 6), kernel, 1, 0.5f);
      if (!step.wavefront) MaybeFilter(&chain);
      take();
    }
    for (int group = 0; group < groups_; ++group) {
      const Look& look = step.looks[static_cast<size_t>(group)];
      if (look.radius < 0) continue;
      const char* input = group == 0 ? "y0" : "y1";
      inputs.emplace_back(input, group_);
      sources[input] = {group * group_, (group + 1) * group_};
      chain.last = input;
      chain.channels = group_;
      const int kernel = 2 * look.radius + 1;
      if (!look.masked && !look.causal && draws_.Percent(30)) {
        Filter(&chain, kernel, kernel);
      } else {
        Convolve(&chain, draws_.Whole(1, 4), kernel, 1, 0.2f,
                 look.masked   ? "checkerboard"
                 : look.causal ? "causal"
                               : "none");
      }
      take();
    }
    if (parts.size() > 1) chain.Add(ModelBuilder::Simple("cat", "concat", parts), channels);
    Convolve(&chain, draws_.Whole(2, 8), 1, 1, 0.5f);
    MaybeActivate(&chain);
    Convolve(&chain, outputs, 1, 1, 0.5f);
    AddGraph(name, "exact", inputs, chain.nodes);
    return sources;
  }

  Draws draws_;
  ModelBuilder b_;
  int halvings_ = 1, hyper_halvings_ = 1;  // picture to y, y to z
  int groups_ = 1, group_ = 1;             // of latent channels, channels in each
  bool has_hyper_ = true;
  int hyper_ = 1, psi_ = 1;  // channels
};

}  // namespace

ModelBuilder DrawnModel(uint32_t seed) { return CodecDrawer(seed).Draw(); }

}  // namespace glint::testing
