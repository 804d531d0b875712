// What nobody sees: not coded by default, kept with `exact`; and pictures without their alpha.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "codec/stream/container.h"
#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "glint/rate.hpp"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::LoadLight;
using testing::LoadModel;
using testing::MustDecode;
using testing::MustEncode;
using testing::SmoothPicture;
using testing::TinyModelFile;

EncodeOptions Exact() {
  EncodeOptions options;
  options.exact = true;
  return options;
}

uint32_t SampleAt(const Picture& picture, size_t index) {
  if (picture.info.SampleBytes() == 1) return picture.samples[index];
  uint16_t value = 0;
  std::memcpy(&value, picture.samples.data() + 2 * index, 2);
  return value;
}

void SetSample(Picture* picture, size_t index, uint32_t value) {
  if (picture->info.SampleBytes() == 1) {
    picture->samples[index] = static_cast<uint8_t>(value);
  } else {
    const auto wide = static_cast<uint16_t>(value);
    std::memcpy(picture->samples.data() + 2 * index, &wide, 2);
  }
}

// 8-bit RGB with alpha: a disc on nothing, with an edge of two pixels. `hidden` gives the colours
// of the nothing.
template <typename Hidden>
Picture Disc(uint32_t side, const Hidden& hidden) {
  Picture picture = SmoothPicture(MakeInfo(side, side, 3, true, 8), 11);
  for (size_t y = 0; y < side; ++y) {
    for (size_t x = 0; x < side; ++x) {
      uint8_t* const pixel = picture.samples.data() + 4 * (y * side + x);
      const double distance =
          std::hypot(static_cast<double>(x) - side / 2.0, static_cast<double>(y) - side / 2.0);
      const double alpha = std::clamp((side * 0.4 - distance) / 2, 0.0, 1.0);
      pixel[3] = static_cast<uint8_t>(alpha * 255);
      for (size_t c = 0; c < 3 && pixel[3] == 0; ++c) pixel[c] = hidden();
    }
  }
  return picture;
}

TEST_CASE("unseen: colour under alpha 0 costs nothing, whatever it is, and does not leak") {
  const Model model = LoadLight();
  std::mt19937 random(TestSeed() + 960);
  const Picture noisy = Disc(128, [&] { return static_cast<uint8_t>(random()); });
  const Picture black = Disc(128, [] { return uint8_t{0}; });
  const auto of_noisy = MustEncode(model, noisy), of_black = MustEncode(model, black);
  CHECK(of_noisy == of_black);
  const auto exact_noisy = MustEncode(model, noisy, Exact());
  const auto exact_black = MustEncode(model, black, Exact());
  CHECK(exact_noisy.size() > 2 * of_noisy.size());
  CHECK(exact_black.size() > of_noisy.size() * 11 / 10);
  const double as_seen = PsnrAsSeen(noisy, MustDecode(model, of_noisy));
  CHECK(as_seen > PsnrAsSeen(noisy, MustDecode(model, exact_noisy)) + 0.5);
  CHECK(as_seen > PsnrAsSeen(black, MustDecode(model, exact_black)));
}

TEST_CASE("unseen: exact codes what is there") {
  const Model model = LoadModel(TinyModelFile());
  std::mt19937 random(TestSeed() + 961);
  const Picture noisy = Disc(64, [&] { return static_cast<uint8_t>(random()); });
  // The same colours without any alpha.
  Picture opaque = noisy;
  for (size_t i = 3; i < opaque.samples.size(); i += 4) opaque.samples[i] = 255;
  const auto segments = [](const std::vector<uint8_t>& stream) {
    const auto parsed = ParseStream(stream, {});
    REQUIRE(parsed.ok());
    return std::vector<uint8_t>(parsed->segments[0].begin(), parsed->segments[0].end());
  };
  const auto exact = MustEncode(model, noisy, Exact());
  CHECK(segments(exact) == segments(MustEncode(model, opaque)));
  CHECK(segments(exact) != segments(MustEncode(model, noisy)));
  const Picture again = MustDecode(model, exact);
  for (size_t i = 3; i < again.samples.size(); i += 4) {
    REQUIRE(again.samples[i] == noisy.samples[i]);
  }
}

TEST_CASE("unseen: an alpha that is opaque everywhere is left out") {
  const Model model = LoadModel(TinyModelFile());
  for (const uint32_t channels : {1U, 3U}) {
    for (const uint32_t depth : {1U, 4U, 8U, 16U}) {
      if (channels == 3 && depth < 8) continue;
      CAPTURE(channels);
      CAPTURE(depth);
      Picture picture = SmoothPicture(MakeInfo(33, 140, channels, true, depth), 3);
      Picture plain = picture;
      plain.info.has_alpha = false;
      plain.samples.clear();
      plain.samples.resize(plain.info.RowBytes() * plain.info.height);
      const size_t pixels = size_t{33} * 140;
      const uint32_t top = (1U << depth) - 1;
      for (size_t i = 0; i < pixels; ++i) {
        SetSample(&picture, i * (channels + 1) + channels, top);
        for (size_t c = 0; c < channels; ++c) {
          SetSample(&plain, i * channels + c, SampleAt(picture, i * (channels + 1) + c));
        }
      }
      CHECK(MustEncode(model, picture) == MustEncode(model, plain));
      const auto exact = MustEncode(model, picture, Exact());
      CHECK(MustDecode(model, exact).info.has_alpha);

      // One pixel that is not opaque, in the first row or in the last, and alpha is needed.
      for (const size_t pixel : {size_t{5}, pixels - 1}) {
        Picture pierced = picture;
        SetSample(&pierced, pixel * (channels + 1) + channels, top - 1);
        const Picture again = MustDecode(model, MustEncode(model, pierced));
        REQUIRE(again.info.has_alpha);
        for (size_t i = 0; i < pixels; ++i) {
          REQUIRE(SampleAt(again, i * (channels + 1) + channels) == (i == pixel ? top - 1 : top));
        }
      }
    }
  }
}

Picture GrayAsRgb(const Picture& gray) {
  Picture rgb = gray;
  rgb.info.channels = 3;
  rgb.samples.clear();
  rgb.samples.resize(rgb.info.RowBytes() * rgb.info.height);
  const size_t from = gray.info.SamplesPerPixel(), to = rgb.info.SamplesPerPixel();
  for (size_t i = 0; i < size_t{gray.info.width} * gray.info.height; ++i) {
    for (size_t c = 0; c < 3; ++c) SetSample(&rgb, i * to + c, SampleAt(gray, i * from));
    if (gray.info.has_alpha) SetSample(&rgb, i * to + 3, SampleAt(gray, i * from + 1));
  }
  return rgb;
}

// Of three colour channels that are the same everywhere.
bool HasOneChannel(const Picture& picture) {
  const size_t bytes = picture.info.SampleBytes(), pixel = picture.info.SamplesPerPixel() * bytes;
  for (size_t i = 0; i + pixel <= picture.samples.size(); i += pixel) {
    const auto at = picture.samples.begin() + static_cast<std::ptrdiff_t>(i);
    const auto step = static_cast<std::ptrdiff_t>(bytes);
    if (!std::equal(at, at + step, at + step) || !std::equal(at, at + step, at + 2 * step)) {
      return false;
    }
  }
  return true;
}

TEST_CASE("unseen: RGB whose channels are the same comes back without a tint") {
  for (const Model& model : {LoadModel(TinyModelFile()), LoadLight()}) {
    for (const bool exact : {false, true}) {
      for (const bool alpha : {false, true}) {
        for (const uint32_t depth : {8U, 16U}) {
          const Picture gray = SmoothPicture(MakeInfo(50, 70, 1, alpha, depth), 5);
          const Picture rgb = GrayAsRgb(gray);
          EncodeOptions options;
          options.exact = exact;
          // With details: no tint either.
          CHECK(HasOneChannel(MustDecode(model, MustEncode(model, rgb, options))));
          options.detail = Detail::kOff;
          const auto stream = MustEncode(model, rgb, options);
          const auto info = Inspect(stream.data(), stream.size());
          REQUIRE(info.ok());
          CHECK(info->gray);
          CHECK(info->source.channels == 3);
          const auto of_gray = MustEncode(model, gray, options);
          CHECK(stream.size() == of_gray.size());
          const Picture again = MustDecode(model, stream);
          CHECK(SamePixels(again, GrayAsRgb(MustDecode(model, of_gray))));
        }
      }
    }
  }
}

TEST_CASE("unseen: pictures of colour are not said to be gray") {
  const Model model = LoadModel(TinyModelFile());
  Picture rgb = GrayAsRgb(SmoothPicture(MakeInfo(20, 30, 1, false, 8), 5));
  rgb.samples.back() ^= 1;
  const auto stream = MustEncode(model, rgb);
  CHECK_FALSE(Inspect(stream.data(), stream.size())->gray);
}

// ---- as it is seen -----------------------------------------------------------------------------

TEST_CASE("unseen: PSNR as seen is that of RGB, and with alpha that of what shows") {
  std::mt19937 random(TestSeed() + 963);
  for (const uint32_t depth : {8U, 16U}) {
    const Picture a = RandomPicture(MakeInfo(30, 20, 3, false, depth), &random);
    const Picture b = RandomPicture(MakeInfo(30, 20, 3, false, 8), &random);
    CHECK(PsnrAsSeen(a, b) == PsnrRgb(ToRgb8(a), ToRgb8(b)));
    CHECK(std::isinf(PsnrAsSeen(a, a)));
  }
  // A quarter each: nothing, of which the colours differ; half; opaque; opaque and the same.
  Picture a = RandomPicture(MakeInfo(40, 40, 3, true, 8), &random), b = a;
  for (size_t i = 0; i < 1600; ++i) {
    const size_t part = i / 400;
    a.samples[4 * i + 3] = b.samples[4 * i + 3] = part == 0 ? 0 : part == 1 ? 128 : 255;
    for (size_t c = 0; c < 3; ++c) {
      a.samples[4 * i + c] = 100;
      b.samples[4 * i + c] = part == 3 ? 100 : 110;
    }
  }
  const double mse = (0.25 * 10 * 10 + 1.0 * 10 * 10 + 0) / 3;
  CHECK(std::abs(PsnrAsSeen(a, b) - 10 * std::log10(255 * 255 / mse)) < 0.05);
  // What was decoded may have lost its alpha.
  for (size_t i = 0; i < 1600; ++i) a.samples[4 * i + 3] = b.samples[4 * i + 3] = 255;
  Picture plain = ToRgb8(b);
  CHECK(PsnrAsSeen(a, plain) == PsnrAsSeen(a, b));
  // Nothing is seen, nothing differs.
  for (size_t i = 0; i < 1600; ++i) a.samples[4 * i + 3] = b.samples[4 * i + 3] = 0;
  CHECK(std::isinf(PsnrAsSeen(a, b)));
  plain.info.height -= 1;
  plain.samples.resize(plain.info.RowBytes() * plain.info.height);
  CHECK(std::isnan(PsnrAsSeen(a, plain)));
  plain.samples.pop_back();
  CHECK(std::isnan(PsnrAsSeen(plain, plain)));
}

TEST_CASE("unseen: a target of PSNR is of what is seen, whatever form comes out") {
  const Model model = LoadLight();
  std::mt19937 random(TestSeed() + 964);
  for (const bool opaque : {false, true}) {
    Picture picture = opaque ? SmoothPicture(MakeInfo(96, 96, 3, true, 8), 11)
                             : Disc(96, [&] { return static_cast<uint8_t>(random()); });
    for (size_t i = 3; i < picture.samples.size() && opaque; i += 4) picture.samples[i] = 255;
    Target target;
    target.kind = Target::Kind::kPsnr;
    target.value = opaque ? 38 : 30;
    const auto result = EncodeToTarget(model, picture, target);
    REQUIRE_MESSAGE(result.ok(), result.error().message);
    const Picture decoded = MustDecode(model, result->stream);
    CHECK(decoded.info.has_alpha == !opaque);
    CHECK(result->psnr == PsnrAsSeen(picture, decoded));
    CHECK(result->psnr >= target.value);
  }
}

// ---- without alpha -----------------------------------------------------------------------------

// The definition, in double.
double Blended(double colour, double top, double alpha, double background) {
  return 255 * colour / top * alpha / top + (1 - alpha / top) * background;
}

void CheckBlended(const Picture& picture, const Rgb8& background, const Picture& flat) {
  const uint8_t under[3] = {background.red, background.green, background.blue};
  const double top = std::pow(2, picture.info.bit_depth) - 1;
  const size_t channels = picture.info.channels;
  CHECK_FALSE(flat.info.has_alpha);
  CHECK(flat.info.bit_depth == 8);
  REQUIRE(flat.samples.size() == flat.info.RowBytes() * flat.info.height);
  const size_t pixels = size_t{picture.info.width} * picture.info.height;
  for (size_t i = 0; i < pixels; ++i) {
    const double alpha = SampleAt(picture, i * (channels + 1) + channels);
    for (size_t c = 0; c < flat.info.channels; ++c) {
      const double colour = SampleAt(picture, i * (channels + 1) + (channels == 3 ? c : 0));
      const double got = flat.samples[i * flat.info.channels + c];
      REQUIRE(std::abs(got - Blended(colour, top, alpha, under[c])) <= 0.5 + 1e-9);
    }
  }
}

TEST_CASE("unseen: blending over a background, of every form") {
  std::mt19937 random(TestSeed() + 962);
  const Rgb8 gray{90, 90, 90}, colour{10, 200, 255};
  for (const uint32_t channels : {1U, 3U}) {
    for (const uint32_t depth : {1U, 2U, 4U, 8U, 16U}) {
      if (channels == 3 && depth < 8) continue;
      const Picture picture = RandomPicture(MakeInfo(40, 30, channels, true, depth), &random);
      for (const Rgb8& background : {gray, colour, Rgb8{}}) {
        const Picture flat = Flatten(picture, background);
        CheckBlended(picture, background, flat);
        const bool coloured = background.red != background.green;
        CHECK(flat.info.channels == (coloured ? 3 : channels));
      }
    }
  }
  const Picture plain = RandomPicture(MakeInfo(4, 3, 3, false, 16), &random);
  CHECK(SamePixels(Flatten(plain, gray), plain));
}

TEST_CASE("unseen: a decoder blends what it would have given") {
  const Model model = LoadModel(TinyModelFile());
  for (const uint32_t channels : {1U, 3U}) {
    for (const uint32_t depth : {2U, 8U, 16U}) {
      if (channels == 3 && depth < 8) continue;
      const Picture picture = SmoothPicture(MakeInfo(40, 50, channels, true, depth), depth);
      const auto stream = MustEncode(model, picture);
      const Picture kept = MustDecode(model, stream);
      DecodeOptions options;
      options.alpha = AlphaOutput::kBlend;
      options.background = {10, 200, 255};
      Report report;
      const Picture blended = MustDecode(model, stream, options, &report);
      CHECK(SamePixels(blended, Flatten(kept, options.background)));
      CHECK(blended.info.channels == 3);

      options.alpha = AlphaOutput::kDrop;
      const Picture dropped = MustDecode(model, stream, options);
      CHECK_FALSE(dropped.info.has_alpha);
      CHECK(dropped.info.channels == channels);
      CHECK(dropped.info.bit_depth == std::min(depth, 8U));
      const uint32_t unit = depth == 16 ? 257 : 1;
      for (size_t i = 0; i < 40 * 50; ++i) {
        for (size_t c = 0; c < channels; ++c) {
          REQUIRE(SampleAt(dropped, i * channels + c) * unit ==
                  SampleAt(kept, i * (channels + 1) + c));
        }
      }
      options.limits.max_memory = report.planned_bytes - 1;
      options.alpha = AlphaOutput::kBlend;
      CHECK_FALSE(Decode(model, stream.data(), stream.size(), options).ok());
      options.limits.max_memory = report.planned_bytes;
      CHECK(Decode(model, stream.data(), stream.size(), options).ok());
    }
  }
  // Where there is no alpha, the options do not matter.
  const auto plain = MustEncode(model, SmoothPicture(MakeInfo(9, 9, 3, false, 16), 1));
  DecodeOptions options;
  options.alpha = AlphaOutput::kBlend;
  CHECK(SamePixels(MustDecode(model, plain, options), MustDecode(model, plain)));
}

}  // namespace
}  // namespace glint
