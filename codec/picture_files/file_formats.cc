// IdentifyFormat: what a file is by its first bytes.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "codec/picture_files/picture_files.h"
#include "glint/image_io.hpp"

namespace glint {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;  // at the begin of the file
  const char* name;
  const char* advice;
};

constexpr const char* kMagick = "`magick IN OUT.png` makes a PNG of it";
constexpr const char* kMagickFirst = "`magick 'IN[0]' OUT.png` makes a PNG of it";

constexpr Signature kSignatures[] = {
    {"GIF87a"sv, "GIF", kMagickFirst},
    {"GIF89a"sv, "GIF", kMagickFirst},
    {"II*\0"sv, "TIFF or camera raw", kMagick},
    {"MM\0*"sv, "TIFF or camera raw", kMagick},
    {"II+\0"sv, "BigTIFF", kMagick},
    {"MM\0+"sv, "BigTIFF", kMagick},
    {"IIRO"sv, "camera raw (Olympus)", "a raw converter such as darktable makes a PNG of it"},
    {"IIU\0"sv, "camera raw (Panasonic)", "a raw converter such as darktable makes a PNG of it"},
    {"FUJIFILMCCD-RAW"sv, "camera raw (Fujifilm)",
     "a raw converter such as darktable makes a PNG of it"},
    {"II\xbc\x01"sv, "JPEG XR", "`JxrDecApp -i IN -o OUT.bmp` decodes it"},
    {"\xff\x0a"sv, "JPEG XL", "`djxl IN OUT.png` makes a PNG of it"},
    {"\0\0\0\x0cJXL \r\n\x87\n"sv, "JPEG XL", "`djxl IN OUT.png` makes a PNG of it"},
    {"\0\0\0\x0cjP  \r\n\x87\n"sv, "JPEG 2000", "`opj_decompress -i IN -o OUT.png` decodes it"},
    {"\xff\x4f\xff\x51"sv, "JPEG 2000", "`opj_decompress -i IN -o OUT.png` decodes it"},
    {"%PDF-"sv, "PDF", "`pdftoppm -png IN OUT` makes PNGs of its pages"},
    {"%!PS"sv, "PostScript", "`gs -sDEVICE=png16m -r150 -o OUT.png IN` makes a PNG of it"},
    {"8BPS"sv, "Photoshop", kMagickFirst},
    {"gimp xcf"sv, "GIMP", "export it as PNG from GIMP"},
    {"\x76\x2f\x31\x01"sv, "OpenEXR", kMagick},
    {"#?RADIANCE"sv, "Radiance HDR", kMagick},
    {"qoif"sv, "QOI", kMagick},
    {"DDS "sv, "DirectDraw Surface", kMagick},
    {"BPG\xfb"sv, "BPG", "`bpgdec -o OUT.png IN` makes a PNG of it"},
    {"FLIF"sv, "FLIF", "`flif -d IN OUT.png` makes a PNG of it"},
    {"farbfeld"sv, "farbfeld", "`ff2png < IN > OUT.png` makes a PNG of it"},
    {"\x8aMNG\r\n\x1a\n"sv, "MNG", kMagickFirst},
    {"\x8bJNG\r\n\x1a\n"sv, "JNG", kMagick},
    {"PF\n"sv, "PFM", kMagick},
    {"Pf\n"sv, "PFM", kMagick},
    {"\x59\xa6\x6a\x95"sv, "Sun raster", kMagick},
    {"<svg"sv, "SVG", "`rsvg-convert IN -o OUT.png` makes a PNG of it"},
    {"<?xml"sv, "SVG or other XML", "`rsvg-convert IN -o OUT.png` makes a PNG of SVG"},
    {"<!DOCTYPE"sv, "HTML", "it is a web page, not the picture itself"},
    {"<!doctype"sv, "HTML", "it is a web page, not the picture itself"},
    {"<html"sv, "HTML", "it is a web page, not the picture itself"},
    {"\x1f\x8b"sv, "gzip", "unpack it first: `gunzip`"},
    {"PK\x03\x04"sv, "ZIP", "unpack it first: `unzip`"},
    {"\x1a\x45\xdf\xa3"sv, "Matroska or WebM video",
     "`ffmpeg -i IN -frames:v 1 OUT.png` makes a PNG of its first picture"},
};

// Of the ISO base media files by their brands: AVIF, HEIF, raw pictures, videos.
FileFormat IdentifyBrands(std::string_view start) {
  std::string_view brands = start.substr(8);
  const size_t box = static_cast<uint8_t>(start[2]) * 256U + static_cast<uint8_t>(start[3]);
  if (box > 8) brands = brands.substr(0, box - 8);
  const auto has = [&](std::string_view brand) {
    for (size_t at = 0; at + 4 <= brands.size(); at += 4) {
      if (at != 4 && brands.substr(at, 4) == brand) return true;  // the second word is a version
    }
    return false;
  };
  if (has("avif") || has("avis")) {
    return {"AVIF", false, "`avifdec IN OUT.png` makes a PNG of it"};
  }
  for (const char* brand : {"heic", "heix", "heim", "heis", "hevc", "mif1", "msf1", "mif2"}) {
    if (has(brand)) return {"HEIF", false, "`heif-convert IN OUT.png` makes a PNG of it"};
  }
  if (has("crx ")) {
    return {"camera raw (Canon)", false, "a raw converter such as darktable makes a PNG of it"};
  }
  return {"MP4 or QuickTime video", false,
          "`ffmpeg -i IN -frames:v 1 OUT.png` makes a PNG of its first picture"};
}

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Signatures of a few letters need more to be believed.
FileFormat IdentifyWeak(std::string_view start) {
  const auto is_zero = [&](size_t at, size_t count) {
    return start.size() >= at + count && start.substr(at, count) == std::string(count, '\0');
  };
  if (start.starts_with("BM") && is_zero(6, 4)) return {"BMP", false, kMagick};
  if (start.starts_with("\0\0\1\0"sv) && start.size() > 5 && start[4] != 0 && start[5] == 0) {
    return {"Windows icon", false, kMagickFirst};
  }
  if (start.size() >= 3 && start[0] == 'P' && (start[1] == '1' || start[1] == '4') &&
      IsSpace(start[2])) {
    return {"PBM", false, "`pnmdepth 255 IN > OUT.pgm` makes a PGM of it"};
  }
  if (start.starts_with("\x01\xda"sv) && start.size() > 3 && start[2] <= 1 && start[3] <= 2) {
    return {"SGI", false, kMagick};
  }
  return {};
}

FileFormat IdentifyReadable(std::string_view start) {
  if (start.starts_with("\x89PNG\r\n\x1a\n"sv)) return {"PNG", true, ""};
  if (start.starts_with("\xff\xd8\xff"sv)) {
    if (ReadsJpeg()) return {"JPEG", true, ""};
    return {"JPEG", false,
            "this build is without libjpeg; with libjpeg-dev installed when Glint is built it is "
            "read; `djpeg IN > OUT.ppm` makes a PPM of it"};
  }
  if (start.size() >= 3 && start[0] == 'P' && IsSpace(start[2])) {
    if (start[1] == '2' || start[1] == '5') return {"PGM", true, ""};
    if (start[1] == '3' || start[1] == '6') return {"PPM", true, ""};
    if (start[1] == '7') return {"PAM", true, ""};
  }
  return {};
}

}  // namespace

FileFormat IdentifyFormat(const void* data, size_t size) {
  const std::string_view start(static_cast<const char*>(data), size);
  FileFormat format = IdentifyReadable(start);
  if (!format.name.empty()) return format;
  if (IsStream(data, size)) return {"Glint stream", false, "`glint decode` makes a picture of it"};
  if (start.size() >= 12 && start.starts_with("RIFF") && start.substr(8, 4) == "WEBP") {
    return {"WebP", false, "`dwebp IN -o OUT.png` makes a PNG of it"};
  }
  if (start.size() >= 12 && start.substr(4, 4) == "ftyp") return IdentifyBrands(start);
  for (const Signature& signature : kSignatures) {
    if (start.starts_with(signature.bytes)) return {signature.name, false, signature.advice};
  }
  return IdentifyWeak(start);
}

}  // namespace glint
