// The report of `evaluate --html`: a page with the curves, tables and times of a run, and its
// pictures under a slider.
// Used by tools/evaluation/runner.cc and tools/evaluation/report.cc.
// Thread rules: one thread.
#ifndef GLINT_TOOLS_EVALUATION_PAGE_H_
#define GLINT_TOOLS_EVALUATION_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.hpp"
#include "tools/common/json_output.h"
#include "tools/evaluation/layers.h"
#include "tools/evaluation/measurement.h"
#include "tools/evaluation/output.h"
#include "tools/evaluation/run.h"

namespace glint::tools {

// Pixels of a picture that are shown: all, or of a large one those with most error.
struct ShownPart {
  uint32_t x = 0, y = 0, width = 0, height = 0;
};
Picture PartOf(const Picture& picture, const ShownPart& part);  // of 8 bits
// A part that is not larger than `most` and begins where a cell of `cell` x `cell` pixels does.
// Both pictures are 8-bit RGB and of one size.
struct PartSize {
  uint32_t width = 0, height = 0;
};
ShownPart PartWithMostError(const Picture& original, const Picture& decoded, PartSize most,
                            uint32_t cell);

class EvaluationPage {
 public:
  // `command` is what the user typed. Pictures take `most_bytes` of the page at most: beyond that
  // small parts of the best ones are shown, and where these are too many, the best are left out.
  EvaluationPage(std::string command, uint64_t most_bytes)
      : command_(std::move(command)), most_bytes_(most_bytes) {}

  // Whether a picture is shown, as far as is known: one that was left out stays so. Pictures are
  // told apart by Measurement::picture.
  bool MayShow(size_t picture) const { return left_out_.count(picture) == 0; }
  // What a model made of a picture at a rate, and where the bits went, if that is known. A picture
  // has one size.
  Error Add(const Picture& original, const Coded& coded, const BitsMap& bits, size_t model);
  // After all models of a picture at a rate.
  void EndStep(size_t picture);
  // The picture failed: it is in no results.
  void Remove(size_t picture);
  void AddLayers(const std::string& name, const std::vector<LayerLine>& lines);
  // Of what the layers are.
  void SetLayersNote(std::string note) { layers_note_ = std::move(note); }

  // `result` is what --json would have.
  std::string Html(const EvaluationRun& run, const std::vector<Evaluation>& evaluations,
                   const std::vector<QualityCurve>& curves, const Json& result) const;

 private:
  struct CodedPart {
    size_t model = 0, point = 0;
    std::string png;  // in Base64
    Json bits;
  };
  // The same pixels of a picture, as it was and as it was decoded.
  struct Part {
    ShownPart pixels;
    std::string png;
    std::vector<CodedPart> coded;
    uint64_t bytes = 0;
  };
  struct Shown {
    std::string name;
    uint32_t width = 0, height = 0;
    std::vector<Part>
        parts;  // the last one is shown; before it those that would do if it is too large
    std::vector<double> psnr;  // of the models, at the rate that is being added
    double badness = 0;        // the largest loss against the first model, or minus the PSNR
  };

  Expected<Shown*> Find(const Picture& original, const Picture& decoded, const Measurement& m,
                        const BitsMap& bits);
  void KeepWithinSize();

  const std::string command_;
  const uint64_t most_bytes_;
  std::map<size_t, Shown> shown_;
  std::set<size_t> left_out_;
  uint64_t bytes_ = 0;
  std::string layers_note_;
  Json layers_ = Json::array();
};

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_PAGE_H_
