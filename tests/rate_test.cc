// rate.hpp: qualities, and encoding to a size or PSNR.
#include "glint/rate.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "codec/model/model_impl.h"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"
#include "tools/text.h"

namespace glint::testing {
namespace {

Model LoadShipped(const std::string& form) {
  auto model =
      Model::Load(std::string(GLINT_SOURCE_DIR) + "/weights/light-" + form + ".safetensors");
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  return *model;
}

const Model& Light() {
  static const Model model = LoadShipped("int8");
  return model;
}

// The same model, but it says of itself that it has one rate.
Model FixedRate(const Model& model) {
  auto impl = std::make_shared<Model::Impl>(model.impl());
  impl->info.lrd_min = impl->info.lrd_max = impl->info.lrd_default = 0;
  return Model(impl);
}

std::vector<uint8_t> EncodedAt(const Model& model, const Picture& picture, double lrd) {
  EncodeOptions options;
  options.lrd = lrd;
  return MustEncode(model, picture, options);
}

double PsnrOf(const Model& model, const Picture& picture, const std::vector<uint8_t>& stream) {
  return PsnrAsSeen(picture, MustDecode(model, stream));
}

// What holds for every target that is reached; the lrd goes through text, as a user's would.
TargetResult MustReach(const Model& model, const Picture& picture, const Target& target) {
  Report report;
  auto result = EncodeToTarget(model, picture, target, {}, &report);
  REQUIRE_MESSAGE(result.ok(), result.error().message);
  CHECK(result->probes >= 1);
  CHECK(result->probes <= kMostProbes);
  EncodeOptions options;
  options.lrd = std::stod(tools::Shortest(result->lrd));
  CHECK(tools::Shortest(result->lrd).size() <= 12);
  Report plain;
  CHECK(result->stream == MustEncode(model, picture, options, &plain));
  CHECK(report.latent_crc == plain.latent_crc);
  CHECK(report.symbols == plain.symbols);
  if (target.kind == Target::Kind::kPsnr) {
    CHECK(result->psnr == PsnrOf(model, picture, result->stream));
    CHECK(result->psnr >= target.value);
  } else {
    CHECK(result->psnr == 0);
  }
  return *result;
}

// ---- quality ------------------------------------------------------------------------------------

TEST_CASE("quality: from the lowest rate to the highest, rising, in few digits") {
  const ModelInfo& light = Light().info();
  CHECK(*LrdOfQuality(light, 0) == light.lrd_min);
  CHECK(*LrdOfQuality(light, 100) == light.lrd_max);
  double last = 0;
  for (int i = 0; i <= 1000; ++i) {
    const double lrd = *LrdOfQuality(light, i / 10.0);
    CHECK(lrd > last);
    CHECK(tools::Shortest(lrd).size() <= 12);
    last = lrd;
  }
  for (const char* form : {"fp32", "fp16", "int16", "int8-entropy"}) {
    const ModelInfo other = LoadShipped(form).info();
    for (const double quality : {0.0, 12.5, 50.0, 99.0, 100.0}) {
      CHECK(*LrdOfQuality(other, quality) == *LrdOfQuality(light, quality));
    }
  }
}

TEST_CASE("quality: equal steps of log lrd where nothing is known of a model") {
  ModelInfo model;
  model.name = "another";
  model.lrd_min = 1e-4;
  model.lrd_max = 1e-2;
  CHECK(*LrdOfQuality(model, 0) == 1e-4);
  CHECK(*LrdOfQuality(model, 50) == 1e-3);
  CHECK(*LrdOfQuality(model, 75) == doctest::Approx(1e-2 / std::sqrt(10)).epsilon(1e-4));
  CHECK(*LrdOfQuality(model, 100) == 1e-2);
}

TEST_CASE("quality: what is none, and a model of one rate") {
  ModelInfo model = Light().info();
  for (const double bad : {-1.0, 100.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(LrdOfQuality(model, bad).error().code == ErrorCode::kInvalidArgument);
  }
  model.lrd_min = model.lrd_max = 0;
  const Error fixed = LrdOfQuality(model, 50).error();
  CHECK(fixed.code == ErrorCode::kUnsupported);
  CHECK(fixed.message.find("one fixed rate") != std::string::npos);
}

// ---- targets ------------------------------------------------------------------------------------

TEST_CASE("target: sizes are met, with the bytes of a plain encoding") {
  for (const PictureInfo& info : {MakeInfo(300, 200, 3, false, 8), MakeInfo(64, 64, 1, true, 16)}) {
    const Picture picture = SmoothPicture(info, 11);
    const size_t least = EncodedAt(Light(), picture, Light().info().lrd_min).size();
    const size_t most = EncodedAt(Light(), picture, Light().info().lrd_max).size();
    REQUIRE(least < most);
    for (const double way : {0.0, 0.03, 0.2, 0.5, 0.8, 0.99, 1.0}) {
      const double bytes =
          std::floor(static_cast<double>(least) + way * static_cast<double>(most - least));
      CAPTURE(bytes);
      const double size = static_cast<double>(
          MustReach(Light(), picture, {Target::Kind::kBytes, bytes}).stream.size());
      CHECK(size <= bytes);
      CHECK((size >= 0.99 * bytes || size >= bytes - 16));
    }
    const double pixels = static_cast<double>(info.width) * info.height;
    const double bpp = 4 * static_cast<double>(least + most) / pixels;
    const TargetResult by_bpp = MustReach(Light(), picture, {Target::Kind::kBitsPerPixel, bpp});
    CHECK(8 * static_cast<double>(by_bpp.stream.size()) / pixels <= bpp);
    CHECK(by_bpp.stream ==
          MustReach(Light(), picture, {Target::Kind::kBytes, std::floor(bpp * pixels / 8)}).stream);
  }
}

// Pictures that are not too small: there PSNR jumps by more than 0.05 dB from one rate to the next.
TEST_CASE("target: PSNR is met from above") {
  for (const PictureInfo& info :
       {MakeInfo(300, 200, 3, false, 8), MakeInfo(320, 240, 1, true, 16)}) {
    const Picture picture = SmoothPicture(info, 12);
    const double least =
        PsnrOf(Light(), picture, EncodedAt(Light(), picture, Light().info().lrd_min));
    const double most =
        PsnrOf(Light(), picture, EncodedAt(Light(), picture, Light().info().lrd_max));
    REQUIRE(least + 1 < most);
    for (const double way : {0.0, 0.1, 0.5, 0.9, 1.0}) {
      const double psnr = least + way * (most - least);
      CAPTURE(psnr);
      CHECK(MustReach(Light(), picture, {Target::Kind::kPsnr, psnr}).psnr <= psnr + 0.05);
    }
  }
}

TEST_CASE("target: past the other end the end comes") {
  const Picture picture = SmoothPicture(MakeInfo(90, 60, 3, false, 8), 13);
  const ModelInfo& light = Light().info();
  CHECK(MustReach(Light(), picture, {Target::Kind::kBytes, 1e9}).lrd == light.lrd_max);
  CHECK(MustReach(Light(), picture, {Target::Kind::kBitsPerPixel, 1e300}).lrd == light.lrd_max);
  CHECK(MustReach(Light(), picture, {Target::Kind::kPsnr, 1}).lrd == light.lrd_min);
}

TEST_CASE("target: what cannot be reached says what can") {
  const Picture picture = SmoothPicture(MakeInfo(90, 60, 3, false, 8), 13);
  const std::vector<uint8_t> least = EncodedAt(Light(), picture, Light().info().lrd_min);
  const std::vector<uint8_t> most = EncodedAt(Light(), picture, Light().info().lrd_max);
  const std::string psnr = tools::Fixed(PsnrOf(Light(), picture, most), 2);
  for (const auto& [target, can] :
       {std::pair(Target{Target::Kind::kBytes, 20}, "20 bytes cannot be reached: the least is " +
                                                        std::to_string(least.size()) + " bytes, "),
        std::pair(Target{Target::Kind::kBitsPerPixel, 1e-9}, std::string("at lrd 1.5e-05")),
        std::pair(
            Target{Target::Kind::kPsnr, 99},
            "a PSNR of 99 dB cannot be reached: the highest is " + psnr + " dB, at lrd 0.0019")}) {
    Report report;
    const Error error = EncodeToTarget(Light(), picture, target, {}, &report).error();
    CAPTURE(error.message);
    CHECK(error.code == ErrorCode::kUnreachable);
    CHECK(error.message.find(can) != std::string::npos);
  }
}

TEST_CASE("target: models whose quality has nothing to do with the rate") {
  for (uint32_t seed = 1; seed < 6; ++seed) {
    const Model model = LoadModel(TinyModelFile(64, seed));
    const Picture picture = SmoothPicture(MakeInfo(70, 50, 3, false, 8), seed);
    for (const Target& target : {Target{Target::Kind::kPsnr, 8}, Target{Target::Kind::kPsnr, 11},
                                 Target{Target::Kind::kBytes, 700}}) {
      const auto result = EncodeToTarget(model, picture, target);
      if (result.ok()) {
        MustReach(model, picture, target);
      } else {
        CHECK(result.error().code == ErrorCode::kUnreachable);
      }
    }
  }
}

TEST_CASE("target: rows are read once for each probe, and once more for PSNR") {
  const Picture picture = SmoothPicture(MakeInfo(90, 60, 3, false, 8), 14);
  for (const auto& [kind, value, passes] :
       {std::tuple(Target::Kind::kBytes, 900.0, 1), std::tuple(Target::Kind::kPsnr, 34.0, 2)}) {
    int begun = 0;
    uint32_t next = 0;
    const RowReader read = [&](uint32_t y, void* row) {
      if (y == 0) ++begun;
      CHECK(y == (y == 0 ? 0 : next));
      next = y + 1;
      const size_t bytes = picture.info.RowBytes();
      std::memcpy(row, picture.samples.data() + y * bytes, bytes);
      return true;
    };
    double last = 0;
    EncodeOptions options;
    options.progress = [&last](double done) {
      CHECK(done >= last);
      CHECK(done <= 1);
      last = done;
      return true;
    };
    const auto result =
        EncodeRowsToTarget(Light(), picture.info, picture.metadata, read, {kind, value}, options);
    REQUIRE(result.ok());
    CHECK(begun == passes * result->probes);
    CHECK(next == picture.info.height);
    CHECK(result->stream == MustReach(Light(), picture, {kind, value}).stream);
  }
}

TEST_CASE("target: metadata count, and may come with the last row") {
  const Picture picture = SmoothPicture(MakeInfo(90, 60, 3, false, 8), 15);
  Metadata metadata;
  const RowReader read = [&](uint32_t y, void* row) {
    if (y == 0) metadata = {};
    const size_t bytes = picture.info.RowBytes();
    std::memcpy(row, picture.samples.data() + y * bytes, bytes);
    if (y + 1 == picture.info.height) metadata.exif.assign(700, 'I');
    return true;
  };
  const auto result =
      EncodeRowsToTarget(Light(), picture.info, metadata, read, {Target::Kind::kBytes, 1500});
  REQUIRE(result.ok());
  CHECK(result->stream.size() <= 1500);
  Picture whole = picture;
  whole.metadata.exif.assign(700, 'I');
  CHECK(result->stream == EncodedAt(Light(), whole, result->lrd));
}

TEST_CASE("target: what is refused") {
  const Picture picture = SmoothPicture(MakeInfo(40, 30, 3, false, 8), 16);
  const auto code = [&](const Model& model, const Target& target, const EncodeOptions& options) {
    const auto result = EncodeToTarget(model, picture, target, options);
    CAPTURE(result.error().message);
    CHECK(!result.error().message.empty());
    return result.error().code;
  };
  for (const double bad : {0.0, -5.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK(code(Light(), {Target::Kind::kBytes, bad}, {}) == ErrorCode::kInvalidArgument);
    CHECK(code(Light(), {Target::Kind::kPsnr, bad}, {}) == ErrorCode::kInvalidArgument);
  }
  EncodeOptions options;
  options.lrd = 4e-4;
  CHECK(code(Light(), {Target::Kind::kBytes, 900}, options) == ErrorCode::kInvalidArgument);
  options.lrd = 0;
  options.limits.max_memory = 10000;
  CHECK(code(Light(), {Target::Kind::kPsnr, 30}, options) == ErrorCode::kLimit);
  CHECK(code(FixedRate(Light()), {Target::Kind::kBytes, 900}, {}) == ErrorCode::kUnsupported);
  CHECK(code(FixedRate(Light()), {Target::Kind::kPsnr, 30}, {}) == ErrorCode::kUnsupported);

  Picture short_of_samples = picture;
  short_of_samples.samples.pop_back();
  CHECK(EncodeToTarget(Light(), short_of_samples, {Target::Kind::kBytes, 900}).error().code ==
        ErrorCode::kInvalidArgument);
  CHECK(EncodeRowsToTarget(Light(), picture.info, {}, nullptr, {Target::Kind::kBytes, 900})
            .error()
            .code == ErrorCode::kInvalidArgument);
}

TEST_CASE("target: a callback that stops, in whichever call") {
  const Picture picture = SmoothPicture(MakeInfo(40, 30, 3, false, 8), 17);
  const Target target = {Target::Kind::kPsnr, 32};
  int calls = 0;
  EncodeOptions options;
  options.progress = [&calls](double) { return ++calls > 0; };
  REQUIRE(EncodeToTarget(Light(), picture, target, options).ok());
  const int all = calls;
  for (int stop = 1; stop <= all; ++stop) {
    calls = 0;
    options.progress = [&calls, stop](double) { return ++calls < stop; };
    CHECK(EncodeToTarget(Light(), picture, target, options).error().code == ErrorCode::kCancelled);
  }
  int rows = 0;
  const RowReader read = [&](uint32_t, void* row) {
    std::memset(row, 90, picture.info.RowBytes());
    return ++rows <= 45;  // the second pass, which measures
  };
  CHECK(EncodeRowsToTarget(Light(), picture.info, {}, read, target).error().code ==
        ErrorCode::kCancelled);
}

}  // namespace
}  // namespace glint::testing
