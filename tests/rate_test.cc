// rate.hpp: qualities, and encoding to a size or PSNR.
#include "glint/rate.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "codec/model/model_impl.h"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"
#include "tools/common/text.h"

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

// Of integers.
Model FixedRate() {
  ModelBuilder builder = IntegerModel();
  builder.document["rate"] = {{"parameter", "none"}};
  return LoadModel(builder.Build());
}

// What lrd may be.
struct Range {
  double min, max;
};
Range RangeOf(const Model& model, Detail detail) {
  const ModelInfo& info = model.info();
  if (detail == Detail::kOff) return {info.lrd_min, info.lrd_max};
  return {info.detail_lrd_min, info.detail_lrd_max};
}

EncodeOptions With(Detail detail, double lrd = 0) {
  EncodeOptions options;
  options.detail = detail;
  options.lrd = lrd;
  return options;
}

std::vector<uint8_t> EncodedAt(const Model& model, const Picture& picture, double lrd,
                               Detail detail) {
  return MustEncode(model, picture, With(detail, lrd));
}

double PsnrOf(const Model& model, const Picture& picture, const std::vector<uint8_t>& stream) {
  return PsnrAsSeen(picture, MustDecode(model, stream));
}

// What holds for every target that is reached; the lrd goes through text, as a user's would.
TargetResult MustReach(const Model& model, const Picture& picture, const Target& target,
                       Detail detail) {
  Report report;
  auto result = EncodeToTarget(model, picture, target, With(detail), &report);
  REQUIRE_MESSAGE(result.ok(), result.error().message);
  CHECK(result->probes >= 1);
  CHECK(result->probes <= kMostProbes);
  CHECK(tools::Shortest(result->lrd).size() <= 12);
  const EncodeOptions options = With(detail, std::stod(tools::Shortest(result->lrd)));
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
  for (const Detail detail : {Detail::kOff, Detail::kAuto, Detail::kOn}) {
    const ModelInfo& light = Light().info();
    const Range range = RangeOf(Light(), detail);
    CHECK(*LrdOfQuality(light, 0, detail) == range.min);
    CHECK(*LrdOfQuality(light, 100, detail) == range.max);
    double last = 0;
    for (int i = 0; i <= 1000; ++i) {
      const double lrd = *LrdOfQuality(light, i / 10.0, detail);
      CHECK(lrd > last);
      CHECK(tools::Shortest(lrd).size() <= 12);
      last = lrd;
    }
    for (const char* form : {"fp32", "fp16", "int16", "int8-entropy"}) {
      const ModelInfo other = LoadShipped(form).info();
      for (const double quality : {0.0, 12.5, 50.0, 99.0, 100.0}) {
        CHECK(*LrdOfQuality(other, quality, detail) == *LrdOfQuality(light, quality, detail));
      }
    }
  }
}

TEST_CASE("quality: details are meant unless they are off") {
  const ModelInfo& light = Light().info();
  CHECK(*LrdOfQuality(light, 80) == *LrdOfQuality(light, 80, Detail::kAuto));
  CHECK(*LrdOfQuality(light, 80) == *LrdOfQuality(light, 80, Detail::kOn));
  CHECK(*LrdOfQuality(light, 80) > light.lrd_max);
  // Of the model alone, bench/quality.py alone.
  CHECK(*LrdOfQuality(light, 50, Detail::kOff) == 1.1388e-4);
  CHECK(*LrdOfQuality(light, 90, Detail::kOff) == 7.852e-4);
}

TEST_CASE("quality: the curve of light rises by PSNR's steps") {
  // The mean PSNR of Kodak, of INT8 with details, at a few rates that are none of the curve's.
  struct Point {
    double lrd, psnr;
  };
  constexpr double kLeast = 27.03, kMost = 51.71;
  for (const Point& point : {Point{4.07374e-4, 34.60}, Point{1.61233e-3, 38.12},
                             Point{6.38134e-3, 42.56}, Point{2.52564e-2, 47.02}}) {
    const double quality = 100 * (point.psnr - kLeast) / (kMost - kLeast);
    CHECK(*LrdOfQuality(Light().info(), quality) == doctest::Approx(point.lrd).epsilon(0.03));
  }
}

ModelInfo AnotherModel() {
  ModelInfo model;
  model.name = "another";
  model.lrd_min = model.detail_lrd_min = 1e-4;
  model.lrd_default = model.detail_lrd_default = 1e-3;
  model.lrd_max = 1e-2;
  model.detail_lrd_max = 1e-1;
  return model;
}

TEST_CASE("quality: equal steps of log lrd where nothing is known of a model") {
  const ModelInfo model = AnotherModel();
  CHECK(*LrdOfQuality(model, 0, Detail::kOff) == 1e-4);
  CHECK(*LrdOfQuality(model, 50, Detail::kOff) == 1e-3);
  CHECK(*LrdOfQuality(model, 75, Detail::kOff) ==
        doctest::Approx(1e-2 / std::sqrt(10)).epsilon(1e-4));
  CHECK(*LrdOfQuality(model, 100, Detail::kOff) == 1e-2);
}

// Each decade below `bend` counts as so many dB, each above as so many.
void CheckTwoLaws(const ModelInfo& model, double bend, double below, double above) {
  const double down = below * std::log(bend / model.detail_lrd_min);
  const double up = above * std::log(model.detail_lrd_max / bend);
  const double middle = 100 * down / (down + up);
  const auto lrd = [&](double quality) { return *LrdOfQuality(model, quality); };
  const auto between = [](double a, double b) { return doctest::Approx(std::sqrt(a * b)); };
  CHECK(lrd(0) == model.detail_lrd_min);
  CHECK(lrd(middle) == doctest::Approx(bend).epsilon(1e-4));
  CHECK(lrd(100) == model.detail_lrd_max);
  CHECK(lrd(middle / 2) == between(model.detail_lrd_min, bend).epsilon(1e-4));
  CHECK(lrd((middle + 100) / 2) == between(bend, model.detail_lrd_max).epsilon(1e-4));
}

TEST_CASE("quality: with details steps above what a model is meant for are of another size") {
  ModelInfo model = AnotherModel();
  model.lrd_suggested_max = 3e-3;
  CheckTwoLaws(model, 3e-3, 2.3, 3.1);
  model.lrd_suggested_max = 5e-4;  // below the default
  CheckTwoLaws(model, model.lrd_default, 2.3, 3.1);
  // It may be an end.
  model.lrd_suggested_max = model.detail_lrd_max;
  CHECK(*LrdOfQuality(model, 50) == doctest::Approx(std::sqrt(1e-5)).epsilon(1e-4));
  CHECK(*LrdOfQuality(model, 100) == 1e-1);
}

TEST_CASE("quality: a model of one rate has qualities by its details") {
  const ModelInfo model = FixedRate().info();
  REQUIRE(model.has_fixed_rate());
  CheckTwoLaws(model, model.detail_lrd_default, 0.7, 3.1);
  const Error fixed = LrdOfQuality(model, 50, Detail::kOff).error();
  CHECK(fixed.code == ErrorCode::kUnsupported);
  CHECK(fixed.message.find("one fixed rate") != std::string::npos);
  // By whatever name.
  ModelInfo named = model;
  named.name = "light";
  CHECK(*LrdOfQuality(named, 50) == *LrdOfQuality(model, 50));
}

TEST_CASE("quality: what is none") {
  for (const double bad : {-1.0, 100.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (const Detail detail : {Detail::kOff, Detail::kAuto}) {
      CHECK(LrdOfQuality(Light().info(), bad, detail).error().code == ErrorCode::kInvalidArgument);
    }
  }
}

// ---- targets ------------------------------------------------------------------------------------

// With details size and PSNR may jump by more than the search wants to come near: near the highest
// rates one step of 1/16 in the quantisation is some per cent of it. Then all probes are used up,
// and the result is still near.
bool MayJump(Detail detail, const TargetResult& result) {
  return detail != Detail::kOff && result.probes == kMostProbes;
}

// With details a photograph: of a small drawn picture all blocks begin with details at about the
// same rate, and size and PSNR jump there.
Picture PictureFor(const PictureInfo& info, Detail detail, uint32_t seed) {
  const bool colour = info.channels == 3 && !info.has_alpha && info.bit_depth == 8;
  if (detail == Detail::kOff || !colour) return SmoothPicture(info, seed);
  return SampleCrop("lake", 100, 50, info.width, info.height);
}

void CheckSizes(const Model& model, const PictureInfo& info, Detail detail) {
  const Picture picture = PictureFor(info, detail, 11);
  const Range range = RangeOf(model, detail);
  const size_t least = EncodedAt(model, picture, range.min, detail).size();
  const size_t most = EncodedAt(model, picture, range.max, detail).size();
  REQUIRE(least < most);
  for (const double way : {0.0, 0.03, 0.2, 0.5, 0.8, 0.99, 1.0}) {
    const double bytes =
        std::floor(static_cast<double>(least) + way * static_cast<double>(most - least));
    CAPTURE(bytes);
    const TargetResult result = MustReach(model, picture, {Target::Kind::kBytes, bytes}, detail);
    const double size = static_cast<double>(result.stream.size());
    CAPTURE(size);
    CAPTURE(result.lrd);
    CAPTURE(result.probes);
    CHECK(size <= bytes);
    CHECK((size >= (MayJump(detail, result) ? 0.98 : 0.99) * bytes || size >= bytes - 16));
  }
  const double pixels = static_cast<double>(info.width) * info.height;
  const double bpp = 4 * static_cast<double>(least + most) / pixels;
  const TargetResult by_bpp = MustReach(model, picture, {Target::Kind::kBitsPerPixel, bpp}, detail);
  CHECK(8 * static_cast<double>(by_bpp.stream.size()) / pixels <= bpp);
  const Target same = {Target::Kind::kBytes, std::floor(bpp * pixels / 8)};
  CHECK(by_bpp.stream == MustReach(model, picture, same, detail).stream);
}

TEST_CASE("target: sizes are met, with the bytes of a plain encoding") {
  for (const PictureInfo& info : {MakeInfo(300, 200, 3, false, 8), MakeInfo(64, 64, 1, true, 16)}) {
    for (const Detail detail : {Detail::kOff, Detail::kAuto}) CheckSizes(Light(), info, detail);
  }
  CheckSizes(FixedRate(), MakeInfo(150, 130, 3, false, 8), Detail::kAuto);
}

// Pictures that are not too small: there PSNR jumps by more than 0.05 dB from one rate to the next.
void CheckPsnrs(const Model& model, const PictureInfo& info, Detail detail) {
  const Picture picture = PictureFor(info, detail, 12);
  const auto psnr_at = [&](double lrd) {
    return PsnrOf(model, picture, EncodedAt(model, picture, lrd, detail));
  };
  const Range range = RangeOf(model, detail);
  const double least = psnr_at(range.min);
  const double most = psnr_at(range.max);
  REQUIRE(least + 1 < most);
  for (const double way : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    const double psnr = least + way * (most - least);
    CAPTURE(psnr);
    const TargetResult result = MustReach(model, picture, {Target::Kind::kPsnr, psnr}, detail);
    CHECK(result.psnr <= psnr + (MayJump(detail, result) ? 0.3 : 0.05));
  }
}

TEST_CASE("target: PSNR is met from above") {
  for (const PictureInfo& info :
       {MakeInfo(300, 200, 3, false, 8), MakeInfo(320, 240, 1, true, 16)}) {
    for (const Detail detail : {Detail::kOff, Detail::kAuto}) CheckPsnrs(Light(), info, detail);
  }
  CheckPsnrs(FixedRate(), MakeInfo(150, 130, 3, false, 8), Detail::kAuto);
}

TEST_CASE("target: past the other end the end comes") {
  const Picture picture = SmoothPicture(MakeInfo(90, 60, 3, false, 8), 13);
  for (const Detail detail : {Detail::kOff, Detail::kAuto}) {
    const Range range = RangeOf(Light(), detail);
    const auto lrd_of = [&](Target::Kind kind, double value) {
      return MustReach(Light(), picture, {kind, value}, detail).lrd;
    };
    CHECK(lrd_of(Target::Kind::kBytes, 1e9) == range.max);
    CHECK(lrd_of(Target::Kind::kBitsPerPixel, 1e300) == range.max);
    CHECK(lrd_of(Target::Kind::kPsnr, 1) == range.min);
  }
}

// What the messages say of targets that no rate reaches.
void CheckUnreachable(const Model& model, Detail detail, const std::string& at_most,
                      const std::string& more) {
  const Picture picture = SmoothPicture(MakeInfo(90, 60, 3, false, 8), 13);
  const Range range = RangeOf(model, detail);
  const size_t least = EncodedAt(model, picture, range.min, detail).size();
  const double most = PsnrOf(model, picture, EncodedAt(model, picture, range.max, detail));
  const std::string bytes =
      "20 bytes cannot be reached: the least is " + std::to_string(least) + " bytes, ";
  const std::string psnr = "a PSNR of 99 dB cannot be reached: the highest is " +
                           tools::Fixed(most, 2) + " dB, at lrd " + at_most + more;
  for (const auto& [target, can] : {std::pair(Target{Target::Kind::kBytes, 20}, bytes),
                                    std::pair(Target{Target::Kind::kPsnr, 99}, psnr)}) {
    const Error error = EncodeToTarget(model, picture, target, With(detail)).error();
    CAPTURE(error.message);
    CHECK(error.code == ErrorCode::kUnreachable);
    CHECK(error.message.find(can) != std::string::npos);
  }
  const Target tiny = {Target::Kind::kBitsPerPixel, 1e-9};
  const Error error = EncodeToTarget(model, picture, tiny, With(detail)).error();
  CHECK(error.message.find("bits per pixel, at lrd 1.5") != std::string::npos);
}

TEST_CASE("target: what cannot be reached says what can") {
  CheckUnreachable(Light(), Detail::kOff, "0.0019", "; with details it is higher");
  CheckUnreachable(Light(), Detail::kAuto, "0.12037", "; lossless coding has no errors at all");
  CheckUnreachable(FixedRate(), Detail::kAuto, "0.099962",
                   "; lossless coding has no errors at all");
}

TEST_CASE("target: a picture without loss reaches every PSNR") {
  Picture black;
  black.info = MakeInfo(64, 48, 3, false, 8);
  black.samples.resize(black.info.RowBytes() * black.info.height);
  for (const double psnr : {99.0, 100.0, 101.0, 1e3, 1e300}) {
    CAPTURE(psnr);
    const Target target = {Target::Kind::kPsnr, psnr};
    CHECK(std::isinf(MustReach(Light(), black, target, Detail::kAuto).psnr));
  }
}

TEST_CASE("target: models whose quality has nothing to do with the rate") {
  for (uint32_t seed = 1; seed < 6; ++seed) {
    const Model model = LoadModel(TinyModelFile(64, seed));
    const Picture picture = SmoothPicture(MakeInfo(70, 50, 3, false, 8), seed);
    for (const Target& target : {Target{Target::Kind::kPsnr, 8}, Target{Target::Kind::kPsnr, 11},
                                 Target{Target::Kind::kBytes, 700}}) {
      for (const Detail detail : {Detail::kOff, Detail::kAuto}) {
        const auto result = EncodeToTarget(model, picture, target, With(detail));
        if (result.ok()) {
          MustReach(model, picture, target, detail);
        } else {
          CHECK(result.error().code == ErrorCode::kUnreachable);
        }
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
    CHECK(result->stream == MustReach(Light(), picture, {kind, value}, Detail::kAuto).stream);
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
  CHECK(result->stream == EncodedAt(Light(), whole, result->lrd, Detail::kAuto));
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
  for (const Target::Kind kind : {Target::Kind::kBytes, Target::Kind::kPsnr}) {
    CHECK(code(FixedRate(), {kind, 30}, With(Detail::kOff)) == ErrorCode::kUnsupported);
  }
  EncodeOptions limited;
  limited.max_error = 3;
  CHECK(code(Light(), {Target::Kind::kBytes, 900}, limited) == ErrorCode::kInvalidArgument);
  limited.max_error = -1;
  limited.lossless = true;
  CHECK(code(Light(), {Target::Kind::kPsnr, 30}, limited) == ErrorCode::kInvalidArgument);

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
