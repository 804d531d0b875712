// Sections of the detail layer by themselves: what the encoder makes of a base is what the decoder
// makes of it; errors keep their limits; damaged payloads end in an error or a picture.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "codec/detail/drawn.h"
#include "codec/detail/section_decoder.h"
#include "codec/detail/section_encoder.h"
#include "kernels/targets.h"
#include "tests/draws.h"
#include "tests/seed.h"

namespace glint::detail {
namespace {

using testing::Draws;

struct Shape {
  size_t width = 0, height = 0, channels = 3;
  int top = 255;
  size_t RowBytes() const { return width * channels; }
  size_t Bytes() const { return RowBytes() * height; }
};

using Samples = std::vector<uint8_t>;

// Of kinds that blocks of every sort come from: noise, letters, a slope, gray of three channels.
Samples DrawSource(const Shape& shape, Draws* draws) {
  Samples samples(shape.Bytes());
  const int kind = draws->Whole(0, 4);
  const uint32_t seed = draws->Seed();
  Draws noise({seed});
  const auto random = [&] { return noise.Seed(); };
  const auto top = static_cast<uint32_t>(shape.top);
  for (size_t y = 0; y < shape.height; ++y) {
    for (size_t x = 0; x < shape.width; ++x) {
      const auto letter = static_cast<uint32_t>((x / 6 * 7919 + y / 8 * 104729 + seed) >> 3);
      for (size_t c = 0; c < shape.channels; ++c) {
        uint32_t value = 0;
        switch (kind) {
          case 0:
            value = random();
            break;
          case 1:
            value = (letter >> (x % 6 + y % 8)) % 2 * static_cast<uint32_t>(60 + 50 * c);
            break;
          case 2:
            value = static_cast<uint32_t>(x + 2 * y + 9 * c) / 3 + random() % 6;
            break;
          case 3:  // gray, here and there with colour
            value = static_cast<uint32_t>(x * y + (y / 64 % 2 == 0 ? 0 : c));
            break;
          default:
            value = y < shape.height / 2 ? random() : letter % 3 * 80;
        }
        samples[(y * shape.width + x) * shape.channels + c] =
            static_cast<uint8_t>(value % (top + 1));
      }
    }
  }
  return samples;
}

// What a model could have made of it.
Samples DrawBase(const Shape& shape, const Samples& source, Draws* draws) {
  Samples base(source.size());
  const auto random = [&] { return draws->Seed(); };
  const int spread = draws->Percent(20) ? 0 : draws->Percent(50) ? 3 : 40;
  for (size_t i = 0; i < base.size(); ++i) {
    const int noise =
        spread == 0 ? 0
                    : static_cast<int>(random() % static_cast<uint32_t>(2 * spread + 1)) - spread;
    base[i] = static_cast<uint8_t>(std::clamp(source[i] + noise, 0, shape.top));
  }
  return base;
}

template <typename Row>
void ForBlockRows(const Shape& shape, Samples* samples, const Row& row) {
  for (size_t y = 0; y < shape.height; y += kBlock) {
    const size_t height = std::min(kBlock, shape.height - y);
    row(y, BlockRow{samples->data() + y * shape.RowBytes(), shape.RowBytes(), height});
  }
}

// Leaves in `picture`, the base, what decoders make.
std::vector<uint8_t> Encode(const Shape& shape, const Samples& source,
                            const EncoderSettings& settings, Samples* picture) {
  SectionEncoder encoder(shape.width, shape.channels, shape.top, settings);
  encoder.Begin();
  ForBlockRows(shape, picture, [&](size_t y, const BlockRow& row) {
    encoder.EncodeRow(source.data() + y * shape.RowBytes(), shape.RowBytes(), row);
  });
  std::vector<uint8_t> payload;
  encoder.Finish(&payload);
  return payload;
}

Status Decode(const Shape& shape, const std::vector<uint8_t>& payload, Samples* picture) {
  SectionDecoder decoder(shape.width, shape.channels, shape.top);
  Status status = decoder.Begin(payload);
  ForBlockRows(shape, picture, [&](size_t, const BlockRow& row) {
    if (status.ok()) status = decoder.DecodeRow(row);
  });
  return status.ok() ? decoder.Finish() : status;
}

int MostDifference(const Samples& a, const Samples& b) {
  int most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

Shape DrawShape(Draws* draws) {
  Shape shape;
  shape.width =
      static_cast<size_t>(draws->Percent(30) ? draws->Whole(1, 9) : draws->Whole(10, 200));
  shape.height =
      static_cast<size_t>(draws->Percent(30) ? draws->Whole(1, 9) : draws->Whole(10, 200));
  shape.channels = draws->Percent(30) ? 1 : 3;
  if (shape.channels == 1) shape.top = draws->Of({1, 3, 15, 255});
  return shape;
}

EncoderSettings DrawSettings(Draws* draws) {
  EncoderSettings settings;
  settings.lambda = std::pow(10.0, draws->Real(-2, 3));
  settings.exact_base = draws->Percent(50);
  settings.every_block = draws->Percent(30);
  if (draws->Percent(30)) settings.max_error = draws->Percent(50) ? 0 : draws->Whole(1, 127);
  return settings;
}

}  // namespace

TEST_CASE("detail sections: decoders make what the encoder says, on every target") {
  const std::vector<std::string> targets = kernels::SupportedTargets();
  for (uint32_t i = 0; i < 150; ++i) {
    Draws draws({TestSeed(), i});
    const Shape shape = DrawShape(&draws);
    const EncoderSettings settings = DrawSettings(&draws);
    const Samples source = DrawSource(shape, &draws);
    const Samples base = DrawBase(shape, source, &draws);
    CAPTURE(i);
    kernels::SetTarget(draws.Of(targets));
    Samples made = base;
    const std::vector<uint8_t> payload = Encode(shape, source, settings, &made);
    if (settings.max_error >= 0) CHECK(MostDifference(source, made) <= settings.max_error);
    kernels::SetTarget(draws.Of(targets));
    Samples decoded = base;
    const Status status = Decode(shape, payload, &decoded);
    REQUIRE_MESSAGE(status.ok(), status.message());
    CHECK(decoded == made);
  }
  kernels::SetTarget("");
}

TEST_CASE("detail sections: samples never leave 0..top") {
  for (const int top : {1, 3, 15, 255}) {
    for (const int error : {0, 1, top / 2, 127}) {
      for (const uint8_t value : {uint8_t{0}, static_cast<uint8_t>(top)}) {
        const Shape shape{20, 9, 1, top};
        const Samples source(shape.Bytes(), value);
        EncoderSettings settings;
        settings.max_error = error;
        Samples made(shape.Bytes(), 0);
        const std::vector<uint8_t> payload = Encode(shape, source, settings, &made);
        CHECK(*std::max_element(made.begin(), made.end()) <= top);
        CHECK(MostDifference(source, made) <= error);
      }
    }
  }
}

TEST_CASE("detail sections: pixels look at no base, unless it is exact") {
  Draws draws({TestSeed()});
  const Shape shape{150, 140, 3, 255};
  const Samples source = DrawSource(shape, &draws);
  EncoderSettings settings;
  settings.max_error = 0;
  Samples made = DrawBase(shape, source, &draws);
  const std::vector<uint8_t> payload = Encode(shape, source, settings, &made);
  Samples other = DrawBase(shape, source, &draws);
  const Status status = Decode(shape, payload, &other);
  REQUIRE_MESSAGE(status.ok(), status.message());
  CHECK(other == source);
}

TEST_CASE("detail sections: a base that is a level off gives a picture that is near") {
  // As on another machine with a model in float.
  Draws draws({TestSeed()});
  for (int i = 0; i < 20; ++i) {
    const Shape shape{static_cast<size_t>(draws.Whole(1, 150)), 100, 3, 255};
    const Samples source = DrawSource(shape, &draws);
    EncoderSettings settings = DrawSettings(&draws);
    settings.exact_base = false;
    const Samples base = DrawBase(shape, source, &draws);
    Samples made = base, near = base;
    for (size_t k = 0; k < near.size(); k += 5) {
      near[k] = static_cast<uint8_t>(near[k] == 255 ? 254 : near[k] + 1);
    }
    const std::vector<uint8_t> payload = Encode(shape, source, settings, &made);
    const Status status = Decode(shape, payload, &near);
    REQUIRE_MESSAGE(status.ok(), status.message());
    CHECK(MostDifference(near, made) <= 1);
  }
}

TEST_CASE("detail sections: a payload is used to its end, and no damage gives more than an error") {
  Draws draws({TestSeed()});
  for (int i = 0; i < 6; ++i) {
    const Shape shape{70, 66, i % 2 == 0 ? size_t{3} : size_t{1}, 255};
    const Samples source = DrawSource(shape, &draws);
    const Samples base = DrawBase(shape, source, &draws);
    EncoderSettings settings;
    settings.lambda = 5;
    settings.exact_base = i % 3 == 0;
    settings.max_error = i % 3 == 1 ? 2 : -1;
    Samples made = base;
    const std::vector<uint8_t> payload = Encode(shape, source, settings, &made);
    for (const size_t more : {1u, 8u}) {
      std::vector<uint8_t> longer = payload;
      longer.insert(longer.end(), more, 0);
      Samples picture = base;
      CHECK_FALSE(Decode(shape, longer, &picture).ok());
    }
    for (size_t size = 0; size < payload.size(); size += 1 + payload.size() / 50) {
      Samples picture = base;
      const std::vector<uint8_t> cut(payload.begin(), payload.begin() + static_cast<int64_t>(size));
      CHECK_FALSE(Decode(shape, cut, &picture).ok());
    }
    for (int k = 0; k < 200; ++k) {
      std::vector<uint8_t> damaged = payload;
      damaged[static_cast<size_t>(draws.Whole(0, static_cast<int>(payload.size()) - 1))] ^=
          static_cast<uint8_t>(1 << draws.Whole(0, 7));
      Samples picture = base;
      const Status status = Decode(shape, damaged, &picture);
      CHECK((status.ok() || status.code() == StatusCode::kBadStream ||
             status.code() == StatusCode::kUnsupported));
    }
  }
}

TEST_CASE("detail sections: a better weight of errors takes more bits and leaves less") {
  Draws draws({TestSeed()});
  const Shape shape{192, 192, 3, 255};
  for (int i = 0; i < 4; ++i) {
    const Samples source = DrawSource(shape, &draws);
    const Samples base = DrawBase(shape, source, &draws);
    double last_error = 1e300;
    for (const double lambda : {1000.0, 100.0, 10.0, 1.0, 0.1}) {
      EncoderSettings settings;
      settings.lambda = lambda;
      Samples made = base;
      Encode(shape, source, settings, &made);
      double error = 0;
      for (size_t k = 0; k < made.size(); ++k) {
        error += static_cast<double>((made[k] - source[k]) * (made[k] - source[k]));
      }
      CHECK(error <= last_error * 1.02 + 1);
      last_error = error;
    }
  }
}

TEST_CASE("detail: drawn blocks are told from photographs") {
  Draws draws({TestSeed()});
  const auto random = [&] { return draws.Seed(); };
  Samples text(64 * 64 * 3, 255), noise(text.size()), slope(text.size());
  for (size_t y = 0; y < 64; ++y) {
    for (size_t x = 0; x < 64; ++x) {
      for (size_t c = 0; c < 3; ++c) {
        const size_t i = (y * 64 + x) * 3 + c;
        if (x % 8 < 2 || y % 12 == 3) text[i] = 20;
        noise[i] = static_cast<uint8_t>(random());
        slope[i] = static_cast<uint8_t>((x + y) / 2 + 40);
      }
    }
  }
  const auto drawn = [](const Samples& s) { return LooksDrawn(s.data(), 64 * 3, 64, 64, 3); };
  const auto edges = [](const Samples& s) { return HasEdges(s.data(), 64 * 3, 64, 64, 3, 255); };
  CHECK((drawn(text) && edges(text)));
  CHECK_FALSE(drawn(noise));
  CHECK((drawn(slope) && !edges(slope)));
  // No pixel is like its neighbours, but there are few colours.
  Samples dither(text.size());
  for (uint8_t& sample : dither) sample = random() % 4 == 0 ? 255 : 0;
  CHECK((drawn(dither) && edges(dither)));
  const auto edges_of = [](const Samples& s, int top) {
    return HasEdges(s.data(), 64, 64, 64, 1, top);
  };
  Samples bits(64 * 64);
  for (uint8_t& sample : bits) sample = random() % 2;
  CHECK(LooksDrawn(bits.data(), 64, 64, 64, 1));
  CHECK((edges_of(bits, 1) && !edges_of(bits, 255)));
  // As small as blocks come.
  CHECK(LooksDrawn(noise.data(), 64 * 3, 1, 1, 3));
  CHECK_FALSE(HasEdges(text.data() + 3 * 3, 64 * 3, 1, 1, 3, 255));
}

}  // namespace glint::detail
