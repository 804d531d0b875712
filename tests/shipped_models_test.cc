// The models that come with Glint: what they say they are, and that streams of every one decode to
// the same latents, and those of integers to the same pixels, on every target, thread count and
// band height of this machine.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "codec/model/model_impl.h"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"

namespace glint::testing {
namespace {

Model LoadShipped(const std::string& name) {
  const auto model =
      Model::Load(std::string(GLINT_SOURCE_DIR) + "/weights/" + name + ".safetensors");
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  return *model;
}

struct Shipped {
  const char* name;
  const char* form;
  bool integer_pictures;  // g_s too
  bool integer_entropy;   // what lies between z and the symbols
  double most_size;       // of the file in FP32
  const char* from = "light-fp32";
};

constexpr Shipped kShipped[] = {
    {"light-fp16", "fp16", false, false, 0.51},
    {"light-int16", "int16", true, true, 0.51},
    {"light-int8", "int8", true, true, 0.45},
    {"light-int8-entropy", "int8", false, true, 0.65},
    {"light-msssim-int8", "int8", true, true, 0.45, "light-msssim-fp32"}};

TEST_CASE("shipped models: form, size, exact integer paths") {
  for (const Shipped& shipped : kShipped) {
    CAPTURE(shipped.name);
    const Model model = LoadShipped(shipped.name);
    const double whole = static_cast<double>(LoadShipped(shipped.from).info().file_bytes);
    CHECK(model.info().form == shipped.form);
    CHECK(static_cast<double>(model.info().file_bytes) <= shipped.most_size * whole);
    for (const auto& [name, graph] : model.impl().graphs()) {
      if (name == "g_s" || name == "g_a" || name.rfind("shrunk", 0) == 0) {
        CHECK(AllInteger(graph) == shipped.integer_pictures);
      } else if (name != "h_a") {
        CHECK(AllInteger(graph) == shipped.integer_entropy);
      }
    }
  }
}

TEST_CASE("shipped models: one stream, one picture, everywhere") {
  const Picture picture = SmoothPicture({150, 100, 3, false, 8}, 3);
  for (const Shipped& shipped : kShipped) {
    CAPTURE(shipped.name);
    std::vector<uint8_t> stream;
    Picture first;
    Report report;
    for (const std::string& target : SupportedTargets()) {
      CAPTURE(target);
      const TargetScope scope(target);
      const Model model = LoadShipped(shipped.name);
      EncodeOptions encode;
      encode.lrd = 4e-4;
      const std::vector<uint8_t> coded = EncodeModelAlone(model, picture, encode);
      if (stream.empty()) stream = coded;
      // Analysis in integers gives the same bytes; in float the latents may differ in rounding.
      if (shipped.integer_pictures) CHECK(coded == stream);
      for (const int threads : {1, 3}) {
        DecodeOptions decode;
        decode.threads = threads;
        decode.band_rows = threads == 1 ? 0 : 16;
        Report now;
        const Picture decoded = MustDecode(model, stream, decode, &now);
        if (first.samples.empty()) {
          first = decoded;
          report = now;
          CHECK(PsnrRgb(picture, decoded) > 28.0);
        }
        CHECK(now.latent_crc == report.latent_crc);
        CHECK(LargestDifference(first, decoded) <= (shipped.integer_pictures ? 0 : 1));
      }
    }
  }
}

}  // namespace
}  // namespace glint::testing
