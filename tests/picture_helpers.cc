#include "tests/picture_helpers.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace glint {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "glint-test-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

size_t TemporaryFolder::CountFiles() const {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++count;
  return count;
}

PictureInfo MakeInfo(uint32_t width, uint32_t height, uint32_t channels, bool has_alpha,
                     uint32_t bit_depth) {
  PictureInfo info;
  info.width = width;
  info.height = height;
  info.channels = channels;
  info.has_alpha = has_alpha;
  info.bit_depth = bit_depth;
  return info;
}

uint32_t SmallSide(uint32_t largest, std::mt19937* random) {
  return 1 + static_cast<uint32_t>((*random)()) % largest;
}

Picture RandomPicture(const PictureInfo& info, std::mt19937* random) {
  Picture picture;
  picture.info = info;
  picture.samples.resize(info.RowBytes() * info.height);
  const uint32_t mask = info.bit_depth < 8 ? (1u << info.bit_depth) - 1 : 0xff;
  for (uint8_t& byte : picture.samples) byte = static_cast<uint8_t>((*random)() & mask);
  return picture;
}

bool SamePixels(const Picture& a, const Picture& b) {
  return a.info.width == b.info.width && a.info.height == b.info.height &&
         a.info.channels == b.info.channels && a.info.has_alpha == b.info.has_alpha &&
         a.info.bit_depth == b.info.bit_depth && a.samples == b.samples;
}

Expected<Picture> ReadFromMemory(const void* data, size_t size, const Limits& limits) {
  const auto reader = PictureReader::FromMemory(data, size, "memory", limits);
  if (!reader) return reader.error();
  Picture picture;
  picture.info = (*reader)->info();
  const size_t row_bytes = picture.info.RowBytes();
  std::vector<uint8_t> row(row_bytes);
  for (uint32_t y = 0; y < picture.info.height; ++y) {
    const Error error = (*reader)->ReadRow(row.data());
    if (!error.ok()) return error;
    picture.samples.insert(picture.samples.end(), row.begin(), row.end());
  }
  const Error error = (*reader)->Finish();
  if (!error.ok()) return error;
  picture.metadata = (*reader)->metadata();
  return picture;
}

std::vector<uint8_t> FileBytes(const Picture& picture, const std::string& ending) {
  const TemporaryFolder folder;
  const std::string path = folder.File("picture" + ending);
  const Error written = WritePicture(path, picture);
  REQUIRE_MESSAGE(written.ok(), written.message);
  const auto bytes = ReadFile(path, uint64_t{1} << 32);
  REQUIRE(bytes.ok());
  return *bytes;
}

}  // namespace glint
