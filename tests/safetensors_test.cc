// The structure of safetensors files: what is wrong with headers and sizes, and values of every
// dtype.
#include "engine/safetensors.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "engine/model_file.h"
#include "tests/model_builder.h"
#include "tests/model_checks.h"

namespace glint {
namespace {

using testing::CheckRefused;
using testing::Json;
using testing::Load;
using testing::ModelBuilder;
using testing::TinyModel;

TEST_CASE("safetensors: broken safetensors headers") {
  struct Case {
    const char* what;
    void (*change)(Json& header);
    std::vector<std::string> message;
  };
  const std::vector<Case> cases = {
      {"no document",
       [](Json& h) { h["__metadata__"].erase("glint"); },
       {"no 'glint' document in __metadata__"}},
      {"metadata no strings",
       [](Json& h) { h["__metadata__"]["n"] = 3; },
       {"__metadata__: the value of 'n' is not a string"}},
      {"metadata a list",
       [](Json& h) { h["__metadata__"] = Json::array(); },
       {"__metadata__: is not an object"}},
      {"document no JSON",
       [](Json& h) { h["__metadata__"]["glint"] = "{"; },
       {"glint document: is not valid JSON"}},
      {"document with a key twice",
       [](Json& h) { h["__metadata__"]["glint"] = R"({"format":1,"rate":{"min":1,"min":2}})"; },
       {"glint document: key 'min' occurs twice"}},
      {"document nested deeply",
       [](Json& h) { h["__metadata__"]["glint"] = std::string(1000000, '['); },
       {"glint document: JSON is nested deeper than 32"}},
      {"document with too many values",
       [](Json& h) {
         std::string text = "[0";
         for (int i = 0; i < 300000; ++i) text += ",0";
         h["__metadata__"]["glint"] = text + "]";
       },
       {"glint document: JSON has more than 262144 values"}},
      {"number too large",
       [](Json& h) { h["__metadata__"]["glint"] = R"({"format":1e999})"; },
       {"glint document: is not valid JSON"}},
      {"dtype",
       [](Json& h) { h["a1.bias"]["dtype"] = "BF16"; },
       {"tensor 'a1.bias': unknown dtype 'BF16'"}},
      {"unknown key",
       [](Json& h) { h["a1.bias"]["stride"] = 1; },
       {"tensor 'a1.bias': unknown key 'stride'"}},
      {"no shape",
       [](Json& h) { h["a1.bias"].erase("shape"); },
       {"tensor 'a1.bias': key 'shape' is missing"}},
      {"negative shape",
       [](Json& h) { h["a1.bias"]["shape"] = Json::array({-8}); },
       {"tensor 'a1.bias': shape has -8, which is not a size"}},
      {"shape overflow",
       [](Json& h) {
         h["a1.bias"]["shape"] = {1 << 30, 1 << 30, 1 << 30};
       },
       {"tensor 'a1.bias': the product of shape overflows"}},
      {"shape overflow by the dtype",
       [](Json& h) {
         h["a1.bias"]["shape"] = {1 << 30, 1 << 30, 8};
       },
       {"tensor 'a1.bias': the product of shape overflows"}},
      {"shape and size",
       [](Json& h) { h["a1.bias"]["shape"] = Json::array({9}); },
       {"tensor 'a1.bias'", "hold 32 bytes, but F32 [9] needs 36"}},
      {"rank",
       [](Json& h) { h["a1.bias"]["shape"] = {1, 1, 1, 1, 1, 1, 1, 1, 8}; },
       {"tensor 'a1.bias': shape is an array of 9"}},
      {"offsets no numbers",
       [](Json& h) {
         h["a1.bias"]["data_offsets"] = {0, "x"};
       },
       {"tensor 'a1.bias': data_offsets are not two sizes"}},
      {"offsets backwards",
       [](Json& h) {
         h["a1.bias"]["data_offsets"] = {64, 32};
       },
       {"tensor 'a1.bias': data_offsets [64, 32] end before they begin"}},
      {"offsets beyond the end",
       [](Json& h) {
         h["a1.bias"]["data_offsets"] = {4000000000u, 4000000032u};
       },
       {"tensor 'a1.bias': data_offsets [4000000000, 4000000032] reach beyond"}},
      {"overlap",
       [](Json& h) {
         h["a1.weight"]["data_offsets"] = {28, 2428};
       },
       {"tensor 'a1.weight': its data overlaps that of tensor 'a1.bias'"}},
      {"hole", [](Json& h) { h.erase("a1.bias"); }, {"tensor 'a1.weight': a hole of 32 bytes"}},
      {"name with a line break",
       [](Json& h) { h["a\nb"] = h["a1.bias"]; },
       {"tensor 'a?b': is not a valid name"}},
  };
  for (const Case& broken : cases) {
    const std::string what = broken.what;
    CAPTURE(what);
    const ModelBuilder b = TinyModel();
    Json header = b.Header();
    broken.change(header);
    CheckRefused(b.Build(header.dump()), broken.message);
  }
}

TEST_CASE("safetensors: broken bytes around the header") {
  const ModelBuilder b = TinyModel();
  const std::vector<uint8_t> good = b.Build();
  CheckRefused({}, {"has 0 bytes, too few"});
  CheckRefused({1, 2, 3}, {"has 3 bytes, too few"});
  CheckRefused(std::vector<uint8_t>(100, 0xff), {"not a safetensors file"});
  CheckRefused({64, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, {"is cut short: a header of 64 bytes"});
  CheckRefused({2, 0, 0, 0, 0, 0, 0, 0, '{', '}', 7}, {"1 bytes after the last tensor"});
  CheckRefused({2, 0, 0, 0, 0, 0, 0, 0, '[', ']'}, {"header: is not an object"});
  CheckRefused({2, 0, 0, 0, 0, 0, 0, 0, '{', 'x'}, {"header: is not valid JSON"});
  CheckRefused({0, 0, 0, 0, 0, 0, 0, 0}, {"header: is not valid JSON"});
  CheckRefused(b.Build(std::string(100000, '[')), {"header: JSON is nested deeper than 32"});
  CheckRefused(b.Build(R"({"a":1,"b":{},"a":2})"), {"header: key 'a' occurs twice"});
  std::vector<uint8_t> longer = good;
  longer.push_back(0);
  CheckRefused(longer, {"1 bytes after the last tensor"});
  for (size_t size = 0; size < good.size(); size += 97) {
    const auto model = Load({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    REQUIRE_FALSE(model.ok());
  }
}

TEST_CASE("safetensors: every dtype as floats, scalars, empty tensors, unaligned data") {
  std::vector<uint8_t> data;
  const auto append = [&](auto value) {
    const auto* p = reinterpret_cast<const uint8_t*>(&value);
    data.insert(data.end(), p, p + sizeof(value));
  };
  append(uint8_t{200});
  append(int8_t{-100});
  append(uint8_t{7});
  append(1.5f);
  // 1.5, -2^-24 (subnormal), infinity, 65504
  for (const int bits : {0x3e00, 0x8001, 0x7c00, 0x7bff}) append(static_cast<uint16_t>(bits));
  append(int32_t{-70000});
  append(int16_t{-3});
  ModelBuilder b;
  const Json header = {
      {"u8", {{"dtype", "U8"}, {"shape", Json::array()}, {"data_offsets", {0, 1}}}},
      {"i8", {{"dtype", "I8"}, {"shape", {1, 1}}, {"data_offsets", {1, 2}}}},
      {"pad", {{"dtype", "U8"}, {"shape", Json::array({1})}, {"data_offsets", {2, 3}}}},
      {"f32", {{"dtype", "F32"}, {"shape", Json::array({1})}, {"data_offsets", {3, 7}}}},
      {"f16", {{"dtype", "F16"}, {"shape", {2, 2}}, {"data_offsets", {7, 15}}}},
      {"i32", {{"dtype", "I32"}, {"shape", Json::array({1})}, {"data_offsets", {15, 19}}}},
      {"i16", {{"dtype", "I16"}, {"shape", Json::array({1})}, {"data_offsets", {19, 21}}}},
      {"none", {{"dtype", "F32"}, {"shape", {0, 5}}, {"data_offsets", {21, 21}}}},
      {"__metadata__", {{"format", "pt"}}}};
  std::vector<uint8_t> file = b.Build(header.dump());
  file.insert(file.end(), data.begin(), data.end());
  const auto parsed = ParseSafeTensors(file, "golden");
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  CHECK(parsed->metadata.at("format") == "pt");
  const auto at = [&](const char* name, size_t i) {
    float value = 0;
    CopyAsFloat(parsed->tensors.at(name), i, 1, &value);
    return value;
  };
  CHECK(at("u8", 0) == 200);
  CHECK(parsed->tensors.at("u8").elements == 1);
  CHECK(at("i8", 0) == -100);
  CHECK(at("f32", 0) == 1.5f);
  CHECK(at("f16", 0) == 1.5f);
  CHECK(at("f16", 1) == -0x1p-24f);
  CHECK(at("f16", 2) == std::numeric_limits<float>::infinity());
  CHECK(at("f16", 3) == 65504);
  CHECK(at("i32", 0) == -70000);
  CHECK(at("i16", 0) == -3);
  CHECK(parsed->tensors.at("none").elements == 0);
}

}  // namespace
}  // namespace glint
