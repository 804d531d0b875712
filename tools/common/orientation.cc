#include "tools/common/orientation.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace glint::tools {
namespace {

constexpr uint32_t kMostOrientation = 8;

struct Turn {
  bool from_right, from_below;  // of the source: where its rows, and columns, are read from
  bool swaps;                   // rows become columns
};
// Of 1 to 8.
constexpr Turn kTurns[] = {{false, false, false}, {true, false, false}, {true, true, false},
                           {false, true, false},  {false, false, true}, {false, true, true},
                           {true, true, true},    {true, false, true}};

}  // namespace

uint32_t OrientationOf(const std::vector<uint8_t>& exif) {
  const bool little = exif.size() >= 8 && exif[0] == 'I';
  // A number of `bytes` bytes; 0 where the content ends before.
  const auto number = [&](size_t at, size_t bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < bytes && at + bytes <= exif.size(); ++i) {
      value = value << 8 | exif[little ? at + bytes - 1 - i : at + i];
    }
    return value;
  };
  constexpr size_t kEntryBytes = 12;
  constexpr uint32_t kOrientation = 0x0112;
  const size_t directory = number(4, 4);
  const size_t entries = number(directory, 2);
  for (size_t i = 0; i < entries && directory + kEntryBytes * i < exif.size(); ++i) {
    const size_t entry = directory + 2 + kEntryBytes * i;
    if (number(entry, 2) != kOrientation) continue;
    const uint32_t value = number(entry + 8, 2);
    return value > kUpright && value <= kMostOrientation ? value : kUpright;
  }
  return kUpright;
}

Picture Turned(const Picture& picture, uint32_t orientation) {
  const Turn turn = kTurns[orientation - 1];
  Picture turned;
  turned.info = picture.info;
  if (turn.swaps) std::swap(turned.info.width, turned.info.height);
  turned.samples.resize(picture.samples.size());
  const size_t bytes = picture.info.SamplesPerPixel() * picture.info.SampleBytes();
  uint8_t* out = turned.samples.data();
  for (size_t oy = 0; oy < turned.info.height; ++oy) {
    for (size_t ox = 0; ox < turned.info.width; ++ox, out += bytes) {
      size_t x = turn.swaps ? oy : ox;
      size_t y = turn.swaps ? ox : oy;
      if (turn.from_right) x = picture.info.width - 1 - x;
      if (turn.from_below) y = picture.info.height - 1 - y;
      std::copy_n(&picture.samples[(y * picture.info.width + x) * bytes], bytes, out);
    }
  }
  return turned;
}

}  // namespace glint::tools
