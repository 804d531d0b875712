// The whole codec on a model in float16: what one target codes every other decodes to the same
// latents, with any threads and bands. And what is wrong with float16 tensors in a model file is
// refused.

#include <doctest/doctest.h>

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
using testing::Float16Model;
using testing::Json;
using testing::LoadModel;
using testing::ModelBuilder;
using testing::MustDecode;
using testing::MustEncode;
using testing::SmoothPicture;
using testing::TargetScope;
using testing::TensorOf;

TEST_CASE("float16 codec: every target decodes what any target codes") {
  const std::vector<uint8_t> file = Float16Model(3).Build();
  const Picture picture = SmoothPicture(MakeInfo(83, 190, 3, false, 8), 5);
  for (const std::string& coder : SupportedTargets()) {
    std::vector<uint8_t> stream;
    uint32_t crc = 0;
    {
      const TargetScope scope(coder);
      const Model model = LoadModel(file);
      for (const int threads : {1, 3}) {
        EncodeOptions options;
        options.threads = threads;
        options.band_rows = 16 * threads;
        Report report;
        const auto again = MustEncode(model, picture, options, &report);
        if (stream.empty()) stream = again;
        CHECK(again == stream);
        crc = report.latent_crc;
      }
    }
    for (const std::string& target : SupportedTargets()) {
      const TargetScope scope(target);
      const Model model = LoadModel(file);
      std::vector<uint8_t> pixels;
      for (const int threads : {1, 2}) {
        DecodeOptions options;
        options.threads = threads;
        options.band_rows = 16 * threads;
        Report report;
        const Picture decoded = MustDecode(model, stream, options, &report);
        if (pixels.empty()) pixels = decoded.samples;
        CHECK(report.latent_crc == crc);
        CHECK(decoded.samples == pixels);
      }
    }
  }
}

TEST_CASE("float16 codec: broken float16 tensors are refused with the place and the value") {
  const std::vector<Broken> list = {
      {"scales",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "s4") = {{"type", "f16"}, {"scales", {1}}};
       },
       {"graph 'g_s', tensor 's4'", "scales"}},
      {"a limit beyond float16",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "s4") = {{"type", "f16"}, {"max", 65505}};
       },
       {"graph 'g_s', tensor 's4'", "max is 65505"}},
      {"a limit of zero",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "s4") = {{"type", "f16"}, {"max", 0}};
       },
       {"graph 'g_s', tensor 's4'", "max is 0"}},
      {"a zero",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "s4") = {{"type", "f16"}, {"zero", 3}};
       },
       {"graph 'g_s', tensor 's4'", "zero"}},
      {"a factor that is no power of two",
       [](ModelBuilder& b) {
         b.AddFloats("f", {8}, {1, 2, 4, 3, 1, 1, 1, 1});
         TensorOf(b, "g_s", "s4") = {{"type", "f16"}, {"factor", "f"}};
       },
       {"graph 'g_s', tensor 's4': factor 'f' is no power of two at 3"}},
      {"an output in float16",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "s0") = {{"type", "f16"}};
       },
       {"graph 'g_s': its output is not kept in float"}},
      {"psi in float16",
       [](ModelBuilder& b) {
         TensorOf(b, "h_s", "hs3.act") = {{"type", "f16"}};
       },
       {"graph 'h_s': its output is not kept as i16"}},
      {"latents in float16",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "y_hat") = {{"type", "f16"}};
       },
       {"graph 'g_s': its input is neither float nor i16"}},
      {"float16 for products of integers",
       [](ModelBuilder& b) {
         TensorOf(b, "g_s", "s4") = {{"type", "f16"}};
         for (Json& node : b.document["graphs"]["g_s"]["nodes"]) {
           if (node["name"] != "s3") continue;
           node["precision"] = "i16";
           node["weights"]["scale"] = "s3.bias";
           b.AddWords("s3.weight", {8, 8, 5, 5}, std::vector<int16_t>(1600, 1));
         }
       },
       {"graph 'g_s', node 's3': its input 's4' is not kept as i16"}},
      {"float weights",
       [](ModelBuilder& b) {
         b.AddFloats("s3.weight", {8, 8, 5, 5}, std::vector<float>(1600));
       },
       {"node 's3': weight 's3.weight' has dtype F32, precision f16 needs F16"}},
      {"an infinite weight",
       [](ModelBuilder& b) { b.tensors.at("s3.weight").bytes[1] = 0x7C; },
       {"node 's3': weight 's3.weight' is not finite everywhere"}},
  };
  CheckAllRefused(list, Float16Model());
}

}  // namespace
}  // namespace glint
