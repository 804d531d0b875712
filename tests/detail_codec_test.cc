// The detail layer in whole streams: what it is worth, what it promises, what becomes of damage.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "codec/model/model_impl.h"
#include "codec/stream/container.h"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "glint/pictures.hpp"
#include "tests/codec_helpers.h"
#include "tests/draws.h"
#include "tests/model_builder.h"
#include "tests/mutate.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Draws;
using testing::LoadModel;
using testing::MustDecode;
using testing::MustEncode;
using testing::SmoothPicture;

const Model& LightInt8() {
  static const Model model =
      *Model::Load(std::string(GLINT_SOURCE_DIR) + "/weights/light-int8.safetensors");
  return model;
}

Picture Sample(const std::string& name) {
  auto picture = ReadPicture(std::string(GLINT_SOURCE_DIR) + "/tools/samples/" + name);
  REQUIRE_MESSAGE(picture.ok(), picture.error().message);
  return *picture;
}

template <typename Value>
Picture Drawn(uint32_t width, uint32_t height, const Value& value) {
  Picture picture;
  picture.info = MakeInfo(width, height, 3, false, 8);
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      const auto level = static_cast<uint8_t>(value(x, y));
      picture.samples.insert(picture.samples.end(), 3, level);
    }
  }
  return picture;
}

// Lines of 5 x 7 letters of a few shapes.
Picture Page(uint32_t width, uint32_t height) {
  std::mt19937 random(7);
  std::vector<uint64_t> letters(24);
  for (uint64_t& letter : letters) letter = uint64_t{random()} << 32 | random();
  return Drawn(width, height, [&](uint32_t x, uint32_t y) {
    const uint64_t letter = letters[(x / 7 * 31 + y / 12 * 17 + x / 7 * (y / 12)) % letters.size()];
    const bool ink = x % 7 < 5 && y % 12 < 7 && (letter >> (x % 7 + 5 * (y % 12)) & 1) != 0;
    return ink ? 20 : 250;
  });
}

double MeanSquaredError(const Picture& a, const Picture& b) {
  double sum = 0;
  for (size_t i = 0; i < a.samples.size(); ++i) {
    const int d = int{a.samples[i]} - int{b.samples[i]};
    sum += d * d;
  }
  return sum / static_cast<double>(a.samples.size());
}

int MostDifference(const Picture& a, const Picture& b) {
  int most = 0;
  for (size_t i = 0; i < a.samples.size(); ++i) {
    most = std::max(most, std::abs(int{a.samples[i]} - int{b.samples[i]}));
  }
  return most;
}

bool HasDetails(const std::vector<uint8_t>& stream) {
  const auto info = Inspect(stream.data(), stream.size());
  REQUIRE(info.ok());
  return info->detail;
}

}  // namespace

TEST_CASE("detail: text, stripes and checkers come back whole, in few bytes") {
  const Picture page = Page(320, 240);
  const Picture stripes = Drawn(320, 240, [](uint32_t x, uint32_t) { return x / 2 % 2 * 255; });
  const Picture checker = Drawn(320, 240, [](uint32_t x, uint32_t y) { return (x + y) % 2 * 255; });
  for (const auto& [picture, most] :
       {std::pair(&page, 6000U), {&stripes, 1000U}, {&checker, 1000U}}) {
    Report report;
    const auto stream = MustEncode(LightInt8(), *picture, {}, &report);
    CHECK(stream.size() <= most);
    CHECK(PsnrRgb(*picture, MustDecode(LightInt8(), stream)) >= 40);
    CHECK(report.detail.pixel_blocks > 0);
    CHECK(report.detail.plain_blocks > 0);
    EncodeOptions off;
    off.detail = Detail::kOff;
    CHECK(PsnrRgb(*picture, MustDecode(LightInt8(), MustEncode(LightInt8(), *picture, off))) < 30);
  }
}

// Bits per pixel + 65.025 lrd MSE, which training minimised; so do details.
double CostOf(const Picture& picture, double lrd, Detail detail) {
  EncodeOptions options;
  options.lrd = lrd;
  options.detail = detail;
  const auto stream = MustEncode(LightInt8(), picture, options);
  const double pixels = static_cast<double>(uint64_t{picture.info.width} * picture.info.height);
  return 8 * static_cast<double>(stream.size()) / pixels +
         65.025 * lrd * MeanSquaredError(picture, MustDecode(LightInt8(), stream));
}

TEST_CASE("detail: at no rate do details cost photographs more than they give") {
  const std::pair<const char*, Picture> photographs[] = {
      {"lake", ToRgb8(Sample("lake.png"))},
      {"bakery", ToRgb8(Sample("bakery.png"))},
      {"the middle of pebbles", ToRgb8(testing::SampleCrop("pebbles", 128, 64, 192, 192))}};
  for (const auto& photograph : photographs) {
    CAPTURE(photograph.first);
    const Picture& picture = photograph.second;
    for (const double lrd : {5e-5, 2e-4, 4e-4}) {
      CAPTURE(lrd);
      CHECK(CostOf(picture, lrd, Detail::kAuto) <= CostOf(picture, lrd, Detail::kOff) * 1.0005);
    }
  }
}

// Around pebbles.png all is transparent, and black without alpha. Blocks of one colour are made
// exact at every rate, so where nothing else pays for the chunk they cost its 14 bytes at most.
TEST_CASE("detail: of a picture cut out they cost a chunk at most") {
  const Picture picture = ToRgb8(Sample("pebbles.png"));
  const double chunk = 14 * 8.0 / (picture.info.width * picture.info.height);
  for (const double lrd : {5e-5, 2e-4, 4e-4}) {
    CAPTURE(lrd);
    CHECK(CostOf(picture, lrd, Detail::kAuto) <= CostOf(picture, lrd, Detail::kOff) + chunk);
  }
}

TEST_CASE("detail: quality goes on where the model's ends") {
  const Picture picture = ToRgb8(Sample("pebbles.png"));
  double last = 0;
  for (const double lrd : {4e-4, 1e-3, 4e-3, 1.6e-2, LightInt8().info().detail_lrd_max}) {
    EncodeOptions options;
    options.lrd = lrd;
    const double psnr =
        PsnrRgb(picture, MustDecode(LightInt8(), MustEncode(LightInt8(), picture, options)));
    CHECK(psnr > last);
    last = psnr;
  }
  CHECK(last >= 48);
}

TEST_CASE("detail: a limit of errors holds with every model, and without loss nothing is lost") {
  Draws draws({TestSeed()});
  const Model light = testing::LoadLight();
  const Model tiny = LoadModel(testing::TinyModelFile(2));
  for (int i = 0; i < 24; ++i) {
    PictureInfo info = MakeInfo(static_cast<uint32_t>(draws.Whole(1, 150)),
                                static_cast<uint32_t>(draws.Whole(1, 150)),
                                draws.Percent(50) ? 1 : 3, draws.Percent(40), 8);
    if (info.channels == 1) info.bit_depth = static_cast<uint32_t>(draws.Of({1, 2, 4, 8}));
    std::mt19937 random(draws.Seed());
    const Picture picture =
        draws.Percent(50) ? RandomPicture(info, &random) : SmoothPicture(info, draws.Seed());
    const Model& model = i % 3 == 0 ? light : i % 3 == 1 ? LightInt8() : tiny;
    EncodeOptions options;
    options.lossless = true;
    const Picture same = MustDecode(model, MustEncode(model, picture, options));
    CHECK(same.info.has_alpha == info.has_alpha);
    CHECK(same.samples == picture.samples);
    options.lossless = false;
    options.exact = true;
    options.max_error = draws.Whole(0, 20);
    CHECK(MostDifference(picture, MustDecode(model, MustEncode(model, picture, options))) <=
          options.max_error);
  }
}

TEST_CASE(
    "detail: a drawing takes about as few bytes where its errors have a limit as without loss") {
  const Picture page = Page(320, 240);
  const Picture photograph = testing::SampleCrop("bakery", 64, 40, 192, 128);
  const auto bytes = [](const Picture& picture, int limit) {
    EncodeOptions options;
    options.max_error = limit;
    return static_cast<double>(MustEncode(LightInt8(), picture, options).size());
  };
  for (const int limit : {1, 2, 5}) {
    CAPTURE(limit);
    CHECK(bytes(page, limit) <= 1.2 * bytes(page, 0));
    CHECK(bytes(photograph, limit) <= 0.8 * bytes(photograph, 0));
  }
}

TEST_CASE("detail: noise without loss takes what it is, and little more") {
  std::mt19937 random(TestSeed());
  for (const PictureInfo& info : {MakeInfo(256, 192, 3, false, 8), MakeInfo(256, 192, 1, false, 8),
                                  MakeInfo(200, 131, 1, false, 4)}) {
    CAPTURE(info.bit_depth);
    EncodeOptions options;
    options.lossless = true;
    const Picture noise = RandomPicture(info, &random);
    const size_t bits = size_t{info.width} * info.height * info.channels * info.bit_depth;
    CHECK(MustEncode(LightInt8(), noise, options).size() * 8 <= bits + bits / 100 + 8 * 600);
  }
}

TEST_CASE("detail: drawings in gray of few levels come back whole, as those of 8 bits") {
  for (const uint32_t depth : {1U, 2U, 4U}) {
    CAPTURE(depth);
    const uint32_t top = (1U << depth) - 1;
    Picture page;
    page.info = MakeInfo(320, 240, 1, false, depth);
    page.samples.resize(size_t{320} * 240);
    const Picture drawn = Page(320, 240);
    for (size_t i = 0; i < page.samples.size(); ++i) {
      page.samples[i] = static_cast<uint8_t>((drawn.samples[3 * i] * top + 127) / 255);
    }
    const auto stream = MustEncode(LightInt8(), page);
    CHECK(stream.size() <= 6000);
    CHECK(MustDecode(LightInt8(), stream).samples == page.samples);
    // Whatever the picture, quality has no end but the bits that it takes.
    const Picture grain = SmoothPicture(MakeInfo(130, 70, 1, false, depth), 3);
    EncodeOptions options;
    options.lrd = LightInt8().info().detail_lrd_max;
    CHECK(PsnrAsSeen(grain, MustDecode(LightInt8(), MustEncode(LightInt8(), grain, options))) >=
          48);
  }
}

TEST_CASE("detail: hidden colours cost a drawing nothing where its errors have a limit") {
  Picture icon = Drawn(
      320, 240, [](uint32_t x, uint32_t y) { return (x / 40 + y / 40) % 2 * 90 + x / 80 * 20; });
  icon.info.has_alpha = true;
  std::vector<uint8_t> samples;
  for (size_t i = 0; i < icon.samples.size() / 3; ++i) {
    const bool hidden = i % 320 / 40 % 2 == i / 320 / 40 % 2;
    for (size_t c = 0; c < 3; ++c) samples.push_back(hidden ? 0 : icon.samples[3 * i + c]);
    samples.push_back(hidden ? 0 : 255);
  }
  icon.samples = samples;
  EncodeOptions options;
  options.max_error = 0;
  const size_t filled = MustEncode(LightInt8(), icon, options).size();
  options.exact = true;
  CHECK(filled <= MustEncode(LightInt8(), icon, options).size() + 100);
}

TEST_CASE("detail: options that say two things at once are refused") {
  const Picture picture = SmoothPicture(MakeInfo(20, 20, 3, false, 8), 1);
  const Picture deep = SmoothPicture(MakeInfo(20, 20, 3, false, 16), 1);
  const auto refusal = [&](const Picture& of, auto set) {
    EncodeOptions options;
    set(&options);
    const auto stream = Encode(LightInt8(), of, options);
    REQUIRE_FALSE(stream.ok());
    CHECK(stream.error().code == ErrorCode::kInvalidArgument);
    return stream.error().message;
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(refusal(picture, [](auto* o) { o->max_error = 128; }), "-1..127"));
  CHECK(has(refusal(picture, [](auto* o) { o->max_error = -2; }), "-1..127"));
  CHECK(has(refusal(picture, [](auto* o) { o->lossless = true, o->max_error = 2; }), "no error"));
  CHECK(has(refusal(deep, [](auto* o) { o->lossless = true; }), "16 bits"));
  CHECK(has(refusal(picture, [](auto* o) { o->lossless = true, o->detail = Detail::kOff; }),
            "details"));
  CHECK(has(refusal(picture, [](auto* o) { o->max_error = 1, o->lrd = 1e-3; }), "lrd"));
  CHECK(has(refusal(picture, [](auto* o) { o->lrd = 1; }), "lrd is 1"));
  CHECK(has(refusal(picture, [](auto* o) { o->lrd = 1e-2, o->detail = Detail::kOff; }),
            "without details"));
}

TEST_CASE("detail: damage is found and named, and may be left out") {
  const Picture picture = Page(150, 1100);
  const auto stream = MustEncode(LightInt8(), picture);
  REQUIRE(HasDetails(stream));
  const Picture whole = MustDecode(LightInt8(), stream);
  const std::vector<testing::StreamChunk> chunks = testing::StreamChunks(stream);
  CHECK(std::count_if(chunks.begin(), chunks.end(), [](const auto& c) { return c.type == 'D'; }) ==
        2);
  const auto first =
      std::find_if(chunks.begin(), chunks.end(), [](const auto& c) { return c.type == 'D'; });
  auto damaged = stream;
  damaged[first->payload + first->payload_bytes / 2] ^= 4;
  for (const bool repaired : {false, true}) {
    if (repaired) testing::RepairStream(&damaged);
    const auto refused = Decode(LightInt8(), damaged.data(), damaged.size());
    if (!repaired) {
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().code == ErrorCode::kBadStream);
      CHECK(refused.error().message.find("'D'") != std::string::npos);
    }
    DecodeOptions options;
    options.detail = DetailOutput::kSkipDamaged;
    Report report;
    const Picture partly = MustDecode(LightInt8(), damaged, options, &report);
    if (!repaired) CHECK(report.detail.damaged_rows.size() == 1);
    // The second section is whole.
    const auto row = static_cast<std::ptrdiff_t>(1024 * picture.info.RowBytes());
    CHECK(std::equal(partly.samples.begin() + row, partly.samples.end(),
                     whole.samples.begin() + row));
    options.detail = DetailOutput::kSkip;
    MustDecode(LightInt8(), damaged, options, &report);
    CHECK(report.detail.bytes == 0);
  }
  auto missing = stream;
  missing.erase(missing.begin() + static_cast<int64_t>(first->begin),
                missing.begin() + static_cast<int64_t>(first->end()));
  const auto refused = Decode(LightInt8(), missing.data(), missing.size());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("sections") != std::string::npos);
}

TEST_CASE("detail: every bit flipped in a chunk of details is found") {
  const Picture picture = SmoothPicture(MakeInfo(40, 30, 3, false, 8), 3);
  const Model model = LoadModel(testing::TinyModelFile(2));
  EncodeOptions options;
  options.detail = Detail::kOn;
  const auto stream = MustEncode(model, picture, options);
  size_t tried = 0;
  for (const testing::StreamChunk& chunk : testing::StreamChunks(stream)) {
    if (chunk.type != 'D') continue;
    for (size_t bit = 8 * chunk.begin; bit < 8 * chunk.end(); ++bit, ++tried) {
      auto damaged = stream;
      damaged[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      CHECK_FALSE(Decode(model, damaged.data(), damaged.size()).ok());
    }
  }
  CHECK(tried > 1000);
}

TEST_CASE("detail: models of integers alone have an exact base") {
  const auto weights = std::string(GLINT_SOURCE_DIR) + "/weights/light-";
  for (const std::string name : {"fp32", "fp16", "int8-entropy", "int16", "int8"}) {
    const bool exact = name == "int16" || name == "int8";
    const auto model = Model::Load(weights + name + ".safetensors");
    REQUIRE(model.ok());
    CAPTURE(name);
    CHECK(HasExactSynthesis(model->impl()) == exact);
  }
}

TEST_CASE("detail: a model of one fixed rate has a rate by its details") {
  testing::ModelBuilder builder = testing::TinyModel(1);
  builder.document["rate"] = {{"parameter", "none"}};
  const Model model = LoadModel(builder.Build());
  REQUIRE(model.info().has_fixed_rate());
  const Picture picture = ToRgb8(Sample("lake.png"));
  size_t last = 0;
  for (const double lrd : {model.info().detail_lrd_min, 1e-3, 1e-2, model.info().detail_lrd_max}) {
    EncodeOptions options;
    options.lrd = lrd;
    const auto stream = MustEncode(model, picture, options);
    CHECK(stream.size() > last);
    last = stream.size();
  }
}

}  // namespace glint
