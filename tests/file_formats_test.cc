// What a file is by its first bytes: the kinds that are read, and those that are named with advice.

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using namespace std::string_literals;

struct Known {
  std::string start;
  const char* name;
};

// With signatures as the formats' own documents give them.
const Known kOthers[] = {
    {"RIFF\x24\0\0\0WEBPVP8 "s, "WebP"},
    {"RIFF\x24\0\0\0WEBPVP8X"s, "WebP"},
    {"\0\0\0\x20"s + "ftypavif\0\0\0\0avifmif1miafMA1B"s, "AVIF"},
    {"\0\0\0\x1c"s + "ftypmif1\0\0\0\0mif1avifmiaf"s, "AVIF"},
    {"\0\0\0\x18"s + "ftypavis\0\0\0\0avismsf1"s, "AVIF"},
    {"\0\0\0\x18"s + "ftypheic\0\0\0\0mif1heic"s, "HEIF"},
    {"\0\0\0\x18"s + "ftypmif1\0\0\0\0mif1heic"s, "HEIF"},
    {"\0\0\0\x18"s + "ftypcrx \0\0\0\1crx isom"s, "camera raw (Canon)"},
    {"\0\0\0\x18"s + "ftypmp42\0\0\0\0isommp42"s, "MP4 or QuickTime video"},
    // A brand behind the box is none of it.
    {"\0\0\0\x10"s + "ftypmp42\0\0\0\0avif"s, "MP4 or QuickTime video"},
    {"II*\0\x08\0\0\0"s, "TIFF or camera raw"},
    {"MM\0*\0\0\0\x08"s, "TIFF or camera raw"},
    {"II+\0\x08\0\0\0"s, "BigTIFF"},
    {"BM\x36\0\x0c\0\0\0\0\0\x36\0\0\0"s, "BMP"},
    {"GIF89a\x01\0\x01\0"s, "GIF"},
    {"GIF87a\x01\0\x01\0"s, "GIF"},
    {"%PDF-1.7\n"s, "PDF"},
    {"%!PS-Adobe-3.0"s, "PostScript"},
    {"\xff\x0a\xfa\x1f"s, "JPEG XL"},
    {"\0\0\0\x0cJXL \r\n\x87\n"s, "JPEG XL"},
    {"\0\0\0\x0cjP  \r\n\x87\n"s, "JPEG 2000"},
    {"\xff\x4f\xff\x51\0\x2f"s, "JPEG 2000"},
    {"8BPS\0\1"s, "Photoshop"},
    {"gimp xcf v011"s, "GIMP"},
    {"\x76\x2f\x31\x01\x02\0\0\0"s, "OpenEXR"},
    {"#?RADIANCE\n"s, "Radiance HDR"},
    {"qoif\0\0\0\x01"s, "QOI"},
    {"\0\0\1\0\1\0\x20\x20"s, "Windows icon"},
    {"\x01\xda\x01\x01"s, "SGI"},
    {"P4\n8 8\n"s, "PBM"},
    {"P1 1 1 1"s, "PBM"},
    {"PF\n2 2\n-1.0\n"s, "PFM"},
    {"<svg xmlns="s, "SVG"},
    {"<!DOCTYPE html>"s, "HTML"},
    {"PK\x03\x04\x14\0"s, "ZIP"},
    {"\x1f\x8b\x08\0"s, "gzip"},
};

TEST_CASE("formats: others are named, with what helps") {
  for (const Known& known : kOthers) {
    CAPTURE(known.name);
    const FileFormat format = IdentifyFormat(known.start.data(), known.start.size());
    CHECK(format.name == known.name);
    CHECK_FALSE(format.readable);
    CHECK_FALSE(format.advice.empty());
    std::string file = known.start;
    file.resize(200, 'x');
    const Expected<Picture> picture = ReadFromMemory(file);
    REQUIRE_FALSE(picture.ok());
    CHECK(picture.error().code == ErrorCode::kUnsupported);
    CHECK(picture.error().message.find(known.name) != std::string::npos);
    CHECK(picture.error().message.find(format.advice) != std::string::npos);
  }
}

TEST_CASE("formats: those that are read, streams, and what nobody knows") {
  const Picture picture = testing::SmoothPicture(MakeInfo(3, 2, 3, false, 8), 1);
  const auto name = [](const std::vector<uint8_t>& file) {
    return IdentifyFormat(file.data(), file.size()).name;
  };
  CHECK(name(FileBytes(picture, ".png")) == "PNG");
  CHECK(name(FileBytes(picture, ".ppm")) == "PPM");
  CHECK(name(FileBytes(picture, ".pam")) == "PAM");
  const std::vector<uint8_t> jpeg = {0xFF, 0xD8, 0xFF, 0xE0};
  CHECK(name(jpeg) == "JPEG");
  const Model model = testing::LoadModel(testing::MiniModelFile());
  const std::vector<uint8_t> stream = testing::MustEncode(model, picture);
  CHECK(name(stream) == "Glint stream");
  CHECK(ReadFromMemory(stream).error().message.find("glint decode") != std::string::npos);

  for (const std::string& start : {""s, "x"s, "P"s, "P5"s, "P8 1 1 1"s, "BM no bitmap"s, "\x89PNG"s,
                                   "hello, world"s, "RIFF\x24\0\0\0WAVE"s}) {
    CAPTURE(start);
    CHECK(IdentifyFormat(start.data(), start.size()).name.empty());
    const Error error = ReadFromMemory(start).error();
    CHECK(error.code == ErrorCode::kBadImage);
  }
  CHECK(IdentifyFormat(nullptr, 0).name.empty());
  CHECK(ReadFromMemory(""s).error().message == "memory: is empty");
}

// Every signature is found with no more bytes than readers look at, and none reads beyond its
// bytes.
TEST_CASE("formats: any start of a file is safe to look at") {
  for (const Known& known : kOthers) {
    for (size_t size = 0; size <= known.start.size(); ++size) {
      const std::vector<uint8_t> start(known.start.begin(),
                                       known.start.begin() + static_cast<int64_t>(size));
      const FileFormat format = IdentifyFormat(start.data(), start.size());
      CHECK((format.name.empty() || !format.advice.empty() || format.readable));
    }
  }
}

}  // namespace
}  // namespace glint
