// The streams and pictures that `evaluate --out` keeps, in a folder for each model.
// Used by tools/evaluation/runner.cc.
// Thread rules: one thread.
#ifndef GLINT_TOOLS_EVALUATION_SAVED_FILES_H_
#define GLINT_TOOLS_EVALUATION_SAVED_FILES_H_

#include <cstddef>
#include <string>

#include "glint/glint.hpp"
#include "tools/evaluation/job.h"
#include "tools/evaluation/measurement.h"
#include "tools/evaluation/run.h"

namespace glint::tools {

// Without --out nothing is saved.
class SavedFiles {
 public:
  // All three have to outlive this.
  SavedFiles(const EvaluateFlags& flags, const Job& job, const EvaluationRun& run)
      : flags_(flags), job_(job), run_(run) {}

  // Nothing that is read may be overwritten: --out may lead back to the pictures. Of the files of
  // --json, --html and --resume too.
  Error CheckKeepsInputs() const;
  // Returns their names, each with ", " behind.
  Expected<std::string> MakeFolders() const;
  // Whether the stream and the picture are there.
  bool Has(size_t model, size_t picture, size_t point) const;
  // The stream and what it decodes to.
  Error Save(const Coded& coded, size_t model) const;

 private:
  std::string FolderOf(size_t model) const;
  std::string PathOf(size_t model, size_t picture, size_t point, const char* extension) const;

  const EvaluateFlags& flags_;
  const Job& job_;
  const EvaluationRun& run_;
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_SAVED_FILES_H_
