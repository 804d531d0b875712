// What the models that come with Glint do. The quantised ones against the one in FP32: on the
// pictures that every calibration looks at and on others, no picture loses much, more bits make
// none worse, and coding again and again ends as it does in FP32. By themselves: flat colours hold,
// also beside white and black, and photographs, charts and slopes become better with the rate.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/thread_pool.h"
#include "glint/image_io.hpp"
#include "glint/quantise.hpp"
#include "tests/codec_helpers.h"

namespace glint::testing {
namespace {

using Colour = std::array<int, 3>;

// What was quantised, and out of what.
struct Quantised {
  const char* name;
  const char* from;
};
constexpr Quantised kQuantised[] = {{"light-int8", "light-fp32"},
                                    {"light-int16", "light-fp32"},
                                    {"light-int8-entropy", "light-fp32"},
                                    {"light-fp16", "light-fp32"},
                                    {"light-msssim-int8", "light-msssim-fp32"}};
// What was trained, in FP32 and in the mix, and what it does by itself. MS-SSIM hardly sees a flat
// colour that is a little off.
struct OfItself {
  const char* name;
  int most_off;        // levels, of 99 % of the samples of a flat colour
  double least_psnr;   // of a flat colour
  double most_beside;  // squared error of what is beside white and black
};
constexpr OfItself kOfThemselves[] = {{"light-fp32", 3, 48, 0.8},
                                      {"light-int8", 3, 48, 0.8},
                                      {"light-msssim-fp32", 8, 42.5, 1.4},
                                      {"light-msssim-int8", 8, 42.5, 1.4}};
constexpr double kRates[] = {5e-5, 2e-4, 4e-4, 1.2e-3};

Model LoadShipped(const std::string& name) {
  const auto model =
      Model::Load(std::string(GLINT_SOURCE_DIR) + "/weights/" + name + ".safetensors");
  REQUIRE_MESSAGE(model.ok(), model.error().message);
  return *model;
}

// ---- pictures that no calibration saw -----------------------------------------------------------

template <typename ColourAt>
Picture Paint(int width, int height, const ColourAt& colour_at) {
  Picture picture;
  picture.info = {static_cast<uint32_t>(width), static_cast<uint32_t>(height), 3, false, 8};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int v : colour_at(x, y)) {
        picture.samples.push_back(static_cast<uint8_t>(std::clamp(v, 0, 255)));
      }
    }
  }
  return picture;
}

Colour Mix(const Colour& a, const Colour& b, double share) {
  Colour mixed{};
  for (size_t c = 0; c < 3; ++c) {
    mixed[c] = static_cast<int>(std::lround(a[c] + (b[c] - a[c]) * share));
  }
  return mixed;
}

constexpr Colour kBlack = {0, 0, 0}, kWhite = {255, 255, 255};

std::vector<NamedPicture> OtherFlats() {
  std::vector<NamedPicture> pictures;
  const std::pair<std::array<int, 2>, Colour> flats[] = {
      {{64, 64}, {0, 255, 0}},    {{64, 64}, {255, 0, 255}},  {{96, 64}, {0, 255, 0}},
      {{48, 80}, {255, 0, 255}},  {{100, 70}, {0, 255, 64}},  {{50, 50}, {64, 255, 0}},
      {{64, 96}, {200, 0, 255}},  {{72, 72}, {255, 0, 200}},  {{80, 80}, {255, 60, 0}},
      {{90, 60}, {0, 180, 255}},  {{60, 90}, {255, 220, 0}},  {{128, 32}, {0, 255, 200}},
      {{40, 120}, {30, 230, 30}}, {{80, 48}, {230, 20, 230}}, {{96, 96}, {20, 20, 220}},
      {{70, 70}, {190, 255, 60}}, {{64, 48}, {255, 90, 255}}, {{56, 56}, {90, 255, 90}}};
  for (const auto& flat : flats) {
    const auto& size = flat.first;
    const auto& colour = flat.second;
    const std::string name = "flat " + std::to_string(colour[0]) + "," + std::to_string(colour[1]) +
                             "," + std::to_string(colour[2]) + " " + std::to_string(size[0]) + "x" +
                             std::to_string(size[1]);
    pictures.push_back({name, Paint(size[0], size[1], [&](int, int) { return colour; })});
  }
  return pictures;
}

// The glyphs are not those of the calibration: strokes along the sides and diagonals of a box.
bool OtherInk(int x, int y, int scale) {
  const int column = x / scale % 7, row = y / scale % 10;
  if (column > 5 || row > 7) return false;
  const int letter = (x / scale / 7 * 5 + y / scale / 10 * 3) % 8;
  const bool strokes[] = {column == 0, column == 5,       row == 0,          row == 7,
                          row == 3,    row == column + 1, row + column == 6, column == 2};
  return strokes[letter] || strokes[(letter + 3) % 8] || strokes[(letter * 5 + 2) % 8];
}

std::vector<NamedPicture> OtherPictures() {
  std::vector<NamedPicture> pictures = OtherFlats();
  const auto add = [&](const char* name, int width, int height, const auto& colour_at) {
    pictures.push_back({name, Paint(width, height, colour_at)});
  };
  const auto text = [&](const char* name, int scale, const Colour& ink, const Colour& paper) {
    add(name, 120, 80, [&](int x, int y) { return OtherInk(x, y, scale) ? ink : paper; });
  };
  text("text black on white", 1, kBlack, kWhite);
  text("text large white on black", 3, kWhite, kBlack);
  text("text green on magenta", 2, {0, 255, 0}, {255, 0, 255});
  text("text yellow on blue", 1, {255, 255, 0}, {0, 0, 255});
  add("columns of 5", 80, 60, [](int x, int) { return x / 5 % 2 != 0 ? kWhite : kBlack; });
  add("rows of 7", 60, 84, [](int, int y) { return y / 7 % 2 != 0 ? kWhite : kBlack; });
  add("rows of 2", 64, 64, [](int, int y) { return y / 2 % 2 != 0 ? kWhite : kBlack; });
  add("rows of 3, red and cyan", 64, 64, [](int, int y) {
    return y / 3 % 2 != 0 ? Colour{255, 0, 0} : Colour{0, 255, 255};
  });
  add("rows of 2, yellow and blue", 72, 56, [](int, int y) {
    return y / 2 % 2 != 0 ? Colour{255, 255, 0} : Colour{0, 0, 255};
  });
  add("checks of 11 by 2", 64, 64, [](int x, int y) {
    return (x / 11 + y / 2) % 2 != 0 ? kWhite : Colour{255, 0, 0};
  });
  add("checks of 3 by 9", 64, 64,
      [](int x, int y) { return (x / 3 + y / 9) % 2 != 0 ? kWhite : kBlack; });
  add("diagonals", 80, 80, [](int x, int y) { return (x + y) / 6 % 2 != 0 ? kWhite : kBlack; });
  add("green and magenta columns", 80, 80, [](int x, int) {
    return x / 10 % 2 != 0 ? Colour{0, 255, 0} : Colour{255, 0, 255};
  });
  add("red and cyan checks", 90, 90, [](int x, int y) {
    return (x / 9 + y / 9) % 2 != 0 ? Colour{255, 0, 0} : Colour{0, 255, 255};
  });
  add("green screen", 128, 128, [](int x, int y) {
    const double d = std::hypot(x - 64, (y - 84) * 0.6);
    if (d > 34) return Colour{0, 255 - (x + y) / 32, 0};
    return Mix({230, 180, 150}, {70, 40, 30}, d / 34);
  });
  add("sphere of light", 96, 80, [](int x, int y) {
    const double d = std::min(1.0, std::hypot(x - 48, y - 40) / 52);
    return Mix({255, 255, 0}, {128, 0, 255}, d);
  });
  add("slope green to magenta", 110, 50, [](int x, int) {
    return Mix({0, 255, 0}, {255, 0, 255}, x / 109.0);
  });
  add("slope blue to yellow", 50, 110, [](int, int y) {
    return Mix({0, 0, 255}, {255, 255, 0}, y / 109.0);
  });
  add("saturated waves", 112, 80, [](int x, int y) {
    const double u = x / 17.0, v = y / 13.0;
    return Colour{static_cast<int>(128 + 200 * std::sin(u + v)),
                  static_cast<int>(128 + 200 * std::sin(1.3 * v - u)),
                  static_cast<int>(128 + 200 * std::cos(0.7 * u) * std::sin(v))};
  });
  return pictures;
}

struct Outcome {
  double squared_error = std::nan("");  // mean over the samples; nothing passes when coding fails
  std::array<double, 3> mean = {};
};

Outcome Code(const Model& model, const Picture& picture, double lrd) {
  EncodeOptions encode;
  encode.detail = Detail::kOff;  // of the model alone
  encode.lrd = lrd;
  const auto stream = Encode(model, picture, encode);
  Outcome outcome;
  if (!stream) return outcome;
  const auto decoded = Decode(model, stream->data(), stream->size());
  if (!decoded) return outcome;
  outcome.squared_error = 0;
  const double samples = static_cast<double>(picture.samples.size());
  for (size_t i = 0; i < picture.samples.size(); ++i) {
    const double v = static_cast<double>(decoded->samples[i]);
    const double d = v - static_cast<double>(picture.samples[i]);
    outcome.squared_error += d * d / samples;
    outcome.mean[i % 3] += 3.0 * v / samples;
  }
  return outcome;
}

// Above an error of 2 levels, which is no loss (docs/QUANTISATION.md).
double Decibels(const Outcome& outcome) { return 10.0 * std::log10(outcome.squared_error + 4.0); }

// Means over rates close to one: flat pictures have few symbols, and which way one of them falls
// makes 2 dB even in FP32.
struct Nearby {
  double decibels = 0, squared_error = 0;
  std::array<double, 3> mean = {};
};

Nearby CodeNearby(const Model& model, const Picture& picture, double lrd) {
  constexpr double kAround[] = {0.84, 0.88, 0.92, 0.96, 1.0, 1.04, 1.08, 1.12, 1.16};
  constexpr double kShare = 1.0 / static_cast<double>(std::size(kAround));
  Nearby nearby;
  for (const double ratio : kAround) {
    const Outcome outcome = Code(model, picture, lrd * ratio);
    nearby.decibels += kShare * Decibels(outcome);
    nearby.squared_error += kShare * outcome.squared_error;
    for (size_t c = 0; c < 3; ++c) nearby.mean[c] += kShare * outcome.mean[c];
  }
  return nearby;
}

// By picture, by rate.
std::vector<std::vector<Nearby>> CodeAll(const Model& model,
                                         const std::vector<NamedPicture>& pictures) {
  constexpr size_t kCount = std::size(kRates);
  std::vector<std::vector<Nearby>> all(pictures.size(), std::vector<Nearby>(kCount));
  ThreadPool pool(0);
  ParallelFor(pool.runner(), pictures.size() * kCount, [&](size_t i, size_t) {
    all[i / kCount][i % kCount] =
        CodeNearby(model, pictures[i / kCount].picture, kRates[i % kCount]);
  });
  return all;
}

void CheckAgainstFloat(const std::vector<NamedPicture>& pictures) {
  std::map<std::string, std::vector<std::vector<Nearby>>> originals;
  for (const Quantised& model : kQuantised) {
    CAPTURE(model.name);
    auto& in_float = originals[model.from];
    if (in_float.empty()) in_float = CodeAll(LoadShipped(model.from), pictures);
    const auto quantised = CodeAll(LoadShipped(model.name), pictures);
    for (size_t i = 0; i < pictures.size(); ++i) {
      CAPTURE(pictures[i].name);
      for (size_t k = 0; k < std::size(kRates); ++k) {
        CAPTURE(kRates[k]);
        const Nearby &before = in_float[i][k], &after = quantised[i][k];
        CHECK(after.decibels - before.decibels <= kMostDecibels);
        for (size_t c = 0; c < 3; ++c) {
          CHECK(std::abs(after.mean[c] - before.mean[c]) <= kMostColour);
        }
        // Decibels of error: where more bits make FP32 better, they make this no worse.
        if (k == 0 || in_float[i][k - 1].decibels - before.decibels < 0.2) continue;
        CHECK(after.decibels - quantised[i][k - 1].decibels <= 0.2);
      }
    }
  }
}

TEST_CASE("shipped models: no picture that every calibration looks at loses much") {
  CheckAgainstFloat(BuiltInPictures());
}

TEST_CASE("shipped models: nor does any of others like them") {
  CheckAgainstFloat(OtherPictures());
}

TEST_CASE("shipped models: a green screen keeps its green") {
  const Picture green = Paint(64, 64, [](int, int) { return Colour{0, 255, 0}; });
  for (const Quantised& model : kQuantised) {
    CAPTURE(model.name);
    const Outcome outcome = Code(LoadShipped(model.name), green, 4e-4);
    const Outcome in_float = Code(LoadShipped(model.from), green, 4e-4);
    for (size_t c = 0; c < 3; ++c) {
      CHECK(std::abs(outcome.mean[c] - in_float.mean[c]) <= kMostColour);
    }
  }
}

// ---- flat colours, and rates -------------------------------------------------------------------

// Three squares of each picture that came with Glint.
std::vector<Picture> Squares() {
  constexpr uint32_t kSide = 160;
  std::vector<Picture> squares;
  for (const char* name : {"bakery", "lake", "pebbles"}) {
    const auto read =
        ReadPicture(std::string(GLINT_SOURCE_DIR) + "/tools/samples/" + name + ".png");
    REQUIRE_MESSAGE(read.ok(), read.error().message);
    const Picture whole = ToRgb8(*read);
    for (size_t k = 0; k < 3; ++k) {
      const size_t left = (whole.info.width - kSide) * k / 2;
      const size_t top = (whole.info.height - kSide) * k / 2;
      squares.push_back(Paint(kSide, kSide, [&](int x, int y) {
        const uint8_t* p =
            whole.samples.data() +
            ((top + static_cast<size_t>(y)) * whole.info.width + left + static_cast<size_t>(x)) * 3;
        return Colour{p[0], p[1], p[2]};
      }));
    }
  }
  return squares;
}

std::vector<NamedPicture> PlainColours() {
  std::vector<NamedPicture> pictures;
  const std::pair<const char*, Colour> colours[] = {
      {"white", kWhite},       {"black", kBlack},          {"grey", {128, 128, 128}},
      {"red", {255, 0, 0}},    {"green", {0, 255, 0}},     {"blue", {0, 0, 255}},
      {"cyan", {0, 255, 255}}, {"magenta", {255, 0, 255}}, {"yellow", {255, 255, 0}}};
  for (const auto& named : colours) {
    const Colour colour = named.second;
    pictures.push_back({named.first, Paint(192, 128, [&](int, int) { return colour; })});
  }
  return pictures;
}

// In the corners of a picture, where a convolution sees zeros on two sides, a few pixels are
// further off.
TEST_CASE("shipped models: flat colours hold") {
  for (const OfItself& shipped : kOfThemselves) {
    CAPTURE(shipped.name);
    const Model model = LoadShipped(shipped.name);
    for (const NamedPicture& flat : PlainColours()) {
      CAPTURE(flat.name);
      const Picture decoded = MustDecode(model, EncodeModelAlone(model, flat.picture));
      std::vector<int> off;
      for (size_t i = 0; i < decoded.samples.size(); ++i) {
        off.push_back(std::abs(decoded.samples[i] - flat.picture.samples[i]));
      }
      std::sort(off.begin(), off.end());
      CHECK(off[off.size() / 2] <= 1);
      CHECK(off[off.size() * 99 / 100] <= shipped.most_off);
      CHECK(PsnrRgb(decoded, flat.picture) >= shipped.least_psnr);
    }
  }
}

Picture Slope(const Colour& from, const Colour& to) {
  return Paint(192, 128, [&](int x, int y) { return Mix(from, to, (x + y / 4.0) / 223.0); });
}

// Paper and night: flat, and as slopes that end in white and black.
std::vector<NamedPicture> BesideWhiteAndBlack() {
  std::vector<NamedPicture> pictures = {
      {"paper", Slope({250, 245, 235}, {250, 245, 235})},
      {"slope to white", Slope({235, 235, 235}, kWhite)},
      {"slope from black", Slope(kBlack, {20, 20, 20})},
  };
  for (const int v : {1, 4, 16, 240, 248, 252}) {
    pictures.push_back({"grey " + std::to_string(v), Slope({v, v, v}, {v, v, v})});
  }
  return pictures;
}

// Training that knows the corners of the RGB cube and not what is beside them draws it towards
// them, the more the higher the rate: weights that did had squared errors up to 2 here.
TEST_CASE("shipped models: what is beside white and black holds, also at high rates") {
  const std::vector<NamedPicture> pictures = BesideWhiteAndBlack();
  for (const OfItself& shipped : kOfThemselves) {
    CAPTURE(shipped.name);
    const Model model = LoadShipped(shipped.name);
    for (const NamedPicture& beside : pictures) {
      CAPTURE(beside.name);
      for (const double lrd : {4e-4, 9e-4, 1.6e-3}) {
        CAPTURE(lrd);
        CHECK(CodeNearby(model, beside.picture, lrd).squared_error <= shipped.most_beside);
      }
    }
  }
}

// Bars on axes with a grid, as charts have them.
Picture BarChart() {
  return Paint(192, 128, [](int x, int y) {
    constexpr int kHeights[] = {40, 70, 55, 95, 80};
    constexpr Colour kBars[] = {{31, 119, 180}, {255, 127, 14}, {44, 160, 44}, {214, 39, 40}};
    if (x == 16 || y == 112) return kBlack;
    const int bar = (x - 24) / 32;
    if (x >= 24 && bar < 5 && (x - 24) % 32 < 22 && y < 112 && y >= 112 - kHeights[bar]) {
      return kBars[bar % 4];
    }
    return x > 16 && y < 112 && y % 20 == 12 ? Colour{221, 221, 221} : kWhite;
  });
}

struct Ladder {
  NamedPicture picture;
  double most;  // decibels that a higher rate may give less
};

std::vector<Ladder> Ladders() {
  std::vector<Ladder> ladders;
  for (const Picture& square : Squares()) ladders.push_back({{"photograph", square}, 0.05});
  ladders.push_back({{"chart", BarChart()}, 0.05});
  ladders.push_back({{"slope of grey", Slope(kBlack, kWhite)}, 0.5});
  ladders.push_back({{"slope of colour", Slope({20, 60, 180}, {240, 200, 90})}, 0.5});
  ladders.push_back({{"sky", Slope({70, 120, 200}, {210, 230, 250})}, 0.5});
  return ladders;
}

TEST_CASE("shipped models: more bits make no picture worse") {
  constexpr double kLadder[] = {1.5e-5, 3.3e-5, 8e-5, 1.7e-4, 4e-4, 9e-4, 1.9e-3};
  const std::vector<Ladder> ladders = Ladders();
  for (const OfItself& shipped : kOfThemselves) {
    CAPTURE(shipped.name);
    const Model model = LoadShipped(shipped.name);
    for (const Ladder& ladder : ladders) {
      CAPTURE(ladder.picture.name);
      double before = 1e9;
      for (const double lrd : kLadder) {
        CAPTURE(lrd);
        const double now =
            10.0 * std::log10(Code(model, ladder.picture.picture, lrd).squared_error);
        CHECK(now <= before + ladder.most);
        before = now;
      }
    }
  }
}

// Blocks that the model does not see are coded for what they are, whatever the model was tuned for.
TEST_CASE("shipped models: text is exact by default, and takes few bytes") {
  const Picture text = Paint(192, 128, [](int x, int y) {
    return OtherInk(x, y, 1) ? Colour{220, 220, 200} : Colour{20, 24, 30};
  });
  for (const OfItself& shipped : kOfThemselves) {
    CAPTURE(shipped.name);
    const Model model = LoadShipped(shipped.name);
    for (const double lrd : {3e-5, 4e-4}) {
      CAPTURE(lrd);
      EncodeOptions options;
      options.lrd = lrd;
      const std::vector<uint8_t> stream = MustEncode(model, text, options);
      CHECK(MustDecode(model, stream).samples == text.samples);
      CHECK(stream.size() < 1500);
    }
  }
}

// ---- coding what was coded ----------------------------------------------------------------------

struct Generations {
  double fall = 0;                   // decibels between the first and the last
  std::array<double, 3> shift = {};  // levels, of the mean of a channel of the last
};

Generations CodeAgain(const Model& model, const Picture& original) {
  constexpr int kCount = 20;
  const double samples = static_cast<double>(original.samples.size());
  Generations result;
  Picture now = original;
  double first = PsnrRgb(original, original);
  for (int i = 0; i < kCount; ++i) {
    Picture next = MustDecode(model, EncodeModelAlone(model, now));
    if (next.samples == now.samples) break;  // it has settled
    now = std::move(next);
    if (i == 0) first = PsnrRgb(original, now);
  }
  result.fall = first - PsnrRgb(original, now);
  for (size_t k = 0; k < now.samples.size(); ++k) {
    const double d = static_cast<double>(now.samples[k]) - static_cast<double>(original.samples[k]);
    result.shift[k % 3] += 3.0 * d / samples;
  }
  return result;
}

// How far one picture falls differs by more than 1 dB from rate to rate even in FP32: so the means
// over the squares are compared.
TEST_CASE("shipped models: twenty generations end as they do in FP32") {
  const std::vector<Picture> squares = Squares();
  const auto mean = [&](const std::string& name) {
    const Model model = LoadShipped(name);
    Generations sum;
    const double share = 1.0 / static_cast<double>(squares.size());
    for (const Picture& square : squares) {
      const Generations one = CodeAgain(model, square);
      sum.fall += share * one.fall;
      for (size_t c = 0; c < 3; ++c) sum.shift[c] += share * one.shift[c];
    }
    return sum;
  };
  std::map<std::string, Generations> originals;
  for (const Quantised& model : kQuantised) {
    CAPTURE(model.name);
    if (originals.count(model.from) == 0) originals[model.from] = mean(model.from);
    const Generations before = originals[model.from], after = mean(model.name);
    CHECK(after.fall <= before.fall + 0.75);
    for (size_t c = 0; c < 3; ++c) CHECK(std::abs(after.shift[c] - before.shift[c]) <= 1.0);
  }
}

}  // namespace
}  // namespace glint::testing
