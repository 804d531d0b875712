#include "tools/common/pictures.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "tools/common/console.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

const FilesWanted kPictures = {
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".ppm", ".pgm", ".pnm", ".pam"},
    "PNG, JPEG, PPM, PGM or PAM file"};

bool HasEnding(const fs::path& path, const std::vector<std::string>& endings) {
  const std::string ending = Lower(path.extension().string());
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

// What a path is, if it cannot be read again and again ("a pipe"). Empty for an ordinary file, and
// where there is none.
std::string Oddity(const fs::path& path) {
  std::error_code error;
  switch (fs::status(path, error).type()) {
    case fs::file_type::fifo:
      return "a pipe";
    case fs::file_type::socket:
      return "a socket";
    case fs::file_type::character:
    case fs::file_type::block:
      return "a device";
    default:
      return "";
  }
}

// Why a file of a folder is left out, though it has one of our endings; empty if it counts.
std::string WhyLeftOut(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.starts_with("._")) return "what macOS keeps beside a file";
  if (name.starts_with(".")) return "hidden";
  return Oddity(path);
}

PictureFile MakeFile(const fs::path& path) {
  return PictureFile{path.string(), path.filename().string(), path.stem().string()};
}

}  // namespace

void SeparateOutputs(std::vector<PictureFile>* files) {
  // A whole name may be another's stem (a.png, a.ppm, a.png.png), so once more until all differ.
  for (bool changed = true; changed;) {
    changed = false;
    std::map<std::string, size_t> uses;
    for (const PictureFile& file : *files) ++uses[file.output];
    for (PictureFile& file : *files) {
      if (uses[file.output] < 2 || file.output == file.name) continue;
      file.output = file.name;
      changed = true;
    }
  }
}

Expected<PictureList> ListPictures(const std::string& path) { return ListFiles(path, kPictures); }

Expected<PictureList> ListFiles(const std::string& path, const FilesWanted& wanted) {
  std::error_code error;
  PictureList list;
  list.is_folder = fs::is_directory(path, error);
  if (!list.is_folder) {
    if (!fs::exists(path, error)) {
      return MakeError(ErrorCode::kNotFound, path + ": there is no such file or folder");
    }
    const std::string oddity = Oddity(path);
    if (!oddity.empty()) {
      return MakeError(ErrorCode::kInvalidArgument,
                       path + ": is " + oddity + ", and pictures are read more than once");
    }
    list.files.push_back(MakeFile(path));
    return list;
  }
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) continue;
    if (!HasEnding(entry->path(), wanted.endings)) {
      ++list.skipped;
      continue;
    }
    const std::string reason = WhyLeftOut(entry->path());
    if (reason.empty()) {
      list.files.push_back(MakeFile(entry->path()));
    } else {
      list.left_out[reason].push_back(entry->path().filename().string());
    }
  }
  if (error) return MakeError(ErrorCode::kIo, path + ": " + error.message());
  if (list.files.empty()) {
    return MakeError(ErrorCode::kNotFound, path + ": no " + wanted.what + " in this folder");
  }
  std::sort(list.files.begin(), list.files.end(),
            [](const PictureFile& a, const PictureFile& b) { return a.name < b.name; });
  SeparateOutputs(&list.files);
  for (auto& [reason, names] : list.left_out) std::sort(names.begin(), names.end());
  return list;
}

std::string LeftOutText(const PictureList& list) {
  constexpr size_t kMostNames = 3;
  std::string text;
  for (const auto& [reason, names] : list.left_out) {
    text += Count(names.size(), "file") + " of the folder left out (" + reason + "): ";
    for (size_t i = 0; i < std::min(names.size(), kMostNames); ++i) {
      text += (i == 0 ? "" : ", ") + Printable(names[i]);
    }
    text += names.size() > kMostNames ? ", ...\n" : "\n";
  }
  if (list.skipped > 0) {
    text += Count(list.skipped, "other file") +
            " of the folder left out (not PNG, JPEG, PPM, PGM or PAM by name)\n";
  }
  return text;
}

std::string OutputFileName(const std::string& output, const std::string& rate,
                           const std::string& extension) {
  return output + (rate.empty() ? "" : "_" + rate) + extension;
}

}  // namespace glint::tools
