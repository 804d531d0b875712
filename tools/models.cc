#include "tools/models.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "tools/console.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

// Where Glint's data may be: beside this program, so that an installation can be moved; in the
// source tree that it was built from; where it was to be installed.
std::vector<fs::path> DataFolders(const char* source_folder) {
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path().parent_path() / "share" / "glint");
  if (source_folder != nullptr) folders.emplace_back(source_folder);
#ifdef GLINT_INSTALLED_DATA_DIR
  folders.emplace_back(GLINT_INSTALLED_DATA_DIR);
#endif
  return folders;
}

const char* SourceWeights() {
#ifdef GLINT_WEIGHTS_DIR
  return GLINT_WEIGHTS_DIR;
#else
  return nullptr;
#endif
}

std::string EnvironmentModel(const std::string& file_name) {
  const char* value = std::getenv("GLINT_MODEL");
  if (value == nullptr || *value == '\0') return "";
  std::error_code error;
  return fs::is_directory(value, error) ? (fs::path(value) / file_name).string() : value;
}

}  // namespace

Expected<std::string> FindShippedModel(const std::string& file_name) {
  std::string looked;
  for (const fs::path& folder : DataFolders(SourceWeights())) {
    std::error_code error;
    const fs::path path = folder / file_name;
    if (fs::is_regular_file(path, error)) return path.string();
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  return MakeError(ErrorCode::kNotFound,
                   file_name + ": there is no such model in " + looked + "; name one with --model");
}

Expected<std::string> FindModel(const std::string& flag, const std::string& file_name) {
  if (!flag.empty()) return flag;
  const std::string named = EnvironmentModel(file_name);
  if (!named.empty()) return named;
  return FindShippedModel(file_name);
}

Expected<std::string> FindSamples() {
  std::error_code error;
  std::vector<fs::path> folders = DataFolders(nullptr);
  for (fs::path& folder : folders) folder /= "samples";
#ifdef GLINT_SAMPLES_DIR
  folders.emplace_back(GLINT_SAMPLES_DIR);
#endif
  for (const fs::path& folder : folders) {
    if (fs::is_directory(folder, error)) return folder.string();
  }
  return MakeError(ErrorCode::kNotFound,
                   "no sample pictures came with this build; name a picture or folder: --gt_path");
}

Expected<Model> LoadModel(const std::string& path) {
  Expected<Model> model = Model::Load(path);
  if (!model) return At(path, model.error());
  return model;
}

Expected<Model> LoadModelOf(const std::string& id, const std::string& flag) {
  const Expected<std::string> path = FindModel(flag, kCodingModel);
  if (!path) return path.error();
  Expected<Model> first = LoadModel(*path);
  const char* environment = std::getenv("GLINT_MODEL");
  const bool named = !flag.empty() || (environment != nullptr && *path == environment);
  if (!first || named || first->info().id == id) return first;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(*path).parent_path(), error)) {
    if (entry.path().extension() != ".safetensors" || entry.path() == *path) continue;
    Expected<Model> other = LoadModel(entry.path().string());
    if (other && other->info().id == id) return other;
  }
  return first;
}

Error UseTarget(const std::string& flag) {
  const char* environment = std::getenv("GLINT_TARGET");
  std::string name = flag;
  if (name.empty() && environment != nullptr) name = environment;
  if (name.empty()) return {};
  const Error error = SetTarget(name);
  if (error.ok()) return error;
  std::string targets;
  for (const std::string& target : SupportedTargets()) targets += " " + target;
  return Error{error.code, (flag.empty() ? "GLINT_TARGET=" : "--target ") + name +
                               ": not one of this machine's targets:" + targets};
}

Error CheckLrd(const ModelInfo& model, double lrd) {
  if (lrd >= model.lrd_min && lrd <= model.lrd_max) return {};
  return MakeError(ErrorCode::kInvalidArgument, "--lrd " + Shortest(lrd) + ": model " + model.name +
                                                    " takes " + Shortest(model.lrd_min) + " to " +
                                                    Shortest(model.lrd_max));
}

}  // namespace glint::tools
