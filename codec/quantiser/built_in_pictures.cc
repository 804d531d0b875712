#include "codec/quantiser/built_in_pictures.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace glint::quantiser {
namespace {

constexpr int kSide = 64;  // of most pictures

struct Colour {
  int r = 0, g = 0, b = 0;
};

constexpr Colour kBlack{0, 0, 0}, kWhite{255, 255, 255}, kRed{255, 0, 0}, kGreen{0, 255, 0},
    kBlue{0, 0, 255}, kCyan{0, 255, 255}, kMagenta{255, 0, 255}, kYellow{255, 255, 0};
constexpr std::array<Colour, 8> kCorners = {kBlack, kBlue,    kGreen,  kCyan,
                                            kRed,   kMagenta, kYellow, kWhite};

constexpr uint8_t Sample(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

Colour Mix(const Colour& a, const Colour& b, int share) {  // share of b: 0..256
  const auto mix = [share](int from, int to) { return (from * (256 - share) + to * share) / 256; };
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)};
}

// A picture of colour_at(x, y).
template <typename ColourAt>
Picture Paint(int width, int height, const ColourAt& colour_at) {
  Picture picture;
  picture.info.width = static_cast<uint32_t>(width);
  picture.info.height = static_cast<uint32_t>(height);
  picture.samples.reserve(static_cast<size_t>(height) * picture.info.RowBytes());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Colour colour = colour_at(x, y);
      picture.samples.insert(picture.samples.end(),
                             {Sample(colour.r), Sample(colour.g), Sample(colour.b)});
    }
  }
  return picture;
}

// A number that looks random, of a place and a seed: 0..65535.
uint32_t Hash(int x, int y, uint32_t seed) {
  uint32_t h = seed * 0x9e3779b1u + static_cast<uint32_t>(x) * 0x85ebca6bu +
               static_cast<uint32_t>(y) * 0xc2b2ae35u;
  for (int round = 0; round < 2; ++round) {
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    h *= 0x297a2d39u;
  }
  return (h ^ (h >> 15)) >> 16;
}

int Random255(int x, int y, uint32_t seed) { return static_cast<int>(Hash(x, y, seed) >> 8); }

// Values at the corners of squares of `cell`, joined smoothly: 0..255.
int SmoothNoise(int x, int y, int cell, uint32_t seed) {
  const int cx = x / cell, cy = y / cell;
  const auto ease = [cell](int at) {  // 0..256: 3 t^2 - 2 t^3
    const int t = at * 256 / cell;
    return t * t * (768 - 2 * t) / 65536;
  };
  const int u = ease(x % cell), v = ease(y % cell);
  const auto across = [&](int row) {
    return Random255(cx, row, seed) * (256 - u) + Random255(cx + 1, row, seed) * u;
  };
  return (across(cy) * (256 - v) + across(cy + 1) * v) / 65536;
}

// Along red, yellow, green, cyan, blue, magenta and back: hue in 0..1535.
Colour HueOf(int hue) {
  constexpr std::array<Colour, 7> kWheel = {kRed, kYellow, kGreen, kCyan, kBlue, kMagenta, kRed};
  const size_t sector = static_cast<size_t>(hue / 256 % 6);
  return Mix(kWheel[sector], kWheel[sector + 1], hue % 256);
}

class Set {
 public:
  template <typename ColourAt>
  void Add(const std::string& name, int width, int height, const ColourAt& colour_at) {
    pictures_.push_back({name, Paint(width, height, colour_at)});
  }
  template <typename ColourAt>
  void Add(const std::string& name, const ColourAt& colour_at) {
    Add(name, kSide, kSide, colour_at);
  }
  std::vector<NamedPicture> Take() { return std::move(pictures_); }

 private:
  std::vector<NamedPicture> pictures_;
};

// ---- flat ---------------------------------------------------------------------------------------

void AddFlat(Set* set) {
  std::vector<Colour> colours(kCorners.begin(), kCorners.end());
  for (int hue = 128; hue < 1536; hue += 256) colours.push_back(HueOf(hue));
  for (const Colour& corner : kCorners) {
    const bool coloured = corner.r != corner.g || corner.g != corner.b;
    if (coloured) colours.push_back(Mix(corner, kBlack, 128));  // half as bright
    if (coloured) colours.push_back(Mix(corner, kWhite, 128));  // half as saturated
  }
  for (const int gray : {48, 128, 200}) colours.push_back({gray, gray, gray});
  for (const Colour& colour : colours) {
    const std::string name = "flat " + std::to_string(colour.r) + "," + std::to_string(colour.g) +
                             "," + std::to_string(colour.b);
    set->Add(name, [&](int, int) { return colour; });
  }
}

// ---- corners of the cube side by side -----------------------------------------------------------

void AddSquares(Set* set) {
  for (size_t i = 0; i < 4; ++i) {
    const Colour &a = kCorners[i], &b = kCorners[7 - i];
    set->Add("halves " + std::to_string(i),
             [&](int x, int y) { return (x < kSide / 2) == (i % 2 == 0 || y < 8) ? a : b; });
  }
  for (const int side : {32, 16, 8, 4, 2, 1}) {
    set->Add("squares of " + std::to_string(side), [&](int x, int y) {
      return kCorners[Hash(x / side, y / side, static_cast<uint32_t>(side)) % 8];
    });
  }
}

// ---- gradients ----------------------------------------------------------------------------------

void AddGradients(Set* set) {
  const auto ramp = [](int at) { return at * 255 / (kSide - 1); };
  set->Add("gradient gray", [&](int x, int y) {
    const int v = (ramp(x) + ramp(y)) / 2;
    return Colour{v, v, v};
  });
  for (const int third : {0, 255}) {
    const std::string name = "gradient " + std::to_string(third) + " ";
    set->Add(name + "red green", [&](int x, int y) { return Colour{ramp(x), ramp(y), third}; });
    set->Add(name + "green blue", [&](int x, int y) { return Colour{third, ramp(x), ramp(y)}; });
    set->Add(name + "blue red", [&](int x, int y) { return Colour{ramp(y), third, ramp(x)}; });
  }
  const auto hue = [](int x) { return HueOf(x * 24); };
  set->Add("hue to black", [&](int x, int y) { return Mix(hue(x), kBlack, y * 4); });
  set->Add("hue to white", [&](int x, int y) { return Mix(hue(x), kWhite, y * 4); });
}

// ---- edges --------------------------------------------------------------------------------------

void AddEdges(Set* set) {
  const auto ink = [](bool on) { return on ? kWhite : kBlack; };
  for (const int width : {1, 2, 3, 4, 6, 8, 16}) {
    const std::string of = std::to_string(width);
    set->Add("columns of " + of, [&](int x, int) { return ink(x / width % 2 != 0); });
    set->Add("rows of " + of, [&](int, int y) { return ink(y / width % 2 != 0); });
    set->Add("checks of " + of,
             [&](int x, int y) { return ink((x / width + y / width) % 2 != 0); });
  }
  set->Add("checks of 2 by 10", [&](int x, int y) { return ink((x / 2 + y / 10) % 2 != 0); });
  set->Add("checks of 10 by 2", [&](int x, int y) { return ink((x / 10 + y / 2) % 2 != 0); });
  // 1, 2, 3, ... pixels wide, both ways; and as thin lines.
  const auto stripe = [](int at) {
    int width = 1;
    while (at >= width) at -= width++;
    return width;
  };
  set->Add("every width", 96, 96, [&](int x, int y) {
    return ink((stripe(x) % 2 != 0) == (y < 48 || stripe(y - 48) % 2 != 0));
  });
  set->Add("lines", 96, 96, [&](int x, int y) {
    const bool upright = stripe(x) != stripe(x + 1), level = stripe(y) != stripe(y + 1);
    return ink(!(upright || level));
  });
  set->Add("rings", 96, 96, [&](int x, int y) {  // ever thinner
    const int d = (x - 48) * (x - 48) + (y - 48) * (y - 48);
    return ink(d / 192 % 2 != 0);
  });
}

// ---- noise --------------------------------------------------------------------------------------

void AddNoise(Set* set) {
  set->Add("noise gray", [](int x, int y) {
    const int v = Random255(x, y, 1);
    return Colour{v, v, v};
  });
  set->Add("noise colour", [](int x, int y) {
    return Colour{Random255(x, y, 1), Random255(x, y, 2), Random255(x, y, 3)};
  });
  set->Add("noise black white",
           [](int x, int y) { return Hash(x, y, 4) % 2 != 0 ? kWhite : kBlack; });
  for (const int cell : {4, 16}) {
    set->Add("noise smooth " + std::to_string(cell), [&](int x, int y) {
      const auto of = [&](uint32_t seed) { return 2 * SmoothNoise(x, y, cell, seed) - 128; };
      return Colour{of(5), of(6), of(7)};
    });
  }
}

// ---- text ---------------------------------------------------------------------------------------

// Letters of 5 x 7, a column a byte, the top the lowest bit.
struct Letter {
  char letter;
  std::array<uint8_t, 5> columns;
};
constexpr Letter kLetters[] = {
    {'A', {0x7e, 0x11, 0x11, 0x11, 0x7e}}, {'B', {0x7f, 0x49, 0x49, 0x49, 0x36}},
    {'E', {0x7f, 0x49, 0x49, 0x49, 0x41}}, {'G', {0x3e, 0x41, 0x49, 0x49, 0x7a}},
    {'I', {0x00, 0x41, 0x7f, 0x41, 0x00}}, {'K', {0x7f, 0x08, 0x14, 0x22, 0x41}},
    {'L', {0x7f, 0x40, 0x40, 0x40, 0x40}}, {'N', {0x7f, 0x04, 0x08, 0x10, 0x7f}},
    {'O', {0x3e, 0x41, 0x41, 0x41, 0x3e}}, {'S', {0x46, 0x49, 0x49, 0x49, 0x31}},
    {'T', {0x01, 0x01, 0x7f, 0x01, 0x01}}, {'X', {0x63, 0x14, 0x08, 0x14, 0x63}},
    {'1', {0x00, 0x42, 0x7f, 0x40, 0x00}}, {'2', {0x42, 0x61, 0x51, 0x49, 0x46}},
    {'4', {0x18, 0x14, 0x12, 0x7f, 0x10}}, {'7', {0x01, 0x71, 0x09, 0x05, 0x03}}};

// Is there ink at (x, y) of the text, whose letters take 6 x 9 squares of `scale`?
bool Ink(const std::string& text, int x, int y, int scale) {
  const int column = x / scale % 6, row = y / scale % 9;
  if (column >= 5 || row < 1 || row > 7) return false;
  const size_t place = static_cast<size_t>(x / scale / 6 + 5 * (y / scale / 9)) % text.size();
  for (const Letter& letter : kLetters) {
    if (letter.letter != text[place]) continue;
    return (letter.columns[static_cast<size_t>(column)] >> (row - 1) & 1) != 0;
  }
  return false;  // a space
}

void AddText(Set* set) {
  const std::string text = "GLINT TAKES 1724 BITS ON A LINE OX ";
  const auto add = [&](const std::string& name, const Colour& ink, const Colour& paper, int scale) {
    set->Add("text " + name, 96, kSide,
             [&](int x, int y) { return Ink(text, x, y, scale) ? ink : paper; });
  };
  add("black on white", kBlack, kWhite, 1);
  add("white on black", kWhite, kBlack, 2);
  add("red on blue", kRed, kBlue, 2);
  add("yellow on green", kYellow, {0, 160, 0}, 1);
  add("green on black", kGreen, kBlack, 1);
  add("magenta on white", kMagenta, kWhite, 3);
}

// ---- charts and screens -------------------------------------------------------------------------

void AddCharts(Set* set) {
  set->Add("chart bars", 96, kSide, [](int x, int y) {
    const int height = 8 + static_cast<int>(Hash(x / 12, 0, 11) % 52);
    if (x == 2 || y == kSide - 3) return kBlack;
    return x % 12 >= 3 && kSide - 3 - y < height && y < kSide - 3 ? HueOf(x / 12 * 192) : kWhite;
  });
  set->Add("chart lines", 96, kSide, [](int x, int y) {
    for (const uint32_t line : {21u, 22u, 23u}) {
      const int at = SmoothNoise(x, 0, 24, line) / 4, next = SmoothNoise(x + 1, 0, 24, line) / 4;
      if (y >= std::min(at, next) && y <= std::max(at, next) + 1) {
        return HueOf(static_cast<int>(line - 21) * 512);
      }
    }
    return x % 16 == 0 || y % 16 == 0 ? Colour{200, 200, 200} : kWhite;
  });
  set->Add("test bars", 96, kSide, [](int x, int y) {
    const size_t bar = static_cast<size_t>(x / 12);
    const Colour colour = kCorners[7 - bar];
    return y < 40   ? colour
           : y < 52 ? Mix(kCorners[bar], kBlack, 64)
                    : Mix(kBlack, kWhite, x * 8 / 3);
  });
  set->Add("window", 96, 96, [](int x, int y) {
    if (x < 8 || y < 8 || x >= 88 || y >= 88) return Colour{0, 120, 215};
    if (y < 18) return x > 76 ? Colour{232, 17, 35} : Colour{240, 240, 240};
    if (x < 30) return (y / 10) % 2 == 0 ? Colour{30, 30, 30} : Colour{60, 60, 60};
    return Ink("GLINT IS A BOX OF BITS ", x - 32, y - 20, 1) ? kBlack : kWhite;
  });
}

// ---- scenes -------------------------------------------------------------------------------------

// A ball lit from above on the left; `d`: squared distance from its middle, `radius` squared at
// the rim.
Colour Shade(const Colour& colour, int dx, int dy, int radius) {
  const int light = 160 - 96 * (dx + dy) / radius;
  const Colour lit = Mix(kBlack, colour, std::clamp(light, 0, 256));
  const int gx = dx + radius / 3, gy = dy + radius / 3;
  return gx * gx + gy * gy < radius * radius / 16 ? Mix(lit, kWhite, 200) : lit;
}

void AddScenes(Set* set) {
  set->Add("scene meadow", 128, 96, [](int x, int y) {
    const int hill = 40 + SmoothNoise(x, 0, 32, 31) / 8;
    if (y < hill) return Mix({0, 40, 255}, {255, 120, 0}, std::min(256, y * 256 / hill));
    if (Hash(x / 3, y / 3, 32) % 13 == 0)
      return HueOf(static_cast<int>(Hash(x / 3, y / 3, 33) % 1536));
    return Colour{SmoothNoise(x, y, 5, 34) / 4, 120 + SmoothNoise(x, y, 3, 35) / 2, 0};
  });
  set->Add("scene balls", 128, 96, [](int x, int y) {
    for (int ball = 0; ball < 6; ++ball) {
      const int dx = x - 22 - ball % 3 * 42, dy = y - 26 - ball / 3 * 44, radius = 20;
      if (dx * dx + dy * dy < radius * radius) {
        return Shade(kCorners[static_cast<size_t>(ball) + 1], dx, dy, radius);
      }
    }
    const int v = SmoothNoise(x, y, 16, 41) / 2;
    return Colour{v, v / 2, v + 60};
  });
  set->Add("scene night", 128, 96, [](int x, int y) {
    const Colour sky{SmoothNoise(x, y, 24, 51) / 12, 0, SmoothNoise(x, y, 24, 52) / 6};
    const int roof = 30 + static_cast<int>(Hash(x / 16, 0, 53) % 40);
    if (y < roof) return sky;
    const bool lamp =
        x % 8 > 2 && x % 8 < 6 && y % 10 > 3 && y % 10 < 8 && Hash(x / 8, y / 10, 54) % 2 != 0;
    return lamp ? HueOf(static_cast<int>(Hash(x / 8, y / 10, 55) % 1536)) : kBlack;
  });
}

}  // namespace

std::vector<NamedPicture> MakeBuiltInPictures() {
  Set set;
  AddFlat(&set);
  AddSquares(&set);
  AddGradients(&set);
  AddEdges(&set);
  AddNoise(&set);
  AddText(&set);
  AddCharts(&set);
  AddScenes(&set);
  return set.Take();
}

std::vector<Picture> MakeLargeFlats() {
  constexpr int kLarge = 512;
  std::vector<Picture> pictures;
  for (const Colour& colour :
       {kBlack, kWhite, kGreen, Colour{16, 16, 16}, Colour{128, 128, 128}, Colour{250, 245, 235}}) {
    pictures.push_back(Paint(kLarge, kLarge, [&](int, int) { return colour; }));
  }
  return pictures;
}

}  // namespace glint::quantiser
