// Colour that PNG chunks describe: cICP, mDCV and cLLI of the PNG specification, third edition,
// sections 11.3.2.6 to 11.3.2.8.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/public_error.h"
#include "codec/short_number.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {
namespace {

constexpr double kChromaticityStep = 0.00002;
constexpr double kLuminanceStep = 0.0001;

constexpr std::string_view kCicp = "cICP", kDisplay = "mDCV", kLight = "cLLI";

// Numbers of a chunk, high bytes first.
class ChunkReader {
 public:
  explicit ChunkReader(const std::vector<uint8_t>& bytes) : at_(bytes.data()) {}
  double Luminance() { return static_cast<double>(Take(4)) * kLuminanceStep; }
  Chromaticity Point() {
    const double x = static_cast<double>(Take(2)) * kChromaticityStep;
    return {x, static_cast<double>(Take(2)) * kChromaticityStep};
  }

 private:
  uint32_t Take(int bytes) {
    uint32_t value = 0;
    for (; bytes > 0; --bytes) value = value << 8 | *at_++;
    return value;
  }

  const uint8_t* at_;
};

class ChunkWriter {
 public:
  Status Luminance(double value) { return Give(value, kLuminanceStep, 4); }
  Status Point(const Chromaticity& point) {
    GLINT_TRY(Give(point.x, kChromaticityStep, 2));
    return Give(point.y, kChromaticityStep, 2);
  }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  Status Give(double value, double step, int bytes) {
    const double steps = std::round(value / step);
    if (!(steps >= 0 && steps < std::ldexp(1.0, 8 * bytes))) {
      return Status::Error(StatusCode::kInvalidArgument,
                           "a colour's number is " + ShortNumber(value) + ", possible are 0 to " +
                               ShortNumber((std::ldexp(1.0, 8 * bytes) - 1) * step));
    }
    const auto whole = static_cast<uint32_t>(steps);
    for (int b = bytes - 1; b >= 0; --b) bytes_.push_back(static_cast<uint8_t>(whole >> (8 * b)));
    return Status::Ok();
  }

  std::vector<uint8_t> bytes_;
};

// The first chunk of a type, if it has the size that it must have.
const std::vector<uint8_t>* Find(const Metadata& metadata, std::string_view type, size_t size) {
  const auto found = std::find_if(metadata.chunks.begin(), metadata.chunks.end(),
                                  [type](const auto& chunk) { return chunk.first == type; });
  return found == metadata.chunks.end() || found->second.size() != size ? nullptr : &found->second;
}

using Chunks = std::vector<std::pair<std::string, std::vector<uint8_t>>>;

Result<Chunks> ChunksOf(const ColourDescription& colour) {
  Chunks chunks;
  if (colour.cicp) {
    constexpr uint8_t kMatrixOfRgb = 0;
    const uint8_t range = colour.cicp->full_range ? 1 : 0;
    chunks.emplace_back(kCicp, std::vector<uint8_t>{colour.cicp->primaries, colour.cicp->transfer,
                                                    kMatrixOfRgb, range});
  }
  if (colour.display) {
    ChunkWriter writer;
    GLINT_TRY(writer.Point(colour.display->red));
    GLINT_TRY(writer.Point(colour.display->green));
    GLINT_TRY(writer.Point(colour.display->blue));
    GLINT_TRY(writer.Point(colour.display->white));
    GLINT_TRY(writer.Luminance(colour.display->max_luminance));
    GLINT_TRY(writer.Luminance(colour.display->min_luminance));
    chunks.emplace_back(kDisplay, writer.Take());
  }
  if (colour.light) {
    ChunkWriter writer;
    GLINT_TRY(writer.Luminance(colour.light->max_content));
    GLINT_TRY(writer.Luminance(colour.light->max_frame_average));
    chunks.emplace_back(kLight, writer.Take());
  }
  return chunks;
}

}  // namespace

ColourDescription ColourOf(const Metadata& metadata) {
  ColourDescription colour;
  if (const auto* cicp = Find(metadata, kCicp, 4)) {
    colour.cicp = Cicp{(*cicp)[0], (*cicp)[1], (*cicp)[3] != 0};
  }
  if (const auto* display = Find(metadata, kDisplay, 24)) {
    ChunkReader reader(*display);
    MasteringDisplay& to = colour.display.emplace();
    for (Chromaticity* point : {&to.red, &to.green, &to.blue, &to.white}) *point = reader.Point();
    to.max_luminance = reader.Luminance();
    to.min_luminance = reader.Luminance();
  }
  if (const auto* light = Find(metadata, kLight, 8)) {
    ChunkReader reader(*light);
    ContentLight& to = colour.light.emplace();
    to.max_content = reader.Luminance();
    to.max_frame_average = reader.Luminance();
  }
  return colour;
}

Error SetColour(const ColourDescription& colour, Metadata* metadata) {
  return PublicCall([&]() -> Status {
    GLINT_ASSIGN(Chunks chunks, ChunksOf(colour));
    for (const auto& chunk : metadata->chunks) {
      const std::string& type = chunk.first;
      if (type != kCicp && type != kDisplay && type != kLight) chunks.push_back(chunk);
    }
    metadata->chunks.swap(chunks);
    return Status::Ok();
  });
}

}  // namespace glint
