// The whole codec on a model of integers: streams decode to the same latents and, for g_s is exact,
// to the same pixels on every SIMD target, with any threads and bands. And what is wrong with the
// quantisation in a model file is refused.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/model_checks.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using testing::Broken;
using testing::CheckAllRefused;
using testing::DynamicModelFile;
using testing::IntegerModel;
using testing::Json;
using testing::LoadModel;
using testing::ModelBuilder;
using testing::MustDecode;
using testing::MustEncode;
using testing::NodeOf;
using testing::SmoothPicture;
using testing::TargetScope;
using testing::TensorOf;

void CheckEverywhere(const std::vector<uint8_t>& file, const Picture& picture) {
  std::vector<std::vector<uint8_t>> streams;
  std::vector<uint32_t> crcs;
  for (const std::string& target : SupportedTargets()) {
    const TargetScope scope(target);
    const Model model = LoadModel(file);
    std::vector<uint8_t> first;
    for (const int threads : {1, 3}) {
      for (const int band : {16, 64}) {
        EncodeOptions options;
        options.threads = threads;
        options.band_rows = band;
        Report report;
        const auto stream = MustEncode(model, picture, options, &report);
        if (first.empty()) {
          first = stream;
          crcs.push_back(report.latent_crc);
        }
        CHECK(stream == first);
      }
    }
    streams.push_back(first);
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    std::vector<uint8_t> pixels;
    for (const std::string& target : SupportedTargets()) {
      const TargetScope scope(target);
      const Model model = LoadModel(file);
      for (const int threads : {1, 2}) {
        DecodeOptions options;
        options.threads = threads;
        options.band_rows = 16 * threads;
        Report report;
        const Picture again = MustDecode(model, streams[i], options, &report);
        if (pixels.empty()) pixels = again.samples;
        CHECK(report.latent_crc == crcs[i]);
        CHECK(again.samples == pixels);
      }
    }
  }
}

TEST_CASE("integer codec: the same latents and pixels on every target") {
  CheckEverywhere(IntegerModel(3).Build(), SmoothPicture(MakeInfo(83, 190, 3, false, 8), 5));
}

TEST_CASE("integer codec: dynamic ranges, the same latents and pixels on every target") {
  const PictureInfo info = MakeInfo(83, 190, 3, false, 8);
  CheckEverywhere(DynamicModelFile(64, 3), SmoothPicture(info, 5));
  // Many segments, whose latents wait for the last, are as good as one.
  const Picture tall = SmoothPicture(MakeInfo(20, 900, 3, false, 8), 6);
  CheckEverywhere(DynamicModelFile(2, 3), tall);
  const Model many = LoadModel(DynamicModelFile(2, 3)), one = LoadModel(DynamicModelFile(64, 3));
  CHECK(MustDecode(many, MustEncode(many, tall)).samples ==
        MustDecode(one, MustEncode(one, tall)).samples);
  Picture black = SmoothPicture(info, 5);
  std::fill(black.samples.begin(), black.samples.end(), uint8_t{0});
  CheckEverywhere(DynamicModelFile(64, 3), black);
}

TEST_CASE("integer codec: dynamic ranges take memory by the area, and say so") {
  const Model model = LoadModel(DynamicModelFile());
  uint64_t encode_bytes[2], decode_bytes[2];
  for (const uint32_t i : {0U, 1U}) {
    const Picture picture = SmoothPicture(MakeInfo(64, 512U << (3 * i), 3, false, 8), 5);
    Report encoded, decoded;
    EncodeOptions encode;
    encode.detail = Detail::kOff;
    const std::vector<uint8_t> stream = MustEncode(model, picture, encode, &encoded);
    MustDecode(model, stream, {}, &decoded);
    encode_bytes[i] = encoded.planned_bytes;
    decode_bytes[i] = decoded.planned_bytes;
    encode.limits.max_memory = encode_bytes[i] / 2;
    const auto refused = Encode(model, picture, encode);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kLimit);
    CHECK(refused.error().message.find("bytes) of memory") != std::string::npos);
  }
  CHECK(encode_bytes[1] > 4 * encode_bytes[0]);
  CHECK(decode_bytes[1] > 4 * decode_bytes[0]);
}

TEST_CASE("integer codec: the plan names what is dynamic") {
  const std::string text = LoadModel(DynamicModelFile()).Explain();
  CHECK(text.find("graph g_a (close, whole picture)") != std::string::npos);
  CHECK(text.find("graph h_a (close)") != std::string::npos);
  CHECK(text.find("a1.f32 > a1 dynamic") != std::string::npos);
}

// g_s reads digits of s4: two channels have a low one, one a coarse one.
void AddDigits(ModelBuilder& b) {
  Json& graph = b.document["graphs"]["g_s"];
  graph["nodes"].push_back({{"name", "s4.digits"},
                            {"op", "digits"},
                            {"inputs", {"s4"}},
                            {"output", "s4.digits"},
                            {"low", {1, 3}},
                            {"coarse", {3}},
                            {"precision", "f32"}});
  Json scales = graph["tensors"]["s4"]["scales"];
  for (Json& scale : scales) scale = 16 * scale.get<double>();
  graph["tensors"]["s4.digits"] = {{"type", "u8"}, {"zero", 128}, {"scales", scales}};
  Json& s3 = NodeOf(b, "g_s", "s3");
  s3["inputs"] = {"s4.digits"};
  s3["precision"] = "i8";
  std::vector<int64_t> shape = b.tensors.at("s3.weight").shape;
  shape[0] += 3;
  size_t count = 1;
  for (const int64_t n : shape) count *= static_cast<size_t>(n);
  std::vector<int8_t> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<int8_t>(i * 29 % 256 - 128);
  b.AddBytes("s3.weight", shape, values);
}

TEST_CASE("integer codec: digits, the same latents and pixels on every target") {
  ModelBuilder b = IntegerModel(3);
  AddDigits(b);
  CheckEverywhere(b.Build(), SmoothPicture(MakeInfo(83, 190, 3, false, 8), 5));
}

TEST_CASE("integer codec: broken digits are refused with the place and the value") {
  const std::vector<Broken> list = {
      {"a channel that is none",
       [](ModelBuilder& b) {
         NodeOf(b, "g_s", "s4.digits")["low"] = {1, 8};
       },
       {"graph 'g_s', node 's4.digits': its input has no channel 8"}},
      {"a channel below none",
       [](ModelBuilder& b) { NodeOf(b, "g_s", "s4.digits")["coarse"] = {-1}; },
       {"node 's4.digits': coarse has channel -1"}},
      {"no list",
       [](ModelBuilder& b) { NodeOf(b, "g_s", "s4.digits").erase("low"); },
       {"node 's4.digits': key 'low' is missing"}},
      {"a list of something else",
       [](ModelBuilder& b) { NodeOf(b, "g_s", "s4.digits")["low"] = {"a"}; },
       {"node 's4.digits': low are not channels"}},
      {"of a float tensor",
       [](ModelBuilder& b) { b.document["graphs"]["g_s"]["tensors"].erase("s4"); },
       {"node 's4.digits': its input 's4' is not kept as i16 of given scales"}},
      {"of a dynamic tensor",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "s4")["scales"] = "dynamic"; },
       {"node 's4.digits': its input 's4' is not kept as i16 of given scales"}},
      {"kept in float",
       [](ModelBuilder& b) { b.document["graphs"]["g_s"]["tensors"].erase("s4.digits"); },
       {"node 's4.digits': its output is not kept as u8 without factors"}},
      {"scales of its own",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "s4.digits")["scales"] = {1.0}; },
       {"node 's4.digits': the scales of its output are not 16 times those of its input"}},
      {"a zero at the end",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "s4.digits")["zero"] = 3; },
       {"node 's4.digits': zero is 3, too near an end for low digits"}},
      {"another reader",
       [](ModelBuilder& b) {
         b.document["graphs"]["g_s"]["nodes"].push_back({{"name", "act"},
                                                         {"op", "relu"},
                                                         {"inputs", {"s4.digits"}},
                                                         {"output", "act"},
                                                         {"precision", "f32"}});
         NodeOf(b, "g_s", "s3")["inputs"] = {"act"};
       },
       {"node 's4.digits': its output is read by something else than products of precision i8"}},
      {"weights without digits",
       [](ModelBuilder& b) {
         b.AddBytes("s3.weight", {8, 8, 5, 5}, std::vector<int8_t>(8 * 8 * 25, 1));
       },
       {"node 's3': weight 's3.weight' has shape", "the input has 11 channels"}},
  };
  ModelBuilder sound = IntegerModel();
  AddDigits(sound);
  CheckAllRefused(list, sound);
}

TEST_CASE("integer codec: broken quantisations are refused with the place and the value") {
  const std::vector<Broken> list = {
      {"sums beyond 32 bits",
       [](ModelBuilder& b) {
         b.AddWords("hs3.weight", {8, 8, 3, 3}, std::vector<int16_t>(8 * 8 * 9, 32767));
       },
       {"graph 'h_s', node 'hs3': its sums for output channel 0 can reach 9661022280",
        "beyond 32 bits"}},
      {"an input in float",
       [](ModelBuilder& b) { b.document["graphs"]["g_s"]["tensors"].erase("s4"); },
       {"graph 'g_s', node 's3': its input 's4' is not kept as i16"}},
      {"an input of bytes",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "s4") = {{"type", "u8"}, {"zero", 3}, {"scales", {1}}};
       },
       {"node 's3': its input 's4' is not kept as i16"}},
      {"two scales in one sum",
       [](ModelBuilder& b) { TensorOf(b, "step1", "c01")["scales"] = {0.5}; },
       {"graph 'step1', node 'p01.0': its inputs have different scales"}},
      {"psi in another form",
       [](ModelBuilder& b) { TensorOf(b, "h_s", "hs3.act")["max"] = 100; },
       {"graph 'step0': keeps psi in another form than graph 'h_s'"}},
      {"latents in another step",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "y_hat")["scales"] = {0.25}; },
       {"graph 'g_s': its input is neither float nor i16 of the one scale 0.015625"}},
      {"no scales",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "s4")["scales"] = Json::array(); },
       {"'s4'", "scales"}},
      {"a step of zero",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "s4")["scales"] = {0}; },
       {"graph 'g_s', tensor 's4': scales are not all numbers"}},
      {"a tensor that is none",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "nothing") = TensorOf(b, "g_s", "s4"); },
       {"graph 'g_s', tensor 'nothing': does not exist"}},
      {"a factor that is none",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "s4")["factor"] = "f"; },
       {"tensor 's4': factor 'f' is not in the file"}},
      {"a factor of zero",
       [](ModelBuilder& b) {
         b.AddFloats("f", {8}, {1, 1, 1, 0, 1, 1, 1, 1});
         TensorOf(b, "g_s", "s4")["factor"] = "f";
       },
       {"factor 'f' is not within 1e-12 to 1e12 at 3"}},
      {"dynamic scales in h_a",
       [](ModelBuilder& b) { TensorOf(b, "h_a", "ha1.act")["scales"] = "dynamic"; },
       {"graph 'h_a', tensor 'ha1.act': has dynamic scales, which g_a and g_s alone may have"}},
      {"dynamic scales before psi",
       [](ModelBuilder& b) { TensorOf(b, "h_s", "hs1.act")["scales"] = "dynamic"; },
       {"graph 'h_s', tensor 'hs1.act': has dynamic scales, which g_a and g_s alone may have"}},
      {"dynamic scales of the picture",
       [](ModelBuilder& b) { TensorOf(b, "g_a", "x")["scales"] = "dynamic"; },
       {"graph 'g_a', tensor 'x': has dynamic scales, but is the graph's input"}},
      {"dynamic scales of the latents",
       [](ModelBuilder& b) {
         for (auto& [name, graph] : b.document["graphs"].items()) {
           for (auto& [tensor, kept] : graph["tensors"].items()) {
             if (tensor[0] == 'y' && name != "h_a") kept["scales"] = "dynamic";
           }
         }
       },
       {"graph 'g_s': its input is neither float nor i16 of the one scale 0.015625"}},
      {"dynamic scales in a sum of two",
       [](ModelBuilder& b) {
         for (const char* tensor : {"psi", "c01"})
           TensorOf(b, "step1", tensor)["scales"] = "dynamic";
       },
       {"graph 'step1', node 'p01.0': its inputs have different scales"}},
      {"dynamic scales of bytes",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "s4") = {{"type", "u8"}, {"zero", 3}, {"scales", "dynamic"}};
       },
       {"graph 'g_s', tensor 's4'", "scales"}},
      {"scales of another word",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "s4")["scales"] = "static"; },
       {"graph 'g_s', tensor 's4'", "scales", "dynamic"}},
      {"an output in integers",
       [](ModelBuilder& b) { TensorOf(b, "g_s", "s0") = TensorOf(b, "g_s", "s4"); },
       {"graph 'g_s': its output is not kept in float"}},
      {"float weights for integers",
       [](ModelBuilder& b) {
         b.AddFloats("hs3.weight", {8, 8, 3, 3}, std::vector<float>(576));
       },
       {"node 'hs3': weight 'hs3.weight' has dtype F32, precision i16 needs I16"}},
      {"no scale",
       [](ModelBuilder& b) { NodeOf(b, "h_s", "hs3")["weights"].erase("scale"); },
       {"node 'hs3', weights: key 'scale' is missing"}},
      {"squares whose sums are beyond 32 bits",
       [](ModelBuilder& b) {
         NodeOf(b, "g_s", "sg3")["form"] = "sqrt";
         b.AddWords("sg3.gamma", {8, 8}, std::vector<int16_t>(8 * 8, 8193));
       },
       {"graph 'g_s', node 'sg3': its sums for output channel 0 can reach 2147680248"}},
  };
  CheckAllRefused(list, IntegerModel());
}

}  // namespace
}  // namespace glint
