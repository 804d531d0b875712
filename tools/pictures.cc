#include "tools/pictures.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <system_error>

#include "tools/console.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

bool HasPictureEnding(const fs::path& path) {
  static const std::array<std::string, 5> kEndings = {".png", ".ppm", ".pgm", ".pnm", ".pam"};
  const std::string ending = Lower(path.extension().string());
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

PictureFile MakeFile(const fs::path& path) {
  return PictureFile{path.string(), path.filename().string(), path.stem().string()};
}

// Of a.png and a.ppm, neither may overwrite the other's outputs.
void SeparateOutputs(std::vector<PictureFile>* files) {
  std::map<std::string, size_t> uses;
  for (const PictureFile& file : *files) ++uses[file.output];
  for (PictureFile& file : *files) {
    if (uses[file.output] > 1) file.output = file.name;
  }
}

}  // namespace

Expected<PictureList> ListPictures(const std::string& path) {
  std::error_code error;
  PictureList list;
  list.is_folder = fs::is_directory(path, error);
  if (!list.is_folder) {
    if (!fs::exists(path, error)) {
      return MakeError(ErrorCode::kNotFound, path + ": there is no such file or folder");
    }
    list.files.push_back(MakeFile(path));
    return list;
  }
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) continue;
    if (HasPictureEnding(entry->path())) {
      list.files.push_back(MakeFile(entry->path()));
    } else {
      ++list.skipped;
    }
  }
  if (error) return MakeError(ErrorCode::kIo, path + ": " + error.message());
  if (list.files.empty()) {
    return MakeError(ErrorCode::kNotFound, path + ": no PNG, PPM, PGM or PAM file in this folder");
  }
  std::sort(list.files.begin(), list.files.end(),
            [](const PictureFile& a, const PictureFile& b) { return a.name < b.name; });
  SeparateOutputs(&list.files);
  return list;
}

std::string OutputFileName(const std::string& output, double lrd, size_t rates,
                           const std::string& extension) {
  return output + (rates > 1 ? "_lrd" + Shortest(lrd) : "") + extension;
}

}  // namespace glint::tools
