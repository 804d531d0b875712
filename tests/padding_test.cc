// What stands around a picture is what the model's file says: the codec treats a padded picture as
// the larger picture that it is.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "codec/latents/latent_geometry.h"
#include "codec/model/model_impl.h"
#include "codec/stream/container.h"
#include "glint/glint.h"
#include "glint/glint.hpp"
#include "glint/rate.hpp"
#include "tests/codec_helpers.h"
#include "tests/draws.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Draws;
using testing::LoadModel;
using testing::ModelBuilder;
using testing::MustDecode;
using testing::MustEncode;
using testing::TinyModel;

constexpr uint32_t kStride = 64;

ModelBuilder ZerosAround() {
  ModelBuilder b = TinyModel();
  b.document["picture"]["stride"] = kStride;
  b.document["picture"]["padding"] = "centred_zeros";
  return b;
}

// The part of a larger picture that begins at (left, top).
Picture Crop(const Picture& picture, const PictureInfo& info, size_t left, size_t top) {
  Picture crop;
  crop.info = info;
  const size_t pixel = info.RowBytes() / info.width;
  for (size_t y = 0; y < info.height; ++y) {
    const uint8_t* from = picture.samples.data() + (top + y) * picture.info.RowBytes();
    crop.samples.insert(crop.samples.end(), from + left * pixel,
                        from + left * pixel + info.RowBytes());
  }
  return crop;
}

Picture WithZerosAround(const Picture& picture) {
  Picture padded;
  padded.info = picture.info;
  const auto up = [](uint32_t side) { return (side + kStride - 1) / kStride * kStride; };
  padded.info.width = up(picture.info.width);
  padded.info.height = up(picture.info.height);
  padded.samples.assign(padded.info.RowBytes() * padded.info.height, 0);
  const size_t left = (padded.info.width - picture.info.width) / 2;
  const size_t top = (padded.info.height - picture.info.height) / 2;
  const size_t pixel = picture.info.RowBytes() / picture.info.width;
  for (size_t y = 0; y < picture.info.height; ++y) {
    std::memcpy(padded.samples.data() + (top + y) * padded.info.RowBytes() + left * pixel,
                picture.samples.data() + y * picture.info.RowBytes(), picture.info.RowBytes());
  }
  return padded;
}

void CheckSameAsPadded(const Model& model, const Picture& picture, int threads) {
  const Picture padded = WithZerosAround(picture);
  EncodeOptions encode;
  encode.threads = threads;
  encode.detail = Detail::kOff;  // blocks of details lie in the picture, not in the padded one
  Report report, padded_report;
  const std::vector<uint8_t> stream = MustEncode(model, picture, encode, &report);
  const std::vector<uint8_t> padded_stream = MustEncode(model, padded, encode, &padded_report);
  CHECK(report.latent_crc == padded_report.latent_crc);
  CHECK(report.symbols == padded_report.symbols);
  const Picture whole = MustDecode(model, padded_stream);
  const Picture decoded = MustDecode(model, stream);
  const size_t left = (padded.info.width - picture.info.width) / 2;
  const size_t top = (padded.info.height - picture.info.height) / 2;
  CHECK(SamePixels(decoded, Crop(whole, decoded.info, left, top)));
}

TEST_CASE("padding: zeros around a picture are those of the picture that has them") {
  const Model model = LoadModel(ZerosAround().Build());
  Draws draws({TestSeed()});
  for (int i = 0; i < 24; ++i) {
    const auto side = [&](int most) { return static_cast<uint32_t>(draws.Whole(1, most)); };
    const PictureInfo info = MakeInfo(side(200), side(400), draws.Percent(50) ? 3 : 1, false,
                                      draws.Percent(30) ? 16 : 8);
    CAPTURE(info.width);
    CAPTURE(info.height);
    CheckSameAsPadded(model, testing::SmoothPicture(info, static_cast<uint32_t>(i)),
                      draws.Whole(1, 3));
  }
}

// Wide and low: in strips of columns.
TEST_CASE("padding: zeros around a picture in strips") {
  const Model model = LoadModel(ZerosAround().Build());
  for (const uint32_t width : {40000U, 49151U, 49153U}) {
    CheckSameAsPadded(model, testing::SmoothPicture(MakeInfo(width, 3, 3, false, 8), width), 1);
  }
}

TEST_CASE("padding: alpha keeps its place") {
  const Model model = LoadModel(ZerosAround().Build());
  const Picture picture = testing::SmoothPicture(MakeInfo(75, 131, 3, true, 8), 3);
  EncodeOptions exact;
  exact.exact = true;
  const Picture decoded = MustDecode(model, MustEncode(model, picture, exact));
  REQUIRE(decoded.samples.size() == picture.samples.size());
  bool same = true;
  for (size_t i = 3; i < picture.samples.size(); i += 4) {
    same = same && decoded.samples[i] == picture.samples[i];
  }
  CHECK(same);
}

TEST_CASE("rate: a model of one fixed rate") {
  ModelBuilder b = TinyModel();
  b.document["rate"] = {{"parameter", "none"}, {"lambda", 0.0067}};
  const Model model = LoadModel(b.Build());
  CHECK(model.info().has_fixed_rate());
  CHECK(model.info().lrd_max == 0);
  const Picture picture = testing::SmoothPicture(MakeInfo(70, 50, 3, false, 8), 1);
  const std::vector<uint8_t> stream = MustEncode(model, picture);
  const Expected<StreamInfo> info = Inspect(stream.data(), stream.size());
  REQUIRE(info.ok());
  CHECK(info->lrd == 0);
  MustDecode(model, stream);

  // The same as lrd in the middle of its range, where t is 0.
  ModelBuilder middle = TinyModel();
  const double lrd = 1e-4;
  middle.document["rate"] = {{"parameter", "lrd"},   {"map", "linear"}, {"min", lrd / 2},
                             {"max", lrd * 3 / 2},   {"default", lrd},  {"suggested", {lrd, lrd}},
                             {"lambda_per_lrd", 1.0}};
  Report fixed_report, middle_report;
  MustEncode(model, picture, {}, &fixed_report);
  MustEncode(LoadModel(middle.Build()), picture, {}, &middle_report);
  CHECK(fixed_report.latent_crc == middle_report.latent_crc);

  EncodeOptions chosen;
  chosen.detail = Detail::kOff;
  chosen.lrd = 1e-4;
  CHECK(Encode(model, picture, chosen).error().code == ErrorCode::kInvalidArgument);
  CHECK(LrdOfQuality(model.info(), 50, Detail::kOff).error().message.find("one fixed rate") !=
        std::string::npos);
  chosen.lrd = 0;
  Target target;
  target.kind = Target::Kind::kPsnr;
  target.value = 20;
  CHECK(EncodeToTarget(model, picture, target, chosen).error().code == ErrorCode::kUnsupported);

  // Its details have rates.
  chosen.detail = Detail::kAuto;
  const auto found = EncodeToTarget(model, picture, target, chosen);
  REQUIRE_MESSAGE(found.ok(), found.error().message);
  CHECK(found->psnr >= 20);
  chosen.lrd = found->lrd;
  CHECK(found->stream == MustEncode(model, picture, chosen));
  CHECK(Inspect(found->stream.data(), found->stream.size())->lrd == 0);

  // A stream of another rate is not one of the model's; nor the other way round.
  const std::vector<uint8_t> other = MustEncode(LoadModel(middle.Build()), picture);
  CHECK(Decode(model, other.data(), other.size()).error().code == ErrorCode::kWrongModel);
  const auto with_lrd = [](std::vector<uint8_t> forged, float value) {
    const Expected<StreamInfo> parts = Inspect(forged.data(), forged.size());
    const auto header = parts->chunks[0];
    const size_t crc = static_cast<size_t>(header.offset + header.bytes) - 4;
    std::memcpy(forged.data() + crc - 4, &value, 4);
    const size_t begin = static_cast<size_t>(header.offset);
    const uint32_t sum = Crc32(0, ByteSpan(forged).subspan(begin, crc - begin));
    std::memcpy(forged.data() + crc, &sum, 4);
    return forged;
  };
  const std::vector<uint8_t> moved = with_lrd(stream, 1e-4f), unmoved = with_lrd(stream, 0.0f);
  CHECK(unmoved == stream);
  CHECK(Decode(model, moved.data(), moved.size()).error().code == ErrorCode::kBadStream);
  for (const auto& [number, text] :
       {std::pair(1e-40f, "1e-40"), {3e38f, "3e+38"}, {0.25f, "0.25"}}) {
    const std::vector<uint8_t> far = with_lrd(stream, number);
    CHECK(Decode(model, far.data(), far.size()).error().message ==
          std::string("its lrd of ") + text + " is none of the model's");
  }
  const Model light = LoadModel(TinyModel().Build());
  const std::vector<uint8_t> none = with_lrd(MustEncode(light, picture), 0.0f);
  CHECK(Decode(light, none.data(), none.size()).error().code == ErrorCode::kBadStream);
}

TEST_CASE("rate: the linear map") {
  RateControl rate;
  rate.map = RateControl::Map::kLinear;
  rate.min = 1e-4;
  rate.max = 5e-4;
  CHECK(RateToT(rate, 1e-4) == -1);
  CHECK(RateToT(rate, 3e-4) == doctest::Approx(0));
  CHECK(RateToT(rate, 5e-4) == 1);
  rate.map = RateControl::Map::kFixed;
  CHECK(RateToT(rate, 0) == 0);
}

// |y| of at most 2^15 / 2^8 fit; bias makes them larger.
TEST_CASE("encoder: latents beyond the fixed point are limited and counted") {
  ModelBuilder b = TinyModel();
  b.document["latents"]["fraction_bits"] = 8;
  Report report;
  const Picture picture = testing::SmoothPicture(MakeInfo(64, 48, 3, false, 8), 1);
  MustEncode(LoadModel(b.Build()), picture, {}, &report);
  CHECK(report.saturated_latents == 0);
  std::string last = b.document["graphs"]["g_a"]["nodes"].back()["weights"]["fc2.bias"];
  for (size_t c = 0; c < 3; ++c) b.Float(last, c) += 12.0f;
  const Model model = LoadModel(b.Build());
  const std::vector<uint8_t> stream = MustEncode(model, picture, {}, &report);
  CHECK(report.saturated_latents > 0);
  CHECK(report.saturated_latents <= 3 * 4 * 3);
  MustDecode(model, stream);

  // The C interface tells the same.
  const std::vector<uint8_t> file = b.Build();
  glint_model* c_model = nullptr;
  REQUIRE(glint_model_from_memory(file.data(), file.size(), "loud", &c_model, nullptr) == GLINT_OK);
  glint_report c_report;
  REQUIRE(glint_report_init(&c_report, sizeof(c_report)) == GLINT_OK);
  glint_encode_options options;
  REQUIRE(glint_encode_options_init(&options, sizeof(options)) == GLINT_OK);
  options.report = &c_report;
  glint_picture_info info;
  REQUIRE(glint_picture_info_init(&info, sizeof(info)) == GLINT_OK);
  info.width = picture.info.width;
  info.height = picture.info.height;
  uint8_t* bytes = nullptr;
  size_t size = 0;
  CHECK(glint_encode(c_model, &info, picture.samples.data(), 0, nullptr, &options, &bytes, &size,
                     nullptr) == GLINT_OK);
  CHECK(c_report.saturated_latents == report.saturated_latents);
  glint_free(bytes);
  glint_model_free(c_model);
}

}  // namespace
}  // namespace glint
