// What `evaluate` is to do, from its flags: models, rates and pictures, all checked and loaded
// before the first picture is touched.
// Used by tools/evaluate.cc, and by what is in tools/evaluation.
// Thread rules: free functions; they read the environment, and choose the SIMD target.
#ifndef GLINT_TOOLS_EVALUATION_JOB_H_
#define GLINT_TOOLS_EVALUATION_JOB_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "tools/common/output.h"
#include "tools/common/pictures.h"
#include "tools/common/shard.h"
#include "tools/evaluation/curves.h"

namespace glint::tools {

struct EvaluateFlags {
  std::string command;  // what the user typed
  std::string type, gt_path, lrd, quality, target, out, json, html, curves;
  std::vector<std::string> models, compare, families;
  int freq = 0;
  int effort = 0;
  int threads = 1;
  int repeat = 1;
  bool verify = true;
  std::optional<Detail> detail;  // as asked for
  std::optional<Shard> shard;    // of the pictures
  bool resume = false;
  std::vector<std::string> merge;           // results of shards; then there is no job
  Limits limits;                            // of everything that is done with one picture
  uint64_t html_size = uint64_t{19} << 20;  // of the pictures of the page, at most
};

// Checks the files of --json and --html before the run: they can be written, are two, and none of
// the inputs.
Error CheckResultPaths(const EvaluateFlags& flags);
Error CheckKeepsInputs(const InputFiles& inputs, const EvaluateFlags& flags);

// The types that Glint ships models of: "FP32" is light-fp32.safetensors.
const std::vector<std::string>& ShippedTypes();

struct LoadedModel {
  std::string path;
  std::string name;        // of the file without its ending; no two of a family alike
  Model encoder, decoder;  // loaded separately
};

struct TestedModel {
  std::string type;                  // as it was asked for, else the model's form: "INT8"
  std::string label;                 // what it is called, no two alike
  std::vector<LoadedModel> members;  // one; or a family, models of one fixed rate each

  const LoadedModel& front() const { return members.front(); }
  const ModelInfo& info() const { return front().encoder.info(); }
};

// One of the rates that make a curve: an lrd, or a member of the families.
struct CurvePoint {
  double lrd = 0;
  size_t member = 0;
};

struct Job {
  std::vector<TestedModel> models;  // several are compared with the first
  std::vector<CurvePoint> points;
  bool has_families = false;
  Detail detail = Detail::kAuto;
  PictureList pictures;
  std::string source;  // of the pictures, for the report
  int freq = 1;
  std::vector<QualityCurve> curves;  // to compare with as well
};

Expected<Job> PrepareJob(const EvaluateFlags& flags);

// ---- parts of it, for tests ---------------------------------------------------------------------

// The type of a model of `form` when `asked` was asked for: that, or the form where it is empty.
// A type may say more than the form does: INT8-ENTROPY is of the form int8.
Expected<std::string> TypeOf(const std::string& asked, const std::string& form);

struct TypedFile {
  std::string path, type;
  std::string model = {};  // its name
};
// The files that a pattern of the shell (glob) names, in the order of names, numbers in them
// counted as numbers; several, or it is an error.
Expected<std::vector<std::string>> FilesOfFamily(const std::string& pattern);
// The types where these differ and the model is the same, else the names of the files; numbered
// where those are alike too.
std::vector<std::string> Labels(const std::vector<TypedFile>& files);

// Rates from `min` to `max`, evenly spread on a logarithmic scale, between the ends rounded to
// three digits.
std::vector<double> SpreadRates(double min, double max);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_JOB_H_
