// JPEG files for tests, made and read by libjpeg alone.
// Used by tests/ only.
// Thread rules: none.
#ifndef GLINT_TESTS_JPEG_MAKER_H_
#define GLINT_TESTS_JPEG_MAKER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"

namespace glint::testing {

struct JpegForm {
  int quality = 90;
  int across = 2, down = 2;  // of luma, chroma being 1 x 1
  bool progressive = false;
  bool interleaved = true;  // else a scan for each component
  bool rgb = false;         // stored as RGB
  bool cmyk = false;        // four components, made up
  bool arithmetic = false;
  bool split = false;  // progressive with a scan for each coefficient: as slow as can be
  int restart = 0;     // MCUs between restart markers
  std::vector<std::pair<int, std::vector<uint8_t>>> markers;  // JPEG_APP0 + n and so on, in order
};

// Of an 8-bit gray or RGB picture.
std::vector<uint8_t> MakeJpeg(const Picture& picture, const JpegForm& form = {});

// APP1 and APP2 as cameras write them.
std::vector<uint8_t> ExifSegment(const std::vector<uint8_t>& tiff);
// One of `count` parts, the first being 1.
std::vector<uint8_t> IccSegment(const std::vector<uint8_t>& part, int number, int count);

// What libjpeg makes of the file when it is asked in the plainest way.
Picture ReadJpegPlainly(const std::vector<uint8_t>& file);

}  // namespace glint::testing

#endif  // GLINT_TESTS_JPEG_MAKER_H_
