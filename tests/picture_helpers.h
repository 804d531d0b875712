// Pictures, temporary folders and whole reads for the tests of picture files.
// Used by tests/ only.
// Thread rules: none.
#ifndef GLINT_TESTS_PICTURE_HELPERS_H_
#define GLINT_TESTS_PICTURE_HELPERS_H_

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "glint/image_io.hpp"

namespace glint {

// A new folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string File(const std::string& name) const { return (path_ / name).string(); }
  size_t CountFiles() const;

 private:
  std::filesystem::path path_;
};

PictureInfo MakeInfo(uint32_t width, uint32_t height, uint32_t channels, bool has_alpha,
                     uint32_t bit_depth);
// 1 to `largest`.
uint32_t SmallSide(uint32_t largest, std::mt19937* random);
// Every sample random within its depth.
Picture RandomPicture(const PictureInfo& info, std::mt19937* random);
bool SamePixels(const Picture& a, const Picture& b);

// Reads a whole file in memory through PictureReader.
Expected<Picture> ReadFromMemory(const void* data, size_t size, const Limits& limits = {});
inline Expected<Picture> ReadFromMemory(const std::vector<uint8_t>& bytes,
                                        const Limits& limits = {}) {
  return ReadFromMemory(bytes.data(), bytes.size(), limits);
}
inline Expected<Picture> ReadFromMemory(const std::string& bytes, const Limits& limits = {}) {
  return ReadFromMemory(bytes.data(), bytes.size(), limits);
}

// The bytes of the file that WritePicture makes of a picture; `ending` with its dot.
std::vector<uint8_t> FileBytes(const Picture& picture, const std::string& ending);

}  // namespace glint

#endif  // GLINT_TESTS_PICTURE_HELPERS_H_
