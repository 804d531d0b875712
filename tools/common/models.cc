#include "tools/common/models.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>
#include <vector>

#include "tools/common/console.h"
#include "tools/common/pace.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

// Where Glint's data may be: beside this program, so that an installation can be moved, as it is in
// the folder of a build (CMakeLists.txt); where it was to be installed.
std::vector<fs::path> DataFolders() {
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path().parent_path() / "share" / "glint");
  folders.emplace_back(GLINT_INSTALLED_DATA_DIR);
  return folders;
}

std::string FromEnvironment() {
  const char* value = std::getenv("GLINT_MODEL");
  return value == nullptr ? "" : value;
}

// The model files of a folder, `first` in front.
void AddModels(const fs::path& folder, const char* first, std::vector<std::string>* paths) {
  std::error_code error;
  std::vector<std::string> others;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() != ".safetensors") continue;
    std::vector<std::string>* const to = entry->path().filename() == first ? paths : &others;
    to->push_back(entry->path().string());
  }
  std::sort(others.begin(), others.end());
  paths->insert(paths->end(), others.begin(), others.end());
}

Error UnknownModel(const std::string& flag) {
  std::vector<std::string> paths;
  for (const fs::path& folder : DataFolders()) AddModels(folder, "", &paths);
  std::set<std::string> names;
  for (const std::string& path : paths) names.insert(fs::path(path).stem().string());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return MakeError(ErrorCode::kNotFound,
                   flag + ": there is no such file" +
                       (text.empty() ? "" : ", and the models that came with Glint are " + text));
}

}  // namespace

Expected<std::string> FindShippedModel(const std::string& file_name) {
  std::string looked;
  for (const fs::path& folder : DataFolders()) {
    std::error_code error;
    const fs::path path = folder / file_name;
    if (fs::is_regular_file(path, error)) return path.string();
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  return MakeError(ErrorCode::kNotFound,
                   file_name + ": there is no such model in " + looked + "; name one with --model");
}

std::string PathOfModel(const std::string& flag) {
  std::error_code error;
  const bool is_name = flag.find_first_of("/.") == std::string::npos;
  if (!is_name || fs::exists(flag, error)) return flag;
  const Expected<std::string> shipped = FindShippedModel(flag + ".safetensors");
  return shipped ? *shipped : flag;
}

Expected<std::string> FindModel(const std::string& flag, const std::string& file_name) {
  std::error_code error;
  if (!flag.empty()) {
    std::string path = PathOfModel(flag);
    const bool in_folder = path.find('/') != std::string::npos;
    if (in_folder || fs::exists(path, error)) return path;
    return UnknownModel(flag);
  }
  const std::string named = FromEnvironment();
  if (named.empty()) return FindShippedModel(file_name);
  if (!fs::is_directory(named, error)) return named;
  const fs::path path = fs::path(named) / file_name;
  if (fs::exists(path, error)) return path.string();
  return MakeError(ErrorCode::kNotFound,
                   "GLINT_MODEL=" + named + ": there is no " + file_name + " in this folder");
}

Expected<std::string> FindSamples() {
  std::error_code error;
  for (const fs::path& folder : DataFolders()) {
    const fs::path samples = folder / "samples";
    if (fs::is_directory(samples, error)) return samples.string();
  }
  return MakeError(ErrorCode::kNotFound,
                   "no sample pictures came with this build; name a picture or folder: --gt_path");
}

Expected<Model> LoadModel(const std::string& path, int threads, Loading loading) {
  LoadOptions options;
  options.threads = threads;
  StatusLine status;
  const Pace pace;
  if (loading == Loading::kShown && status.visible()) {
    options.progress = [&](double done) {
      const std::string left = pace.Text(done, 1, 0);
      if (!left.empty()) status.ShowProgress("loading " + Printable(path, 30), done, left);
      return true;
    };
  }
  Expected<Model> model = Model::Load(path, options);
  if (!model) return At(path, model.error());
  return model;
}

Expected<Model> ModelFinder::Find(const std::string& id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!flag_.empty()) {
    if (models_.empty()) {
      const Expected<std::string> path = FindModel(flag_);
      if (!path) return path.error();
      Expected<Model> model = LoadModel(*path, threads_, loading_);
      if (!model) return model;
      models_.emplace("", std::move(*model));
    }
    return models_.begin()->second;
  }
  const auto known = models_.find(id);
  if (known != models_.end()) return known->second;
  if (paths_.empty()) ListPaths();
  Error no_memory;  // to look into a file, which may be the one
  for (const std::string& path : paths_) {
    // What the environment names, and only that, has to be sound.
    const bool is_named = path == FromEnvironment();
    const bool is_new = ids_.count(path) == 0;
    if (is_new) {
      const Expected<std::string> of_file = Model::IdOfFile(path);
      if (!of_file && of_file.error().code == ErrorCode::kLimit) {
        no_memory = of_file.error();
        continue;
      }
      ids_[path] = of_file ? *of_file : "";
    }
    if (ids_[path] != id && !(is_new && is_named)) continue;
    Expected<Model> model = LoadModel(path, threads_, loading_);
    if (!model && (is_named || model.error().code == ErrorCode::kLimit)) return model;
    if (!model || model->info().id != id) continue;
    models_.emplace(id, *model);
    return model;
  }
  if (!no_memory.ok()) return no_memory;
  return MakeError(ErrorCode::kWrongModel, "the stream was made with model " + id + ", and " +
                                               Looked() + "; name the right one with --model (" +
                                               kOlderModels + ")");
}

void ModelFinder::ListPaths() {
  std::error_code error;
  const std::string named = FromEnvironment();
  if (fs::is_directory(named, error)) {
    AddModels(named, kCodingModel, &paths_);
  } else if (!named.empty()) {
    paths_.push_back(named);
  }
  for (const fs::path& folder : DataFolders()) {
    AddModels(folder, kCodingModel, &paths_);
  }
}

std::string ModelFinder::Looked() const {
  std::string text;
  const auto named = ids_.find(FromEnvironment());
  if (named != ids_.end()) text = "GLINT_MODEL=" + named->first + " is " + named->second + ", and ";
  text += "no other is it in";
  std::set<std::string> folders;
  for (const std::string& path : paths_) folders.insert(fs::path(path).parent_path().string());
  for (const std::string& folder : folders) text += " " + folder;
  return text;
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

Error CheckLrd(const ModelInfo& model, double lrd, Detail detail) {
  const bool with_details = detail != Detail::kOff;
  const std::string without = with_details ? "" : " without details";
  const auto invalid = [&](const std::string& what) {
    return MakeError(ErrorCode::kInvalidArgument,
                     "--lrd " + Shortest(lrd) + ": model " + model.name + what);
  };
  if (!with_details && model.has_fixed_rate()) {
    return invalid(" has one fixed rate, so none can be chosen without details");
  }
  const double min = with_details ? model.detail_lrd_min : model.lrd_min;
  const double max = with_details ? model.detail_lrd_max : model.lrd_max;
  if (lrd >= min && lrd <= max) return {};
  return invalid(" takes " + Shortest(min) + " to " + Shortest(max) + without);
}

}  // namespace glint::tools
