// Which pictures or streams a program works on, and how its output files are called.
// Used by the tools.
// Thread rules: free functions.
#ifndef GLINT_TOOLS_COMMON_PICTURES_H_
#define GLINT_TOOLS_COMMON_PICTURES_H_

#include <cstddef>
#include <map>
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
  // Named like pictures, but none: why, and their names in order.
  std::map<std::string, std::vector<std::string>> left_out;
  bool is_folder = false;
};

// Which files of a folder count.
struct FilesWanted {
  std::vector<std::string> endings;  // ".png", in lower case
  std::string what;                  // for messages
};

// A file, or those of a folder that have the endings (not of folders inside it). Hidden files,
// pipes and devices of a folder are left out and not opened. A pipe or device alone is an error:
// the programs read pictures more than once.
Expected<PictureList> ListFiles(const std::string& path, const FilesWanted& wanted);
// The same for pictures.
Expected<PictureList> ListPictures(const std::string& path);

// Outputs of one folder: of a.png and a.ppm, neither may overwrite the other's.
void SeparateOutputs(std::vector<PictureFile>* files);

// What was left out, a line each that ends in a line feed.
std::string LeftOutText(const PictureList& list);

// "kodim01.png", or "kodim01_lrd0.0004.png" where `rate`, "lrd0.0004", is not empty.
std::string OutputFileName(const std::string& output, const std::string& rate,
                           const std::string& extension);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_PICTURES_H_
