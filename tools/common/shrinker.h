// Makes a picture smaller while its rows come: each pixel of the result is the mean of the area
// that it covers. Means are of the samples as they are, as browsers and file managers take them,
// and of colours weighted by their alpha. Memory is that of the result. Used by
// tools/thumbnailer.cc. Thread rules: one thread at a time.
#ifndef GLINT_TOOLS_COMMON_SHRINKER_H_
#define GLINT_TOOLS_COMMON_SHRINKER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

class Shrinker {
 public:
  // The result has the proportions of `whole`, to whole pixels, and at most `side` rows and
  // columns; a picture that is no larger keeps its size. `info`: of what comes, which may be
  // `whole` with fewer pixels, rounded up, but no fewer than the result; up to 2^40 of them.
  Shrinker(const PictureInfo& info, const PictureInfo& whole, uint32_t side);
  // The next row, from top to bottom: info.RowBytes().
  void Add(const void* row);
  // After the last row, once: 8 bits a sample, with alpha where there was one.
  Picture Take();

 private:
  void SumColumns(const uint8_t* row);
  void AddSums(uint64_t weight);
  void FinishRow();
  uint64_t Level(const uint8_t* row, size_t sample) const;

  const PictureInfo from_;
  const size_t samples_;  // of a pixel
  Picture result_;
  std::vector<uint64_t> row_;   // of the last row, over the columns of each pixel
  std::vector<uint64_t> sums_;  // of the row of the result that is being made
  uint64_t room_;               // weight that it still lacks; a whole row has that of from_.height
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_SHRINKER_H_
