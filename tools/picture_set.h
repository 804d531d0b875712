// The pictures that `quantize` learns from or compares on, all in memory as 8-bit RGB.
// Used by tools/quantize.cc.
// Thread rules: one thread.
#ifndef GLINT_TOOLS_PICTURE_SET_H_
#define GLINT_TOOLS_PICTURE_SET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

struct PictureSet {
  std::vector<Picture> pictures;  // 8-bit RGB
  std::vector<std::string> paths;
  uint64_t bytes = 0;  // of all their samples
};

// Whether all pictures of these files and folders, and what it takes to read the largest and to
// code it with `model`, have room within the limits: kLimit from the headers of the files, before
// the first is read.
Error CheckPictureSets(const std::vector<std::string>& paths, const Model& model,
                       const Limits& limits);

// A picture, or those of a folder; what cannot be read of a folder is left out with a word on
// standard error, as are warnings.
Expected<PictureSet> ReadPictureSet(const std::string& tool, const std::string& path,
                                    const Limits& limits);

// Why so few pictures say little about the ranges of others; empty when they are enough.
std::string TooLittleToLearn(const PictureSet& set);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PICTURE_SET_H_
