// The pictures that `quantize` learns from or compares on, all in memory as 8-bit RGB.
// Used by tools/quantize.cc.
// Thread rules: one thread.
#ifndef GLINT_TOOLS_QUANTISING_PICTURE_SET_H_
#define GLINT_TOOLS_QUANTISING_PICTURE_SET_H_

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

// Whether memory suffices for all pictures of these files and folders, and besides for reading the
// largest and coding it with `model`. Known from the headers of the files, before the first is
// read; else kLimit.
Error CheckPictureSets(const std::vector<std::string>& paths, const Model& model,
                       const Limits& limits);

// What pictures are for decides what they have to be.
enum class PictureUse { kAny, kMsSsim };

// A picture, or those of a folder. Files of a folder that cannot be read, or are no use, are left
// out; standard error says so, and has the warnings.
Expected<PictureSet> ReadPictureSet(const std::string& tool, const std::string& path,
                                    const Limits& limits, PictureUse use = PictureUse::kAny);

// Why so few pictures say little about the ranges of others; empty when they are enough.
std::string TooLittleToLearn(const PictureSet& set);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_QUANTISING_PICTURE_SET_H_
