// Finding and loading what came with Glint, model files first of all.
// Used by the mains of the tools and benchmarks.
// Thread rules: free functions; they read the environment.
#ifndef GLINT_TOOLS_COMMON_MODELS_H_
#define GLINT_TOOLS_COMMON_MODELS_H_

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

inline constexpr const char* kFloatModel = "light-fp32.safetensors";
inline constexpr const char* kCodingModel = "light-int8.safetensors";  // of `glint`
// Where a user learns which file has an id that none of today's has.
inline constexpr const char* kOlderModels = "older ones of Glint: weights/SHIPPED.md of its source";

// The file that a flag means: one of that path, or the model that came with Glint under that name,
// such as "light-msssim-int8".
std::string PathOfModel(const std::string& flag);
// PathOfModel(flag) if `flag` is not empty, where a name that is neither a file's nor a model's is
// an error that says which models there are; else $GLINT_MODEL, a file, or a folder that holds
// `file_name`; else `file_name` in ../share/glint beside this program's folder, in the source
// tree's weights/, or where Glint was installed.
Expected<std::string> FindModel(const std::string& flag,
                                const std::string& file_name = kFloatModel);
// The same without $GLINT_MODEL, for a file that was asked for by name.
Expected<std::string> FindShippedModel(const std::string& file_name);

// The folder of sample pictures.
Expected<std::string> FindSamples();

// `threads`: of the loading; 0: all that the machine has.
// A terminal is shown how far it is, where that takes a while; kQuiet where something else is
// shown.
enum class Loading { kShown, kQuiet };
Expected<Model> LoadModel(const std::string& path, int threads, Loading loading = Loading::kShown);
// Finds the models that streams name, and loads each once: `flag` if it is not empty, whatever the
// stream names; else, of those in $GLINT_MODEL (a file, or the files of a folder) and then of those
// that came with Glint, the one of that id. May be used on several threads at once.
class ModelFinder {
 public:
  // `threads`: those that a model is loaded with.
  ModelFinder(std::string flag, int threads, Loading loading = Loading::kShown)
      : flag_(std::move(flag)), threads_(threads), loading_(loading) {}
  Expected<Model> Find(const std::string& id);

 private:
  void ListPaths();
  std::string Looked() const;

  std::string flag_;
  int threads_;
  Loading loading_;
  std::mutex mutex_;
  std::vector<std::string> paths_;          // where it may be, the likely ones first
  std::map<std::string, std::string> ids_;  // by path, of those that were looked at
  std::map<std::string, Model> models_;     // by id, of those that were found
};

// Chooses the SIMD target: `flag` if not empty, else $GLINT_TARGET, else the best; the message
// names what there is.
Error UseTarget(const std::string& flag);

// Is `lrd` one that the model takes, with its details as they are asked for?
Error CheckLrd(const ModelInfo& model, double lrd, Detail detail = Detail::kAuto);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_MODELS_H_
