// Which pictures `evaluate` works on, and how its output files are called.
// Used by tools/evaluate.cc.
// Thread rules: free functions.
#ifndef GLINT_TOOLS_PICTURES_H_
#define GLINT_TOOLS_PICTURES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

struct PictureFile {
  std::string path;
  std::string name;    // "kodim01.png"
  std::string output;  // "kodim01": what its outputs are called; the whole name where stems collide
};

struct PictureList {
  std::vector<PictureFile> files;  // sorted by name
  size_t skipped = 0;              // other files of the folder
  bool is_folder = false;
};

// A file, or the .png, .ppm, .pgm, .pnm, .pam files of a folder (not of folders inside it).
Expected<PictureList> ListPictures(const std::string& path);

// "kodim01.png", or "kodim01_lrd0.0004.png" when there are several rates.
std::string OutputFileName(const std::string& output, double lrd, size_t rates,
                           const std::string& extension);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PICTURES_H_
