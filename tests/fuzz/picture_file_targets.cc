// Picture files: whatever they hold, they are read to their end or give an error, within limits.
// One reader for all; PNG, JPEG and PNM are targets of their own for their inputs.
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/fuzz/calls.h"
#include "tests/fuzz/target.h"
#include "tests/picture_helpers.h"
#ifdef GLINT_FUZZ_JPEG
#include <cstdio>
// After <cstdio>.
#include <jpeglib.h>

#include "tests/jpeg_maker.h"
#endif

namespace glint::fuzz {
namespace {

using testing::SmoothPicture;

void RequireReadError(const Error& error) {
  RequireError(error, {ErrorCode::kBadImage, ErrorCode::kLimit, ErrorCode::kUnsupported});
}

Limits ChooseFileLimits(Choices* choices) {
  Limits limits;
  const uint8_t kind = choices->Byte();
  limits.max_pixels = uint64_t{1} << (kind % 8 == 7 ? 8 : 17);
  limits.max_memory = ChooseMemory(choices, uint64_t{16} << 20, uint64_t{1} << 14);
  limits.held_memory = kind % 8 == 6 ? uint64_t{1} << 19 : 0;
  return limits;
}

// Options: limits on pixels, on memory; rows to read before the reader is given up, 0: all.
void RunPictureFile(Input* input) {
  const Limits limits = ChooseFileLimits(&input->choices);
  const uint32_t rows = input->choices.Byte();
  const auto& data = input->data;
  const FileFormat format = IdentifyFormat(data.data(), data.size());
  const auto reader = PictureReader::FromMemory(data.data(), data.size(), "a picture", limits);
  if (!reader.ok()) return RequireReadError(reader.error());
  Require(format.readable, "a file is read that is not readable");
  const PictureInfo info = (*reader)->info();
  Require(uint64_t{info.width} * info.height <= limits.max_pixels, "more pixels than the limit");
  Bytes row(info.RowBytes());
  for (uint32_t y = 0; y < info.height; ++y) {
    if (rows != 0 && y == rows) return;
    const Error error = (*reader)->ReadRow(row.data());
    if (!error.ok()) return RequireReadError(error);
  }
  const Error end = (*reader)->Finish();
  if (!end.ok()) return RequireReadError(end);
  Require((*reader)->memory() <= limits.max_memory, "more memory than the limit");
  Require(!(*reader)->format().empty(), "a format without a name");
  const Metadata kept = MetadataOfKinds((*reader)->metadata(), kMetadataAll);
  Require(testing::SameMetadata(kept, (*reader)->metadata()), "metadata of no kind");
}

void AddFile(const std::string& name, const Bytes& file, std::vector<Seed>* seeds) {
  seeds->push_back({name, MakeInput({}, file)});
}

Picture Sample(uint32_t width, uint32_t height, uint32_t channels, bool has_alpha,
               uint32_t bit_depth, bool has_metadata = false) {
  Picture picture = SmoothPicture(MakeInfo(width, height, channels, has_alpha, bit_depth), width);
  if (has_metadata) picture.metadata = testing::SomeMetadata();
  return picture;
}

// tests/data/pngsuite has all that libpng writes and we do not.
std::vector<Seed> PngSeeds() {
  std::vector<Seed> seeds;
  AddFile("rgba", FileBytes(Sample(9, 7, 3, true, 8, true), ".png"), &seeds);
  AddFile("rgb16", FileBytes(Sample(6, 5, 3, false, 16), ".png"), &seeds);
  AddFile("bits", FileBytes(Sample(11, 3, 1, false, 2), ".png"), &seeds);
  return seeds;
}

std::vector<Seed> PnmSeeds() {
  std::vector<Seed> seeds;
  AddFile("pgm", FileBytes(Sample(9, 7, 1, false, 8), ".pgm"), &seeds);
  AddFile("ppm", FileBytes(Sample(5, 6, 3, false, 8), ".ppm"), &seeds);
  AddFile("ppm16", FileBytes(Sample(5, 3, 3, false, 16), ".ppm"), &seeds);
  AddFile("pam", FileBytes(Sample(4, 4, 1, true, 8), ".pam"), &seeds);
  AddFile("pam3", FileBytes(Sample(5, 6, 3, true, 8), ".pam"), &seeds);
  const auto add_text = [&](const char* name, const std::string& text) {
    AddFile(name, Bytes(text.begin(), text.end()), &seeds);
  };
  add_text("p2", "P2\n# comment\n3 2\n15\n0 1 2 3 4 15\n");
  add_text("p3", "P3\n2 1\n65535\n0 1 65535 7 8 9\n");
  add_text("p1", "P1 4 2 1 0 0 1\n0110");
  add_text("p4", "P4 9 1\n\x55\x80");
  return seeds;
}

std::vector<Seed> JpegSeeds() {
  std::vector<Seed> seeds;
#ifdef GLINT_FUZZ_JPEG
  const Picture colours = Sample(35, 21, 3, false, 8), gray = Sample(17, 19, 1, false, 8);
  const auto add = [&](const char* name, const Picture& picture, const testing::JpegForm& form) {
    AddFile(name, testing::MakeJpeg(picture, form), &seeds);
  };
  testing::JpegForm plain, progressive, scans, rgb, cmyk, restarts, marked;
  progressive.progressive = true;
  progressive.across = 1;
  scans.interleaved = false;
  rgb.rgb = true;
  cmyk.cmyk = true;
  restarts.restart = 2;
  const Bytes tiff = {'I', 'I', 42, 0, 8, 0, 0, 0, 0, 0};
  marked.markers = {{JPEG_APP0 + 1, testing::ExifSegment(tiff)},
                    {JPEG_APP0 + 2, testing::IccSegment(Bytes(50, 3), 1, 2)},
                    {JPEG_APP0 + 2, testing::IccSegment(Bytes(20, 4), 2, 2)},
                    {JPEG_COM, {'h', 'i'}}};
  add("plain", colours, plain);
  add("progressive", colours, progressive);
  add("progressive-gray", gray, progressive);
  add("scans", colours, scans);
  add("rgb", colours, rgb);
  add("cmyk", colours, cmyk);
  add("restarts", colours, restarts);
  add("marked", gray, marked);
#endif
  return seeds;
}

}  // namespace

const Target kPngTarget = {"png", Form::kPng, RunPictureFile, PngSeeds};
const Target kPnmTarget = {"pnm", Form::kBytes, RunPictureFile, PnmSeeds};
const Target kJpegTarget = {"jpeg", Form::kBytes, RunPictureFile, JpegSeeds};

}  // namespace glint::fuzz
