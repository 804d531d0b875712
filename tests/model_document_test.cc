// Everything that can be wrong with a model's document and its tensors, one thing at a time.

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/model_builder.h"
#include "tests/model_checks.h"

namespace glint {
namespace {

using testing::Broken;
using testing::CheckAllRefused;
using testing::Json;
using testing::LoadWhole;
using testing::ModelBuilder;
using testing::NodeOf;
using testing::TinyModel;

Json& StepOf(ModelBuilder& b, size_t i) { return b.document["coding"]["steps"][i]; }

// A graph of the first channels of y for pictures `shrink` times smaller.
void AddShrunk(int shrink, int channels, int factor, ModelBuilder* b) {
  Json shuffle = ModelBuilder::Simple("shuffle", "pixel_shuffle", {"small"});
  shuffle["factor"] = factor;
  b->document["graphs"]["small"] = ModelBuilder::Graph(
      "close", {{"y_hat", channels}},
      {b->Conv("small", "y_hat", channels, 3 * factor * factor, 3, 1), shuffle});
  b->document["shrunk"][std::to_string(shrink)] = "small";
}

const std::vector<Broken>& BrokenDocuments() {
  static const std::vector<Broken> list = {
      {"format of the future",
       [](ModelBuilder& b) { b.document["format"] = 3; },
       {"format is 3", "reads format 2"}},
      {"format of the past",
       [](ModelBuilder& b) { b.document["format"] = 1; },
       {"format is 1", "reads format 2"}},
      {"format no number",
       [](ModelBuilder& b) { b.document["format"] = "1"; },
       {"format is '1', not an integer"}},
      {"format too large for 64 bits",
       [](ModelBuilder& b) { b.document["format"] = std::numeric_limits<uint64_t>::max(); },
       {"format is 18446744073709551615, not an integer"}},
      {"unknown key",
       [](ModelBuilder& b) { b.document["colour"] = 1; },
       {"glint document: unknown key 'colour'"}},
      {"no name", [](ModelBuilder& b) { b.document.erase("name"); }, {"key 'name' is missing"}},
      {"escape codes in the name",
       [](ModelBuilder& b) { b.document["name"] = "a\x1b[2J"; },
       {"name is 'a?[2J', not 1 to 128 printable"}},
      {"unknown form",
       [](ModelBuilder& b) { b.document["form"] = "int4"; },
       {"form is 'int4', known here: fp32"}},
      {"document no object",
       [](ModelBuilder& b) { b.document = Json::array({1}); },
       {"glint document: is an array of 1, not an object"}},
      {"picture padding",
       [](ModelBuilder& b) { b.document["picture"]["padding"] = "zero"; },
       {"picture: padding is 'zero', known here: edge, centred_zeros"}},
      {"picture key",
       [](ModelBuilder& b) { b.document["picture"]["gamma"] = 1; },
       {"picture: unknown key 'gamma'"}},
      {"picture stride",
       [](ModelBuilder& b) { b.document["picture"]["stride"] = 24; },
       {"picture: stride is 24, not a power of two"}},
      {"picture stride too small",
       [](ModelBuilder& b) { b.document["picture"]["stride"] = 8; },
       {"picture: stride 8 is no multiple of the latents' 16"}},
      {"picture offset",
       [](ModelBuilder& b) { b.document["picture"]["offset"] = "half"; },
       {"picture: offset is 'half', not a number"}},
      {"fraction bits",
       [](ModelBuilder& b) { b.document["latents"]["fraction_bits"] = 9; },
       {"latents: fraction_bits is 9, not an integer from 0 to 8"}},
      {"fraction bits no integer",
       [](ModelBuilder& b) { b.document["latents"]["fraction_bits"] = 6.5; },
       {"latents: fraction_bits is 6.5, not an integer"}},
      {"latent channels",
       [](ModelBuilder& b) { b.document["latents"]["channels"] = 1 << 20; },
       {"latents: channels is 1048576, not an integer from 1 to 4096"}},
      {"hyper stride",
       [](ModelBuilder& b) { b.document["hyper"]["stride"] = 8; },
       {"hyper: stride 8 is no multiple"}},
      {"rate parameter",
       [](ModelBuilder& b) { b.document["rate"]["parameter"] = "q"; },
       {"rate: parameter is 'q', known here: lrd, none"}},
      {"rate map",
       [](ModelBuilder& b) { b.document["rate"]["map"] = "square"; },
       {"rate: map is 'square', known here: log, linear"}},
      {"rates of a fixed rate",
       [](ModelBuilder& b) { b.document["rate"]["parameter"] = "none"; },
       {"rate: unknown key"}},
      {"lambda of a fixed rate",
       [](ModelBuilder& b) {
         b.document["rate"] = {{"parameter", "none"}, {"lambda", 0}};
       },
       {"rate: lambda is not in 0..1e6"}},
      {"rate min",
       [](ModelBuilder& b) { b.document["rate"]["min"] = 0; },
       {"rate: not 0 < min < max"}},
      {"rate min that no float32 has",
       [](ModelBuilder& b) { b.document["rate"]["min"] = 1e-60; },
       {"rate: min and max are not two different float32 numbers in 1e-30..1e30"}},
      {"rate max that no float32 has",
       [](ModelBuilder& b) { b.document["rate"]["max"] = 1e39; },
       {"rate: min and max are not two different float32 numbers in 1e-30..1e30"}},
      {"rates that are the same float32",
       [](ModelBuilder& b) {
         b.document["rate"]["max"] = 4e-4;
         b.document["rate"]["min"] = 4e-4 * (1 - 1e-12);
         b.document["rate"]["suggested"] = {4e-4, 4e-4};
       },
       {"rate: min and max are not two different float32 numbers in 1e-30..1e30"}},
      {"share of squared error",
       [](ModelBuilder& b) { b.document["rate"]["squared_error_share"] = 1.5; },
       {"rate: squared_error_share is not in 0.001..1"}},
      {"lambda too small",
       [](ModelBuilder& b) { b.document["rate"]["lambda_per_lrd"] = 1e-20; },
       {"rate: lambda_per_lrd times min and max is not in 1e-9..1e6"}},
      {"lambda too large",
       [](ModelBuilder& b) { b.document["rate"]["lambda_per_lrd"] = 1e20; },
       {"rate: lambda_per_lrd times min and max is not in 1e-9..1e6"}},
      {"rate default",
       [](ModelBuilder& b) { b.document["rate"]["default"] = 1; },
       {"rate: default is not in min..max"}},
      {"rate suggested",
       [](ModelBuilder& b) {
         b.document["rate"]["suggested"] = {9e-4, 5e-5};
       },
       {"rate: suggested is not a range"}},
      {"rate suggested short",
       [](ModelBuilder& b) { b.document["rate"]["suggested"] = Json::array({1}); },
       {"rate: suggested is an array of 1, not an array of 2 to 2"}},

      {"graph missing",
       [](ModelBuilder& b) { b.document["graphs"].erase("g_s"); },
       {"graph 'g_s' is missing"}},
      {"graph nobody knows",
       [](ModelBuilder& b) { b.document["graphs"]["extra"] = b.document["graphs"]["step0"]; },
       {"graph 'extra': is unknown"}},
      {"graph class",
       [](ModelBuilder& b) { b.document["graphs"]["g_a"]["class"] = "fast"; },
       {"graph 'g_a': class is 'fast', known here: close, exact"}},
      {"graph without nodes",
       [](ModelBuilder& b) { b.document["graphs"]["g_a"]["nodes"] = Json::array(); },
       {"graph 'g_a': nodes is an array of 0"}},
      {"graph key",
       [](ModelBuilder& b) { b.document["graphs"]["h_a"]["loops"] = 3; },
       {"graph 'h_a': unknown key 'loops'"}},
      {"graph output",
       [](ModelBuilder& b) { b.document["graphs"]["h_a"]["output"] = "q"; },
       {"graph 'h_a': output 'q' does not exist"}},
      {"graph input as output",
       [](ModelBuilder& b) { b.document["graphs"]["h_a"]["output"] = "y"; },
       {"graph 'h_a': output 'y' is an input"}},
      {"two outputs",
       [](ModelBuilder& b) {
         b.document["graphs"]["h_a"]["output"] = {"ha3", "ha2"};
       },
       {"graph 'h_a': output is an array of 2, not a string"}},
      {"input twice",
       [](ModelBuilder& b) {
         Json& inputs = b.document["graphs"]["step1"]["inputs"];
         inputs.push_back(inputs[0]);
       },
       {"graph 'step1': tensor 'psi' is an input twice"}},
      {"input channels",
       [](ModelBuilder& b) { b.document["graphs"]["h_a"]["inputs"][0]["channels"] = 0; },
       {"graph 'h_a', inputs: channels is 0"}},

      {"unknown op",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["op"] = "conv3d"; },
       {"graph 'g_a', node 'a2': op is 'conv3d', known here: conv2d"}},
      {"unknown attribute",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["groups"] = 2; },
       {"graph 'g_a', node 'a2': unknown key 'groups'"}},
      {"attribute of another op",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "ar2.add")["slope"] = 1; },
       {"graph 'g_a', node 'ar2.add': unknown key 'slope'"}},
      {"unknown precision",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["precision"] = "f8"; },
       {"node 'a2': precision is 'f8', known here: f32"}},
      {"stride",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["stride"] = 3; },
       {"node 'a2': stride is 3, not an integer from 1 to 2"}},
      {"padding",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["padding"] = 1; },
       {"node 'a2': padding is 1, kernel 5 needs 2"}},
      {"negative padding",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["padding"] = -1; },
       {"node 'a2': padding is -1, not an integer from 0"}},
      {"mask",
       [](ModelBuilder& b) { NodeOf(b, "step1", "c01")["mask"] = "stripes"; },
       {"node 'c01': mask is 'stripes', known here: none, checkerboard, causal"}},
      {"masked 1x1",
       [](ModelBuilder& b) { NodeOf(b, "step1", "p01.0")["mask"] = "checkerboard"; },
       {"node 'p01.0': mask checkerboard needs stride 1 and a kernel of at least 3"}},
      {"output padding",
       [](ModelBuilder& b) { NodeOf(b, "g_s", "s3")["output_padding"] = 0; },
       {"node 's3': kernel 5, padding 2 and output_padding 0 do not double the size"}},
      {"transposed stride",
       [](ModelBuilder& b) { NodeOf(b, "g_s", "s3")["stride"] = 1; },
       {"node 's3': stride is 1, not an integer from 2 to 2"}},
      {"gdn form",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "ag1")["form"] = "cubic"; },
       {"node 'ag1': form is 'cubic', known here: abs, sqrt"}},
      {"gdn inverse",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "ag1")["inverse"] = 0; },
       {"node 'ag1': inverse is 0, not true or false"}},
      {"slope",
       [](ModelBuilder& b) { NodeOf(b, "h_a", "ha1.act")["slope"] = 2; },
       {"node 'ha1.act': slope is not in 0..1"}},
      {"node name twice",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["name"] = "a1"; },
       {"node 'a1': the name occurs twice"}},
      {"node without a name",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2").erase("name"); },
       {"graph 'g_a', node 2: key 'name' is missing"}},
      {"node name with a space",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["name"] = "a 2"; },
       {"graph 'g_a', node 2: name is 'a 2', not a name"}},
      {"tensor made twice",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["output"] = "a1"; },
       {"node 'a2': its output 'a1' exists already"}},
      {"input does not exist",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["inputs"] = {"a9"}; },
       {"node 'a2': its input 'a9' does not exist"}},
      {"too many inputs",
       [](ModelBuilder& b) {
         NodeOf(b, "g_a", "a2")["inputs"] = {"a1", "x"};
       },
       {"node 'a2': inputs is an array of 2"}},
      {"tensor never used",
       [](ModelBuilder& b) {
         b.document["graphs"]["h_a"]["nodes"].push_back(ModelBuilder::LeakyRelu("dead", "ha1"));
       },
       {"graph 'h_a': tensor 'dead' is never used"}},
      {"cycle",
       [](ModelBuilder& b) {
         NodeOf(b, "g_a", "ar2.add")["inputs"] = {"ar2.c", "a3"};
         NodeOf(b, "g_a", "ar2.a")["inputs"] = {"ar2.add"};
         NodeOf(b, "g_a", "a4")["inputs"] = {"as2"};
       },
       {"graph 'g_a', node 'ar2.a': is part of a cycle"}},
      {"adds different channels",
       [](ModelBuilder& b) {
         NodeOf(b, "g_a", "ar2.add")["inputs"] = {"as2", "ar2.b"};
         NodeOf(b, "g_a", "a3")["inputs"] = {"ar2.add"};
         Json& nodes = b.document["graphs"]["g_a"]["nodes"];
         nodes.erase(nodes.begin() + 9);
         NodeOf(b, "g_a", "ar2.add")["inputs"] = {"as2", "ar2.act2"};
       },
       {"node 'ar2.add': adds 8 and 4 channels"}},
      {"adds different sizes",
       [](ModelBuilder& b) {
         NodeOf(b, "g_a", "ar2.add")["inputs"] = {"ag1", "ar2.c"};
       },
       {"node 'ar2.add': its inputs 'ag1' and 'ar2.c' have different sizes"}},

      {"weight missing in the file",
       [](ModelBuilder& b) { b.tensors.erase("a2.weight"); },
       {"node 'a2': weight 'a2.weight' is not in the file"}},
      {"weight not named",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["weights"].erase("weight"); },
       {"node 'a2', weights: key 'weight' is missing"}},
      {"unknown role",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a2")["weights"]["scale"] = "a1.bias"; },
       {"node 'a2', weights: unknown key 'scale'"}},
      {"weights of an op without any",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "ar2.add")["weights"]["bias"] = "a1.bias"; },
       {"node 'ar2.add', weights: unknown key 'bias'"}},
      {"weight dtype",
       [](ModelBuilder& b) { b.tensors["a2.weight"].dtype = "I32"; },
       {"node 'a2': weight 'a2.weight' has dtype I32, precision f32 needs F32"}},
      {"weight rank",
       [](ModelBuilder& b) {
         b.tensors["a2.weight"].shape = {8, 8, 25};
       },
       {"weight 'a2.weight' has shape [8, 8, 25]: 4 dimensions are wanted"}},
      {"kernel not square",
       [](ModelBuilder& b) {
         b.tensors["a2.weight"].shape = {8, 8, 1, 25};
       },
       {"has shape [8, 8, 1, 25]: the kernel is not square"}},
      {"kernel too large",
       [](ModelBuilder& b) {
         b.AddRandom("a2.weight", {8, 8, 17, 17}, 0, 1);
       },
       {"has shape [8, 8, 17, 17]: the kernel is not square and 1 to 15"}},
      {"even kernel",
       [](ModelBuilder& b) {
         b.AddRandom("a2.weight", {8, 8, 4, 4}, 0, 1);
       },
       {"node 'a2': kernel 4 is not odd"}},
      {"transposed kernel",
       [](ModelBuilder& b) {
         b.AddRandom("s3.weight", {8, 8, 6, 6}, 0, 1);
       },
       {"node 's3': kernel 6 is not 3, 4 or 5"}},
      {"input channels of a weight",
       [](ModelBuilder& b) {
         b.AddRandom("a2.weight", {8, 7, 5, 5}, 0, 1);
       },
       {"has shape [8, 7, 5, 5]: the input has 8 channels"}},
      {"transposed weight the other way round",
       [](ModelBuilder& b) {
         b.AddRandom("s0.weight", {3, 8, 4, 4}, 0, 1);
       },
       {"node 's0'", "has shape [3, 8, 4, 4]: the input has 8 channels"}},
      {"no output channels",
       [](ModelBuilder& b) {
         b.AddFloats("a2.weight", {0, 8, 5, 5}, {});
       },
       {"has shape [0, 8, 5, 5]: 1 to 4096 output channels are allowed"}},
      {"bias shape",
       [](ModelBuilder& b) { b.AddRandom("a2.bias", {9}, 0, 1); },
       {"node 'a2': bias 'a2.bias' has shape [9], [8] is wanted"}},
      {"not a number",
       [](ModelBuilder& b) { b.Float("a2.weight", 5) = std::numeric_limits<float>::quiet_NaN(); },
       {"node 'a2': weight 'a2.weight' is not finite everywhere"}},
      {"infinite bias",
       [](ModelBuilder& b) { b.Float("a2.bias", 7) = -std::numeric_limits<float>::infinity(); },
       {"node 'a2': bias 'a2.bias' is not finite everywhere"}},
      {"beta zero",
       [](ModelBuilder& b) { b.Float("ag2.beta", 3) = 0; },
       {"node 'ag2': beta 'ag2.beta' is 0.000000 at 3, not positive"}},
      {"gamma negative",
       [](ModelBuilder& b) { b.Float("ag2.gamma", 9) = -0.5f; },
       {"node 'ag2': gamma 'ag2.gamma' is -0.500000 at 9, which is negative"}},
      {"gamma shape",
       [](ModelBuilder& b) { b.tensors["ag2.gamma"].shape = {64}; },
       {"node 'ag2': gamma 'ag2.gamma' has shape [64], [8, 8] is wanted"}},
      {"gain shape",
       [](ModelBuilder& b) {
         b.tensors["as2.fc2.weight"].shape = {2, 8};
       },
       {"node 'as2': fc2.weight 'as2.fc2.weight' has shape [2, 8], [8, 2] is wanted"}},
      {"gain without hidden units",
       [](ModelBuilder& b) {
         b.tensors["as2.fc1.bias"].shape = {1, 2};
       },
       {"node 'as2': fc1.bias 'as2.fc1.bias' has shape [1, 2], [1] is wanted"}},
      {"gdn in an exact graph",
       [](ModelBuilder& b) { b.document["graphs"]["g_a"]["class"] = "exact"; },
       {"graph 'g_a', node 'ag1': gdn is not available in class exact"}},
      {"weights used again and again",
       [](ModelBuilder& b) {
         Json& nodes = b.document["graphs"]["h_a"]["nodes"];
         Json last = nodes.back();
         nodes.erase(nodes.end() - 1);
         std::string from = "ha2.act";
         for (int i = 0; i < 200; ++i) {
           Json node = nodes[0];
           node["name"] = node["output"] = "again" + std::to_string(i);
           node["inputs"] = {from};
           from = node["name"];
           nodes.push_back(node);
         }
         last["inputs"] = {from};
         nodes.push_back(last);
       },
       {"graphs: nodes use", "more than 8 times the"}},

      {"shrunk by three",
       [](ModelBuilder& b) { b.document["shrunk"]["3"] = "g_s"; },
       {"shrunk: unknown key '3'"}},
      {"shrunk without its graph",
       [](ModelBuilder& b) { b.document["shrunk"]["4"] = "small"; },
       {"shrunk: graph 'small' does not exist"}},
      {"shrunk to another size",
       [](ModelBuilder& b) { AddShrunk(8, 8, 4, &b); },
       {"graph 'small': the size of its output is not that of its input * 2"}},
      {"shrunk from more channels than there are",
       [](ModelBuilder& b) { AddShrunk(8, 9, 2, &b); },
       {"graph 'small': input 'y_hat' has 9 channels, at most 8 are wanted"}},
      {"shrunk from latents in another form",
       [](ModelBuilder& b) {
         AddShrunk(8, 8, 2, &b);
         b.document["graphs"]["small"]["tensors"]["y_hat"] = {
             {"type", "i16"}, {"max", 32767}, {"scales", {0.015625}}};
       },
       {"graph 'small': keeps the latents in another form than graph 'g_s'"}},

      {"g_a input channels",
       [](ModelBuilder& b) { b.document["picture"]["channels"] = 1; },
       {"graph 'g_a': input 'x' has 3 channels, 1 are wanted"}},
      {"g_a output channels",
       [](ModelBuilder& b) {
         b.AddRandom("a4.weight", {7, 8, 5, 5}, 0, 1);
         b.AddRandom("a4.bias", {7}, 0, 1);
         b.AddRandom("as4.fc2.weight", {7, 2}, 0, 1);
         b.AddRandom("as4.fc2.bias", {7}, 0, 1);
       },
       {"graph 'g_a': output 'as4' has 7 channels, 8 are wanted"}},
      {"g_a stride",
       [](ModelBuilder& b) { NodeOf(b, "g_a", "a3")["stride"] = 1; },
       {"graph 'g_a': the size of its output is not that of its input / 16"}},
      {"h_a stride",
       [](ModelBuilder& b) { NodeOf(b, "h_a", "ha3")["stride"] = 1; },
       {"graph 'h_a': the size of its output is not that of its input / 4"}},
      {"latent stride",
       [](ModelBuilder& b) { b.document["latents"]["stride"] = 8; },
       {"graph 'g_a': the size of its output is not that of its input / 8"}},
      {"two inputs",
       [](ModelBuilder& b) {
         b.document["graphs"]["h_s"]["inputs"].push_back({{"name", "w"}, {"channels", 4}});
         NodeOf(b, "h_s", "hs1")["inputs"] = {"zw"};
         Json add = ModelBuilder::Simple("zw", "add", {"z", "w"});
         b.document["graphs"]["h_s"]["nodes"].push_back(add);
       },
       {"graph 'h_s': has 2 inputs"}},
      {"h_s close",
       [](ModelBuilder& b) { b.document["graphs"]["h_s"]["class"] = "close"; },
       {"graph 'h_s': class is close"}},

      {"segment rows",
       [](ModelBuilder& b) { b.document["coding"]["segment_rows"] = 0; },
       {"coding: segment_rows is 0, not an integer from 1 to 4096"}},
      {"coding key",
       [](ModelBuilder& b) { b.document["coding"]["mode"] = "x"; },
       {"coding: unknown key 'mode'"}},
      {"no steps",
       [](ModelBuilder& b) { b.document["coding"]["steps"] = Json::array(); },
       {"coding: steps is an array of 0"}},
      {"codes something else",
       [](ModelBuilder& b) { StepOf(b, 1)["codes"] = "x"; },
       {"coding step 1: codes is 'x', known here: z, y"}},
      {"z without hyper",
       [](ModelBuilder& b) { b.document.erase("hyper"); },
       {"coding step 0: codes z, but 'hyper' is missing"}},
      {"hyper without z",
       [](ModelBuilder& b) {
         Json& steps = b.document["coding"]["steps"];
         steps.erase(0);
         steps[0]["distribution"]["tables"] = "gaussian";
       },
       {"coding step 0: input 'psi' is psi, but no step before it codes z"}},
      {"z after psi",
       [](ModelBuilder& b) { std::swap(StepOf(b, 0), StepOf(b, 1)); },
       {"coding step 0: input 'psi' is psi, but no step before it codes z"}},
      {"z twice",
       [](ModelBuilder& b) {
         Json& steps = b.document["coding"]["steps"];
         steps.insert(steps.begin() + 1, Json(steps[0]));
       },
       {"coding step 1: codes z, which coding step 0 codes already"}},
      {"z from a graph",
       [](ModelBuilder& b) { StepOf(b, 0)["distribution"] = StepOf(b, 1)["distribution"]; },
       {"coding step 0: codes z, whose tables are fixed"}},
      {"psi that nobody reads",
       [](ModelBuilder& b) {
         Json& coding = b.document["coding"];
         for (const char* graph : {"step0", "step1", "step2", "step3"}) {
           b.document["graphs"].erase(graph);
         }
         b.AddTables("all", 8, 20);
         coding["tables"]["all"] = ModelBuilder::TableNames("all");
         coding["tables"].erase("gaussian");
         const Json parts = Json::array({ModelBuilder::Part(0, 8, "all")});
         coding["steps"] = {coding["steps"][0],
                            ModelBuilder::Step("y", parts, 0, ModelBuilder::Fixed("all"))};
       },
       {"coding step 0: codes z, but no step reads psi"}},
      {"z in part",
       [](ModelBuilder& b) {
         StepOf(b, 0)["parts"][0]["positions"] = Json::parse("[[0, 0], [0, 1], [1, 1]]");
       },
       {"coding: channel 0 of z is never coded at [1, 0] positions"}},
      {"positions twice",
       [](ModelBuilder& b) {
         StepOf(b, 1)["parts"][0]["positions"] = Json::parse("[[0, 1], [0, 1]]");
       },
       {"coding step 1, part 0: positions has a pair twice"}},
      {"positions off the lattice",
       [](ModelBuilder& b) { StepOf(b, 1)["parts"][0]["positions"] = Json::parse("[[0, 2]]"); },
       {"coding step 1, part 0: positions has '[0,2]', not a pair of 0 and 1"}},
      {"no parts",
       [](ModelBuilder& b) { StepOf(b, 1)["parts"] = Json::array(); },
       {"coding step 1: parts is an array of 0"}},
      {"distribution kind",
       [](ModelBuilder& b) { StepOf(b, 1)["distribution"]["kind"] = "laplace"; },
       {"coding step 1, distribution: kind is 'laplace', known here: fixed, scales"}},
      {"tables nobody has",
       [](ModelBuilder& b) { StepOf(b, 1)["distribution"]["tables"] = "t"; },
       {"coding step 1, distribution: there are no tables 't'"}},
      {"tables without thresholds",
       [](ModelBuilder& b) { StepOf(b, 1)["distribution"]["tables"] = "z"; },
       {"coding step 1: tables 'z' have no thresholds"}},
      {"tables without use",
       [](ModelBuilder& b) {
         Json& tables = b.document["coding"]["tables"];
         b.AddTables("spare", 4, 20);
         tables["spare"] = ModelBuilder::TableNames("spare");
       },
       {"coding, tables 'spare': no coding step uses them"}},
      {"two sets of the same tables",
       [](ModelBuilder& b) {
         Json& tables = b.document["coding"]["tables"];
         tables["other"] = tables["gaussian"];
       },
       {"coding, tables 'other': cdf names tensor 'coding.y.cdf', which another set has already"}},
      {"scales alone of a graph with means",
       [](ModelBuilder& b) { StepOf(b, 1)["distribution"]["kind"] = "scales"; },
       {"coding step 1: graph 'step0' gives 8 channels, scales of the step are 4"}},
      {"step graph",
       [](ModelBuilder& b) { StepOf(b, 2)["distribution"]["graph"] = "step9"; },
       {"coding step 2, distribution: graph 'step9' does not exist"}},
      {"step parity",
       [](ModelBuilder& b) { StepOf(b, 2)["parts"][0]["positions"] = "left"; },
       {"coding step 2, part 0: positions is 'left', known here: all, even, odd"}},
      {"step channels",
       [](ModelBuilder& b) {
         StepOf(b, 3)["parts"][0]["channels"] = {4, 9};
       },
       {"coding step 3, part 0, channels: is [4, 9], not [begin, end] with 0 <= begin < end <= 8"}},
      {"step channels empty",
       [](ModelBuilder& b) {
         StepOf(b, 3)["parts"][0]["channels"] = {4, 4};
       },
       {"coding step 3, part 0, channels: is [4, 4], not [begin, end]"}},
      {"step outputs",
       [](ModelBuilder& b) {
         StepOf(b, 3)["parts"][0]["channels"] = {4, 7};
       },
       {"coding step 3: graph 'step2' gives 8 channels, means and scales of the step are 6"}},
      {"step ahead negative",
       [](ModelBuilder& b) { StepOf(b, 4)["ahead"] = -1; },
       {"coding step 4: ahead is -1, not an integer from 0"}},
      {"step input missing",
       [](ModelBuilder& b) { StepOf(b, 2)["distribution"]["inputs"].erase("y0"); },
       {"coding step 2, distribution, inputs: nothing for input 'y0' of graph 'step1'"}},
      {"step input too much",
       [](ModelBuilder& b) {
         StepOf(b, 1)["distribution"]["inputs"]["y0"] = {0, 4};
       },
       {"coding step 1, distribution, inputs: unknown key 'y0'"}},
      {"step input unknown",
       [](ModelBuilder& b) { StepOf(b, 2)["distribution"]["inputs"]["y0"] = "z"; },
       {"coding step 2, distribution, inputs: y0 is 'z', known here: psi"}},
      {"step input channels",
       [](ModelBuilder& b) {
         StepOf(b, 2)["distribution"]["inputs"]["y0"] = {0, 3};
       },
       {"coding step 2: gives 3 channels to input 'y0' of graph 'step1', which has 4"}},
      {"step graph close",
       [](ModelBuilder& b) { b.document["graphs"]["step2"]["class"] = "close"; },
       {"coding step 3: graph 'step2' has class close"}},
      {"step graph stride",
       [](ModelBuilder& b) { NodeOf(b, "step0", "p00.2")["stride"] = 2; },
       {"coding step 1: graph 'step0', node 'p00.2': stride is 2"}},
      {"coded twice",
       [](ModelBuilder& b) {
         StepOf(b, 2)["parts"][0]["positions"] = "all";
         NodeOf(b, "step1", "c01")["mask"] = "checkerboard";
       },
       {"coding step 2: input 'y0' reads channel 0 at odd positions"}},
      {"coded twice at one parity",
       [](ModelBuilder& b) {
         StepOf(b, 4)["parts"][0]["positions"] = "even";
         StepOf(b, 4)["distribution"]["inputs"]["y1"] = {0, 4};
       },
       {"coding step 4: codes channel 4 at even positions, which are coded already"}},
      {"never coded",
       [](ModelBuilder& b) {
         b.document["coding"]["steps"].erase(4);
         b.document["graphs"].erase("step3");
       },
       {"coding: channel 4 of y is never coded at odd positions"}},
      {"reads what comes later",
       [](ModelBuilder& b) {
         StepOf(b, 3)["distribution"]["inputs"]["y0"] = {4, 8};
       },
       {"coding step 3: input 'y0' reads channel 4 at all positions, which are not decoded before "
        "it"}},
      {"reads its own positions",
       [](ModelBuilder& b) { NodeOf(b, "step1", "c01")["mask"] = "none"; },
       {"coding step 2: input 'y0' reads channel 0 at odd positions, which are not decoded"}},
      {"masks twice",
       [](ModelBuilder& b) {
         Json again = NodeOf(b, "step1", "c01");
         again["name"] = again["output"] = "c01b";
         again["inputs"] = {"c01"};
         b.document["graphs"]["step1"]["nodes"].push_back(again);
         NodeOf(b, "step1", "cat")["inputs"] = {"psi", "c01b"};
       },
       {"coding step 2: input 'y0' reads channel 0 at odd positions"}},
      {"ahead too small",
       [](ModelBuilder& b) { StepOf(b, 1)["ahead"] = 4; },
       {"coding step 1: ahead is 4, step 2 needs 5"}},
      {"ahead too small for the next group",
       [](ModelBuilder& b) { StepOf(b, 2)["ahead"] = 2; },
       {"coding step 2: ahead is 2, step 3 needs 3"}},
      {"hyper ahead too small",
       [](ModelBuilder& b) { StepOf(b, 0)["ahead"] = 2; },
       {"coding step 0: ahead is 2, segment 0 needs 3"}},

      {"table missing",
       [](ModelBuilder& b) { b.tensors.erase("coding.z.cdf"); },
       {"coding, tables 'z': cdf names tensor 'coding.z.cdf', which is not in the file"}},
      {"table dtype",
       [](ModelBuilder& b) { b.tensors["coding.z.cdf"].dtype = "F32"; },
       {"tensor 'coding.z.cdf': has dtype F32, I32 or I16 is wanted for cdf"}},
      {"table rank",
       [](ModelBuilder& b) {
         b.tensors["coding.z.cdf_min"].shape = {2, 2};
       },
       {"tensor 'coding.z.cdf_min': has shape [2, 2], a list is wanted for cdf_min"}},
      {"table not increasing",
       [](ModelBuilder& b) { b.Int("coding.z.cdf", 4) = b.Int("coding.z.cdf", 3); },
       {"tensor 'coding.z.cdf': table 0 is not strictly increasing: entry 4"}},
      {"table begin",
       [](ModelBuilder& b) { b.Int("coding.y.cdf", 0) = -1; },
       {"tensor 'coding.y.cdf': table 0 runs from -1 to 65536"}},
      {"table end",
       [](ModelBuilder& b) { b.Int("coding.y.cdf", 82) = 65535; },
       {"tensor 'coding.y.cdf': table 0 runs from 0 to 65535"}},
      {"starts not increasing",
       [](ModelBuilder& b) { b.Int("coding.z.cdf_start", 2) = 200; },
       {"tensor 'coding.z.cdf_start': is not strictly increasing at table 2"}},
      {"starts negative",
       [](ModelBuilder& b) { b.Int("coding.z.cdf_start", 1) = -5; },
       {"tensor 'coding.z.cdf_start': is not strictly increasing at table 0"}},
      {"starts end",
       [](ModelBuilder& b) { b.Int("coding.z.cdf_start", 4) = 1 << 30; },
       {"tensor 'coding.z.cdf_start': runs from 0 to 1073741824, not from 0 to"}},
      {"starts count",
       [](ModelBuilder& b) {
         b.AddInts("coding.z.cdf_start", {0, 172});
       },
       {"tensor 'coding.z.cdf_start': has 2 entries, 5 are wanted"}},
      {"table too short",
       [](ModelBuilder& b) {
         b.AddInts("coding.z.cdf", {0, 65536, 0, 1, 65536, 0, 1, 65536, 0, 1, 65536});
         b.AddInts("coding.z.cdf_start", {0, 2, 5, 8, 11});
       },
       {"tensor 'coding.z.cdf': table 0 has 2 entries, at least 3"}},
      {"values beyond 16 bits",
       [](ModelBuilder& b) { b.Int("coding.z.cdf_min", 1) = 32760; },
       {"table 1 covers the values 32760 to 32800, which are not all 16-bit"}},
      {"too few hyper tables",
       [](ModelBuilder& b) { b.AddTables("coding.z", 3, 20); },
       {"coding step 0: 3 tables 'z' for 4 channels"}},
      {"no tables",
       [](ModelBuilder& b) { b.AddInts("coding.y.cdf_min", {}); },
       {"tensor 'coding.y.cdf_min': has 0 tables"}},
      {"threshold count",
       [](ModelBuilder& b) { b.AddFloats("coding.y.thresholds", {2}, {1, 2}); },
       {"tensor 'coding.y.thresholds': has 2 thresholds for 8 tables"}},
      {"thresholds not ascending",
       [](ModelBuilder& b) { b.Float("coding.y.thresholds", 3) = 7; },
       {"tensor 'coding.y.thresholds': is not ascending at entry 4"}},
      {"threshold infinite",
       [](ModelBuilder&
              b) { b.Float("coding.y.thresholds", 6) = std::numeric_limits<float>::infinity(); },
       {"tensor 'coding.y.thresholds': entry 6 is not finite"}},
      {"threshold dtype",
       [](ModelBuilder& b) { b.tensors["coding.y.thresholds"].dtype = "I32"; },
       {"tensor 'coding.y.thresholds': has dtype I32, F32 is wanted"}},
  };
  return list;
}

TEST_CASE("model document: a sound one is what it says") {
  const auto document = LoadWhole(TinyModel().Build());
  REQUIRE_MESSAGE(document.ok(), document.status().message());
  const ModelDocument& d = *document;
  CHECK(d.name == "tiny");
  CHECK(d.form == "fp32");
  CHECK(d.architecture == "light");
  CHECK(d.picture_offset == 0.5f);
  CHECK(d.picture_stride == 16);
  CHECK(d.latent_channels == 8);
  CHECK(d.fraction_bits == 6);
  CHECK(d.hyper_stride == 64);
  CHECK(d.rate.default_value == 4e-4);
  CHECK(d.rate.suggested_max == 9e-4);
  CHECK(Json::parse(d.provenance)["made_by"] == "tests");

  CHECK(d.has_hyper);
  CHECK(d.coding.segment_rows == 64);
  const TableSet& z = d.coding.tables.at("z");
  const TableSet& y = d.coding.tables.at("gaussian");
  CHECK(z.tables.count() == 4);
  CHECK_FALSE(z.has_thresholds);
  CHECK(y.tables.count() == 8);
  CHECK(y.tables.start.back() == y.tables.cdf.size());
  CHECK(y.thresholds == std::vector<float>{-3, -2, -1, 0, 1, 2, 3});
  REQUIRE(d.coding.steps.size() == 5);
  CHECK(d.coding.steps[0].codes == Coded::kHyper);
  CHECK(d.coding.steps[0].distribution == Distribution::kFixed);
  CHECK(d.coding.steps[0].ahead == 3);
  const CodingStep& step = d.coding.steps[4];
  CHECK(step.codes == Coded::kLatents);
  CHECK(step.distribution == Distribution::kMeansAndScales);
  CHECK(step.positions() == kOddPositions);
  REQUIRE(step.parts.size() == 1);
  CHECK(step.parts[0].channel_begin == 4);
  CHECK(step.channels() == 4);
  CHECK(step.inputs[0].is_psi);
  CHECK(step.inputs[2].channel_begin == 4);
  CHECK(step.inputs[2].channel_end == 8);
}

TEST_CASE("model document: the least that is a model") {
  const auto document = LoadWhole(testing::MiniModel().Build());
  REQUIRE_MESSAGE(document.ok(), document.status().message());
  REQUIRE(document->coding.steps.size() == 2);
  CHECK(document->coding.steps[1].positions() == kAllPositions);
}

TEST_CASE("model file: broken documents and tensors are refused with the place and the value") {
  CheckAllRefused(BrokenDocuments(), TinyModel());
}

}  // namespace
}  // namespace glint