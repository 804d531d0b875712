// Finding and loading what came with Glint, model files first of all.
// Used by the mains of the tools and benchmarks.
// Thread rules: free functions; they read the environment.
#ifndef GLINT_TOOLS_MODELS_H_
#define GLINT_TOOLS_MODELS_H_

#include <string>

#include "glint/glint.hpp"

namespace glint::tools {

inline constexpr const char* kFloatModel = "light-fp32.safetensors";
inline constexpr const char* kCodingModel = "light-int8.safetensors";  // of `glint`

// `flag` if not empty; else $GLINT_MODEL, a file, or a folder that holds `file_name`; else
// `file_name` in ../share/glint beside this program's folder, then in the source tree's weights/.
Expected<std::string> FindModel(const std::string& flag,
                                const std::string& file_name = kFloatModel);
// The same without $GLINT_MODEL, for a file that was asked for by name.
Expected<std::string> FindShippedModel(const std::string& file_name);

// The folder of sample pictures.
Expected<std::string> FindSamples();

Expected<Model> LoadModel(const std::string& path);
// The model that a stream names: `flag` or $GLINT_MODEL if it is a file, whatever its id; else the
// one of this id among those that came with Glint (or lie in the folder $GLINT_MODEL), or, when
// there is none, kCodingModel.
Expected<Model> LoadModelOf(const std::string& id, const std::string& flag);

// Chooses the SIMD target: `flag` if not empty, else $GLINT_TARGET, else the best; the message
// names what there is.
Error UseTarget(const std::string& flag);

// Is `lrd` one that the model takes?
Error CheckLrd(const ModelInfo& model, double lrd);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_MODELS_H_
