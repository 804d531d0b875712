#include "tools/evaluation/saved_files.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "tools/common/console.h"
#include "tools/common/output.h"
#include "tools/common/pictures.h"
#include "tools/evaluation/journal.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSavedExtensions[] = {".glint", ".png"};

}  // namespace

std::string SavedFiles::FolderOf(size_t model) const {
  return (fs::path(flags_.out) / run_.models[model].label).string();
}

std::string SavedFiles::PathOf(size_t model, size_t picture, size_t point,
                               const char* extension) const {
  const std::string& name = job_.pictures.files[picture].output;
  const std::string rate = job_.points.size() < 2 ? ""
                           : job_.has_families    ? RateName(run_, model, point)
                                                  : "lrd" + RateName(run_, model, point);
  return (fs::path(FolderOf(model)) / OutputFileName(name, rate, extension)).string();
}

Error SavedFiles::CheckKeepsInputs() const {
  InputFiles inputs;
  std::map<fs::path, std::string> results;
  for (const std::string* path : {&flags_.json, &flags_.html}) {
    if (!path->empty()) results.emplace(PlaceOf(*path), *path);
  }
  for (const RunModel& model : run_.models) {
    for (const RunModel::Member& member : model.members) inputs.Add(member.path);
  }
  for (const PictureFile& file : job_.pictures.files) inputs.Add(file.path);
  if (!flags_.curves.empty()) inputs.Add(flags_.curves);
  Error error = tools::CheckKeepsInputs(inputs, flags_);
  if (error.ok() && flags_.resume) error = inputs.Check(JournalPath(flags_.json));
  if (flags_.out.empty()) return error;
  for (size_t model = 0; model < run_.models.size(); ++model) {
    for (size_t i = 0; i < job_.pictures.files.size(); ++i) {
      for (size_t point = 0; point < job_.points.size(); ++point) {
        for (const char* const extension : kSavedExtensions) {
          if (!error.ok()) return error;
          const std::string saved = PathOf(model, i, point, extension);
          error = inputs.Check(saved);
          const auto result = results.find(PlaceOf(saved));
          if (result == results.end()) continue;
          return MakeError(ErrorCode::kInvalidArgument,
                           result->second + ": is a file of --out as well");
        }
      }
    }
  }
  return error;
}

Expected<std::string> SavedFiles::MakeFolders() const {
  std::string folders;
  for (size_t model = 0; model < run_.models.size(); ++model) {
    const std::string folder = FolderOf(model);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return MakeError(ErrorCode::kIo, "--out " + folder + ": " + error.message());
    folders += folder + ", ";
  }
  return folders;
}

bool SavedFiles::Has(size_t model, size_t picture, size_t point) const {
  return flags_.out.empty() || std::ranges::all_of(kSavedExtensions, [&](const char* extension) {
           std::error_code ignored;
           return fs::exists(PathOf(model, picture, point, extension), ignored);
         });
}

Error SavedFiles::Save(const Coded& coded, size_t model) const {
  if (flags_.out.empty()) return {};
  const Measurement& m = coded.measurement;
  const Error error = WriteOutput(PathOf(model, m.picture, m.point, ".glint"), coded.stream.data(),
                                  coded.stream.size());
  if (!error.ok()) return error;
  return WritePictureOutput(PathOf(model, m.picture, m.point, ".png"), coded.decoded);
}

}  // namespace glint::tools
