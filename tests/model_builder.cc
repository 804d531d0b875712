#include "tests/model_builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/float16.h"

namespace glint::testing {

void ModelBuilder::AddFloats(const std::string& name, std::vector<int64_t> shape,
                             const std::vector<float>& values) {
  Add(name, "F32", std::move(shape), values.data(), values.size() * sizeof(float));
}

void ModelBuilder::AddWords(const std::string& name, std::vector<int64_t> shape,
                            const std::vector<int16_t>& values) {
  Add(name, "I16", std::move(shape), values.data(), values.size() * sizeof(int16_t));
}

void ModelBuilder::AddBytes(const std::string& name, std::vector<int64_t> shape,
                            const std::vector<int8_t>& values) {
  Add(name, "I8", std::move(shape), values.data(), values.size());
}

void ModelBuilder::MakeFloat16(const std::string& name) {
  const Tensor floats = tensors.at(name);
  std::vector<uint16_t> halves(floats.bytes.size() / 4);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = FloatToFloat16(Float(name, i));
  Add(name, "F16", floats.shape, halves.data(), 2 * halves.size());
}

void ModelBuilder::AddInts(const std::string& name, const std::vector<int32_t>& values) {
  Add(name, "I32", {static_cast<int64_t>(values.size())}, values.data(),
      values.size() * sizeof(int32_t));
}

void ModelBuilder::AddRandom(const std::string& name, const std::vector<int64_t>& shape, float low,
                             float high) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) {
    value = low + (high - low) * static_cast<float>(random_() >> 8) * 0x1p-24f;
  }
  AddFloats(name, shape, values);
}

Json ModelBuilder::Conv(const std::string& name, const std::string& in, int in_channels,
                        int out_channels, int k, int stride, float gain, const char* mask) {
  const float bound = gain * std::sqrt(3.0f / static_cast<float>(in_channels * k * k));
  AddRandom(name + ".weight", {out_channels, in_channels, k, k}, -bound, bound);
  AddRandom(name + ".bias", {out_channels}, -0.1f, 0.1f);
  Json node = Simple(name, "conv2d", {in});
  node.update({{"stride", stride}, {"padding", (k - 1) / 2}, {"mask", mask}});
  node["weights"] = {{"weight", name + ".weight"}, {"bias", name + ".bias"}};
  return node;
}

Json ModelBuilder::Deconv(const std::string& name, const std::string& in, int in_channels,
                          int out_channels, int k) {
  const float bound = 2.0f * std::sqrt(3.0f / static_cast<float>(in_channels * k * k));
  AddRandom(name + ".weight", {in_channels, out_channels, k, k}, -bound, bound);
  AddRandom(name + ".bias", {out_channels}, -0.1f, 0.1f);
  Json node = Simple(name, "conv_transpose2d", {in});
  node.update({{"stride", 2}, {"padding", (k - 1) / 2}, {"output_padding", k % 2}});
  node["weights"] = {{"weight", name + ".weight"}, {"bias", name + ".bias"}};
  return node;
}

Json ModelBuilder::Depthwise(const std::string& name, const std::string& in, int channels, int rows,
                             int columns, int stride) {
  const float bound = std::sqrt(3.0f / static_cast<float>(rows * columns));
  AddRandom(name + ".weight", {channels, 1, rows, columns}, -bound, bound);
  AddRandom(name + ".bias", {channels}, -0.1f, 0.1f);
  Json node = Simple(name, "depthwise_conv2d", {in});
  node["stride"] = stride;
  node["weights"] = {{"weight", name + ".weight"}, {"bias", name + ".bias"}};
  return node;
}

Json ModelBuilder::Gdn(const std::string& name, const std::string& in, int channels, bool inverse,
                       const char* form) {
  AddRandom(name + ".beta", {channels}, 0.5f, 1.5f);
  AddRandom(name + ".gamma", {channels, channels}, 0.0f, 0.2f);
  Json node = Simple(name, "gdn", {in});
  node.update({{"inverse", inverse}, {"form", form}});
  node["weights"] = {{"beta", name + ".beta"}, {"gamma", name + ".gamma"}};
  return node;
}

Json ModelBuilder::Gain(const std::string& name, const std::string& in, int channels, float level,
                        float slope) {
  AddFloats(name + ".fc1.weight", {2, 1}, {1.0f, 1.0f});
  AddFloats(name + ".fc1.bias", {2}, {1.0f, 0.0f});
  std::vector<float> weight;
  for (int c = 0; c < channels; ++c) weight.insert(weight.end(), {slope, 0.05f});
  AddFloats(name + ".fc2.weight", {channels, 2}, weight);
  AddRandom(name + ".fc2.bias", {channels}, level - slope - 0.1f, level - slope + 0.1f);
  Json node = Simple(name, "gain", {in});
  for (const char* role : {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}) {
    node["weights"][role] = name + "." + role;
  }
  return node;
}

Json ModelBuilder::LeakyRelu(const std::string& name, const std::string& in, double slope) {
  Json node = Simple(name, "leaky_relu", {in});
  node["slope"] = slope;
  return node;
}

Json ModelBuilder::Simple(const std::string& name, const char* op,
                          const std::vector<std::string>& in) {
  return {{"name", name}, {"op", op}, {"inputs", in}, {"output", name}, {"precision", "f32"}};
}

Json ModelBuilder::Graph(const char* numeric_class,
                         const std::vector<std::pair<const char*, int>>& inputs, Json nodes) {
  // Braces around one node are a list of it to GCC, and a copy of it to clang.
  if (nodes.is_object()) nodes = Json::array({Json(nodes)});
  Json graph = {{"class", numeric_class}, {"output", nodes.back()["output"]}};
  for (const auto& [name, channels] : inputs) {
    graph["inputs"].push_back({{"name", name}, {"channels", channels}});
  }
  graph["nodes"] = std::move(nodes);
  return graph;
}

void ModelBuilder::AddTables(const std::string& prefix, int count, int range) {
  std::vector<int32_t> cdf, start = {0}, min;
  for (int i = 0; i < count; ++i) {
    const double width = 0.3 * std::pow(1.6, i % 10);
    std::vector<double> weight;
    double sum = 0;
    for (int v = -range; v <= range; ++v) {
      weight.push_back(std::exp(-std::abs(v) / width));
      sum += weight.back();
    }
    const int spare = 65536 - (2 * range + 2);  // every symbol has at least 1
    cdf.push_back(0);
    double at = 0;
    for (size_t s = 0; s < weight.size(); ++s) {
      at += weight[s] / sum;
      cdf.push_back(static_cast<int32_t>(at * spare) + static_cast<int32_t>(s) + 1);
    }
    cdf.push_back(65536);
    start.push_back(static_cast<int32_t>(cdf.size()));
    min.push_back(-range);
  }
  AddInts(prefix + ".cdf", cdf);
  AddInts(prefix + ".cdf_start", start);
  AddInts(prefix + ".cdf_min", min);
}

Json ModelBuilder::TableNames(const std::string& prefix) {
  return {{"cdf", prefix + ".cdf"},
          {"cdf_start", prefix + ".cdf_start"},
          {"cdf_min", prefix + ".cdf_min"}};
}

Json ModelBuilder::HyperStep(int channels, int ahead) {
  return Step("z", Json::array({Part(0, channels, "all")}), ahead, Fixed("z"));
}

Json ModelBuilder::LatentStep(const std::string& graph, int begin, int end, const char* positions,
                              int ahead, Json inputs) {
  return Step("y", Json::array({Part(begin, end, positions)}), ahead,
              FromGraph("means_and_scales", graph, std::move(inputs)));
}

Json ModelBuilder::Part(int begin, int end, Json positions) {
  return {{"channels", {begin, end}}, {"positions", std::move(positions)}};
}

Json ModelBuilder::Step(const char* codes, Json parts, int ahead, Json distribution) {
  return {{"codes", codes},
          {"parts", std::move(parts)},
          {"ahead", ahead},
          {"distribution", std::move(distribution)}};
}

Json ModelBuilder::Fixed(const std::string& tables) {
  return {{"kind", "fixed"}, {"tables", tables}};
}

Json ModelBuilder::FromGraph(const char* kind, const std::string& graph, Json inputs) {
  return {{"kind", kind}, {"tables", "gaussian"}, {"graph", graph}, {"inputs", std::move(inputs)}};
}

std::vector<uint8_t> ModelBuilder::Build() const { return Build(Header().dump()); }

std::vector<uint8_t> ModelBuilder::Build(std::string header) const {
  header.resize((header.size() + 8 + 63) / 64 * 64 - 8, ' ');
  const uint64_t header_size = header.size();
  size_t size = 8 + header.size();
  for (const auto& entry : tensors) size += entry.second.bytes.size();
  std::vector<uint8_t> file(size);
  std::memcpy(file.data(), &header_size, 8);
  auto at = std::copy(header.begin(), header.end(), file.begin() + 8);
  for (const auto& entry : tensors) {
    at = std::copy(entry.second.bytes.begin(), entry.second.bytes.end(), at);
  }
  return file;
}

Json ModelBuilder::Header() const {
  Json header = {{"__metadata__", {{"glint", document.dump()}}}};
  size_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", tensor.dtype},
                    {"shape", tensor.shape},
                    {"data_offsets", {at, at + tensor.bytes.size()}}};
    at += tensor.bytes.size();
  }
  return header;
}

void ModelBuilder::Add(const std::string& name, const char* dtype, std::vector<int64_t> shape,
                       const void* data, size_t bytes) {
  const auto* begin = static_cast<const uint8_t*>(data);
  tensors[name] = {dtype, std::move(shape), std::vector<uint8_t>(begin, begin + bytes)};
}

ModelBuilder TinyModel(uint32_t seed) {
  ModelBuilder b(seed);
  Json& d = b.document;
  d = {{"format", 2}, {"name", "tiny"}, {"form", "fp32"}, {"architecture", "light"}};
  d["picture"] = {{"channels", 3}, {"stride", 16}, {"padding", "edge"}, {"offset", 0.5}};
  d["latents"] = {{"channels", 8}, {"stride", 16}, {"fraction_bits", 6}};
  d["hyper"] = {{"channels", 4}, {"stride", 64}};
  d["rate"] = {
      {"parameter", "lrd"},        {"min", 2.2e-5}, {"max", 1.3e-3},         {"default", 4e-4},
      {"suggested", {5e-5, 9e-4}}, {"map", "log"},  {"lambda_per_lrd", 54.0}};
  d["provenance"] = {{"made_by", "tests"}, {"seed", seed}};

  Json& graphs = d["graphs"];
  graphs["g_a"] = ModelBuilder::Graph(
      "close", {{"x", 3}},
      {b.Conv("a1", "x", 3, 8, 5, 2, 3), b.Gdn("ag1", "a1", 8, false, "abs"),
       b.Conv("a2", "ag1", 8, 8, 5, 2, 2), b.Gdn("ag2", "a2", 8, false, "sqrt"),
       b.Gain("as2", "ag2", 8, 0, 0), b.Conv("ar2.a", "as2", 8, 4, 1, 1),
       ModelBuilder::LeakyRelu("ar2.act1", "ar2.a"), b.Conv("ar2.b", "ar2.act1", 4, 4, 3, 1),
       ModelBuilder::LeakyRelu("ar2.act2", "ar2.b"), b.Conv("ar2.c", "ar2.act2", 4, 8, 1, 1),
       ModelBuilder::Simple("ar2.add", "add", {"as2", "ar2.c"}),
       b.Conv("a3", "ar2.add", 8, 8, 3, 2, 2), b.Conv("a4", "a3", 8, 8, 5, 2, 2),
       b.Gain("as4", "a4", 8, 1.5f, 1.0f)});
  graphs["g_s"] =
      ModelBuilder::Graph("close", {{"y_hat", 8}},
                          {b.Gain("s4", "y_hat", 8, -1.5f, -1.0f), b.Deconv("s3", "s4", 8, 8, 5),
                           b.Gdn("sg3", "s3", 8, true, "abs"), b.Deconv("s2", "sg3", 8, 8, 3),
                           ModelBuilder::Simple("s2.relu", "relu", {"s2"}),
                           b.Deconv("s1", "s2.relu", 8, 8, 4), b.Deconv("s0", "s1", 8, 3, 4)});
  graphs["h_a"] = ModelBuilder::Graph(
      "close", {{"y", 8}},
      {b.Conv("ha1", "y", 8, 8, 3, 1), ModelBuilder::LeakyRelu("ha1.act", "ha1"),
       b.Conv("ha2", "ha1.act", 8, 8, 5, 2), ModelBuilder::LeakyRelu("ha2.act", "ha2"),
       b.Conv("ha3", "ha2.act", 8, 4, 5, 2)});
  graphs["h_s"] = ModelBuilder::Graph(
      "exact", {{"z", 4}},
      {b.Deconv("hs1", "z", 4, 8, 4), ModelBuilder::LeakyRelu("hs1.act", "hs1"),
       b.Deconv("hs2", "hs1.act", 8, 8, 4), ModelBuilder::LeakyRelu("hs2.act", "hs2"),
       b.Conv("hs3", "hs2.act", 8, 8, 3, 1), ModelBuilder::LeakyRelu("hs3.act", "hs3")});

  const auto params = [&](const std::string& name, const std::string& in, int channels,
                          Json nodes) {
    nodes.push_back(b.Conv(name + ".0", in, channels, 8, 1, 1));
    nodes.push_back(ModelBuilder::LeakyRelu(name + ".1", name + ".0"));
    nodes.push_back(b.Conv(name + ".2", name + ".1", 8, 8, 1, 1, 2));
    return nodes;
  };
  graphs["step0"] =
      ModelBuilder::Graph("exact", {{"psi", 8}}, params("p00", "psi", 8, Json::array()));
  graphs["step1"] =
      ModelBuilder::Graph("exact", {{"psi", 8}, {"y0", 4}},
                          params("p01", "cat", 12,
                                 {b.Conv("c01", "y0", 4, 4, 5, 1, 1, "checkerboard"),
                                  ModelBuilder::Simple("cat", "concat", {"psi", "c01"})}));
  const Json c10 = b.Conv("c10", "y0", 4, 4, 3, 1);
  graphs["step2"] = ModelBuilder::Graph(
      "exact", {{"psi", 8}, {"y0", 4}},
      params("p10", "cat", 12, {c10, ModelBuilder::Simple("cat", "concat", {"psi", "c10"})}));
  graphs["step3"] =
      ModelBuilder::Graph("exact", {{"psi", 8}, {"y0", 4}, {"y1", 4}},
                          params("p11", "cat", 16,
                                 {c10, b.Conv("c11", "y1", 4, 4, 5, 1, 1, "checkerboard"),
                                  ModelBuilder::Simple("cat", "concat", {"psi", "c10", "c11"})}));

  b.AddTables("coding.z", 4, 20);
  b.AddTables("coding.y", 8, 40);
  b.AddFloats("coding.y.thresholds", {7}, {-3, -2, -1, 0, 1, 2, 3});
  Json& coding = d["coding"];
  coding["segment_rows"] = 64;
  coding["tables"] = {{"z", ModelBuilder::TableNames("coding.z")},
                      {"gaussian", ModelBuilder::TableNames("coding.y")}};
  coding["tables"]["gaussian"]["thresholds"] = "coding.y.thresholds";
  const auto step = [](const char* graph, int begin, const char* positions, int ahead,
                       Json inputs) {
    return ModelBuilder::LatentStep(graph, begin, begin + 4, positions, ahead, std::move(inputs));
  };
  coding["steps"] = {ModelBuilder::HyperStep(4, 3), step("step0", 0, "even", 5, {{"psi", "psi"}}),
                     step("step1", 0, "odd", 3, {{"psi", "psi"}, {"y0", {0, 4}}}),
                     step("step2", 4, "even", 2, {{"psi", "psi"}, {"y0", {0, 4}}}),
                     step("step3", 4, "odd", 0, {{"psi", "psi"}, {"y0", {0, 4}}, {"y1", {4, 8}}})};
  return b;
}

ModelBuilder WithIntegers(ModelBuilder b) {
  constexpr int kMost = 4095, kWeightMost = 511;
  b.document["form"] = "int16";
  const int fraction_bits = b.document["latents"]["fraction_bits"];
  const Json words = {{"type", "i16"}, {"max", kMost}, {"scales", {16.0 / kMost}}};
  const Json latents = {{"type", "i16"}, {"max", kMost}, {"scales", {1.0 / (1 << fraction_bits)}}};
  const Json hyper = {{"type", "i16"}, {"max", kMost}, {"scales", {1.0}}};
  std::map<std::string, bool> done;
  for (auto& [name, graph] : b.document["graphs"].items()) {
    Json& tensors = graph["tensors"];
    tensors = Json::object();
    for (Json& node : graph["nodes"]) {
      const std::string op = node["op"];
      const bool gdn = op == "gdn" && node["form"] == "abs";
      if (op == "concat") {
        for (const Json& part : node["inputs"]) tensors[part.get<std::string>()] = words;
      }
      const bool depthwise = op == "depthwise_conv2d";
      if (op != "conv2d" && op != "conv_transpose2d" && !depthwise && !gdn) continue;
      const std::string input = node["inputs"][0];
      if (input != "cat") tensors[input] = words;
      node["precision"] = "i16";
      const std::string weight = node["weights"][gdn ? "gamma" : "weight"];
      node["weights"]["scale"] = weight + ".scale";
      if (done[weight]) continue;
      done[weight] = true;
      const std::vector<int64_t> shape = b.tensors.at(weight).shape;
      const size_t count = b.tensors.at(weight).bytes.size() / 4;
      float largest = 1e-6f;
      for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(b.Float(weight, i)));
      const float scale = largest / kWeightMost;
      std::vector<int16_t> values(count);
      for (size_t i = 0; i < count; ++i) {
        values[i] = static_cast<int16_t>(std::lround(b.Float(weight, i) / scale));
      }
      const auto outputs = static_cast<size_t>(shape[op == "conv_transpose2d" ? 1 : 0]);
      b.AddWords(weight, shape, values);
      b.AddFloats(weight + ".scale", {static_cast<int64_t>(outputs)},
                  std::vector<float>(outputs, scale));
    }
    for (const Json& in : graph["inputs"]) {
      const std::string input = in["name"];
      const bool is_latents = input[0] == 'y' || input == "above";
      if (is_latents && input != "y") tensors[input] = latents;
      if (input == "psi") tensors[input] = words;
      if (input == "z") tensors[input] = hyper;
    }
  }
  if (!b.document["graphs"].contains("h_s")) return b;
  Json& h_s = b.document["graphs"]["h_s"];
  h_s["tensors"][h_s["output"].get<std::string>()] = words;
  return b;
}

ModelBuilder IntegerModel(uint32_t seed) { return WithIntegers(TinyModel(seed)); }

ModelBuilder Float16Model(uint32_t seed) {
  ModelBuilder b = TinyModel(seed);
  b.document["form"] = "fp16";
  b.AddFloats("half.factor", {8}, {0.25f, 0.5f, 1, 2, 4, 1, 0.125f, 8});
  size_t count = 0;
  for (auto& [name, graph] : b.document["graphs"].items()) {
    Json& tensors = graph["tensors"];
    tensors = Json::object();
    for (Json& node : graph["nodes"]) {
      const std::string op = node["op"], output = node["output"];
      if (graph["output"] != output && ++count % 4 != 0) {
        tensors[output] = {{"type", "f16"}};
        const bool eight = output != "cat" && output[0] != 'c' && output.find("ar2.") != 0;
        if (count % 3 == 0) tensors[output]["max"] = 2000;
        if (count % 2 == 0 && eight) tensors[output]["factor"] = "half.factor";
      }
      if (op != "conv2d" && op != "conv_transpose2d" && op != "gdn") continue;
      node["precision"] = "f16";
      const std::string weight = node["weights"][op == "gdn" ? "gamma" : "weight"];
      if (b.tensors.at(weight).dtype == "F32") b.MakeFloat16(weight);
    }
  }
  b.document["graphs"]["h_a"]["tensors"]["y"] = {{"type", "f16"}};
  return b;
}

ModelBuilder DynamicModel(uint32_t seed) {
  ModelBuilder b = IntegerModel(seed);
  for (const char* name : {"g_a", "g_s"}) {
    Json& graph = b.document["graphs"][name];
    for (auto& [tensor, kept] : graph["tensors"].items()) {
      if (graph["inputs"][0]["name"] != tensor) kept["scales"] = "dynamic";
    }
  }
  b.AddFloats("factor", {8}, {1, 2, 0.5f, 3, 1, 0.25f, 1.7f, 1});
  b.document["graphs"]["g_s"]["tensors"]["s3"]["factor"] = "factor";
  return b;
}

ModelBuilder MiniModel(uint32_t seed) {
  ModelBuilder b = TinyModel(seed);
  b.tensors.clear();
  Json& d = b.document;
  d["name"] = "mini";
  d["architecture"] = "mini";
  d["picture"]["stride"] = 2;
  d["latents"] = {{"channels", 2}, {"stride", 2}, {"fraction_bits", 6}};
  d["hyper"] = {{"channels", 1}, {"stride", 4}};
  d["graphs"] = Json::object();
  const auto add = [&](const char* graph, const char* numeric_class, const char* in, Json node) {
    const int64_t channels = b.tensors.at(node["name"].get<std::string>() + ".weight")
                                 .shape[node["op"] == "conv2d" ? 1 : 0];
    d["graphs"][graph] = ModelBuilder::Graph(numeric_class, {{in, static_cast<int>(channels)}},
                                             Json::array({std::move(node)}));
  };
  add("g_a", "close", "x", b.Conv("a", "x", 3, 2, 3, 2, 20));
  add("g_s", "close", "y_hat", b.Deconv("s", "y_hat", 2, 3, 4));
  add("h_a", "close", "y", b.Conv("ha", "y", 2, 1, 3, 2));
  add("h_s", "exact", "z", b.Deconv("hs", "z", 1, 2, 4));
  add("p", "exact", "psi", b.Conv("p", "psi", 2, 4, 1, 1));
  b.AddTables("coding.z", 1, 10);
  b.AddTables("coding.y", 3, 20);
  b.AddFloats("coding.y.thresholds", {2}, {-0.5f, 0.5f});
  d["coding"]["steps"] =
      Json::array({ModelBuilder::HyperStep(1, 1),
                   ModelBuilder::LatentStep("p", 0, 2, "all", 0, {{"psi", "psi"}})});
  return b;
}

ModelBuilder LatticeModel(uint32_t seed) {
  ModelBuilder b = MiniModel(seed);
  b.tensors.clear();
  Json& d = b.document;
  d["name"] = "lattice";
  d.erase("hyper");
  d["latents"]["channels"] = 4;
  const auto context = [&](const char* name, int outputs) {
    return ModelBuilder::Graph("exact", {{"y", 4}},
                               {b.Conv(name, "y", 4, outputs, 3, 1, 4, "checkerboard")});
  };
  d["graphs"] = {
      {"g_a", ModelBuilder::Graph("close", {{"x", 3}}, {b.Conv("a", "x", 3, 4, 3, 2, 20)})},
      {"g_s", ModelBuilder::Graph("close", {{"y_hat", 4}}, {b.Deconv("s", "y_hat", 4, 3, 4)})},
      {"scales", context("scales", 2)},
      {"both", context("both", 8)}};
  b.AddTables("coding.first", 4, 10);
  b.AddTables("coding.y", 3, 20);
  b.AddFloats("coding.y.thresholds", {2}, {-0.5f, 0.5f});
  const Json upper_left = Json::parse("[[0, 0]]"), upper_right = Json::parse("[[0, 1]]");
  const Json lower_left = Json::parse("[[1, 0]]"), lower_right = Json::parse("[[1, 1]]");
  const Json y = {{"y", {0, 4}}};
  Json& coding = d["coding"];
  coding["segment_rows"] = 17;
  coding["tables"] = {{"first", ModelBuilder::TableNames("coding.first")},
                      {"gaussian", ModelBuilder::TableNames("coding.y")}};
  coding["tables"]["gaussian"]["thresholds"] = "coding.y.thresholds";
  coding["steps"] = {
      ModelBuilder::Step(
          "y", {ModelBuilder::Part(0, 2, upper_left), ModelBuilder::Part(2, 4, lower_right)}, 1,
          ModelBuilder::Fixed("first")),
      ModelBuilder::Step(
          "y", {ModelBuilder::Part(2, 4, upper_left), ModelBuilder::Part(0, 2, lower_right)}, 2,
          ModelBuilder::Fixed("first")),
      ModelBuilder::Step("y", Json::array({ModelBuilder::Part(0, 2, upper_right)}), 0,
                         ModelBuilder::FromGraph("scales", "scales", y)),
      ModelBuilder::Step("y",
                         {ModelBuilder::Part(0, 2, lower_left), ModelBuilder::Part(2, 4, "odd")}, 0,
                         ModelBuilder::FromGraph("means_and_scales", "both", y))};
  return b;
}

ModelBuilder WavefrontModel(uint32_t seed) {
  ModelBuilder b = MiniModel(seed);
  b.tensors.clear();
  Json& d = b.document;
  d["name"] = "wavefront";
  d["latents"]["channels"] = 4;
  const auto outputs = [&](const char* name, const char* first, const char* second) {
    return Json{ModelBuilder::Simple(std::string(name) + ".in", "concat", {first, second}),
                b.Conv(std::string(name) + ".0", std::string(name) + ".in", 8, 6, 1, 1),
                ModelBuilder::LeakyRelu(std::string(name) + ".act", std::string(name) + ".0"),
                b.Conv(std::string(name) + ".1", std::string(name) + ".act", 6, 4, 1, 1, 2)};
  };
  Json first = Json::array({b.Conv("c0", "y0", 2, 4, 5, 1, 1, "causal")});
  Json second = {b.Conv("c1", "y1", 2, 4, 3, 1, 1, "causal"),
                 b.Conv("c2", "above", 2, 4, 7, 1, 1, "causal"),
                 ModelBuilder::Simple("here", "concat", {"y0", "y0"}),
                 ModelBuilder::Simple("sum", "add", {"here", "c2"}),
                 ModelBuilder::Simple("mixed", "add", {"sum", "psi"})};
  for (const Json& node : outputs("p0", "psi", "c0")) first.push_back(node);
  for (const Json& node : outputs("p1", "mixed", "c1")) second.push_back(node);
  d["graphs"] = {
      {"g_a", ModelBuilder::Graph("close", {{"x", 3}}, {b.Conv("a", "x", 3, 4, 3, 2, 20)})},
      {"g_s", ModelBuilder::Graph("close", {{"y_hat", 4}}, {b.Deconv("s", "y_hat", 4, 3, 4)})},
      {"h_a", ModelBuilder::Graph("close", {{"y", 4}}, {b.Conv("ha", "y", 4, 2, 3, 2)})},
      {"h_s", ModelBuilder::Graph("exact", {{"z", 2}}, {b.Deconv("hs", "z", 2, 4, 4)})},
      {"first", ModelBuilder::Graph("exact", {{"psi", 4}, {"y0", 2}}, first)},
      {"second",
       ModelBuilder::Graph("exact", {{"psi", 4}, {"y0", 2}, {"above", 2}, {"y1", 2}}, second)}};
  d["hyper"]["channels"] = 2;
  b.AddTables("coding.z", 2, 10);
  b.AddTables("coding.y", 3, 20);
  b.AddFloats("coding.y.thresholds", {2}, {-0.5f, 0.5f});
  Json& coding = d["coding"];
  coding["segment_rows"] = 17;
  coding["steps"] = {
      ModelBuilder::HyperStep(2, 2),
      ModelBuilder::LatentStep("first", 0, 2, "all", 0, {{"psi", "psi"}, {"y0", {0, 2}}}),
      ModelBuilder::LatentStep(
          "second", 2, 4, "all", 0,
          {{"psi", "psi"}, {"y0", {0, 2}}, {"above", {0, 2}}, {"y1", {2, 4}}})};
  for (const size_t step : {size_t{1}, size_t{2}}) coding["steps"][step]["order"] = "wavefront";
  return b;
}

ModelBuilder UnderivableModel() {
  ModelBuilder builder = TinyModel();
  Json& nodes = builder.document["graphs"]["g_s"]["nodes"];
  const auto first = std::find_if(nodes.begin(), nodes.end(),
                                  [](const Json& node) { return node["op"] == "relu"; });
  const std::string output = first->at("output");
  (*first)["output"] = "long0";
  for (int i = 1; i < 900; ++i) {
    Json node =
        ModelBuilder::Simple("long" + std::to_string(i), "relu", {"long" + std::to_string(i - 1)});
    if (i == 899) node["output"] = output;
    nodes.push_back(node);
  }
  return builder;
}

}  // namespace glint::testing
