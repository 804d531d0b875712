// The flag by which `glint encode` and `evaluate` are told how long to look for better symbols.
// Used by the files of the commands.
// Thread rules: main thread only.
#ifndef GLINT_TOOLS_PROGRAM_EFFORT_FLAG_H_
#define GLINT_TOOLS_PROGRAM_EFFORT_FLAG_H_

#include <string>

#include "glint/glint.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace glint::tools {

// --effort; more of `help` stands behind what the numbers mean.
CLI::Option* AddEffortFlag(CLI::App* app, const std::string& help, int* effort);

// Before any picture is read: an error that names the flag, the model's file and the reason where
// the model cannot be encoded with options.effort.
Error CheckEffort(const Model& model, const EncodeOptions& options);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_EFFORT_FLAG_H_
