// Several models over the same pictures and rates, each against the first: bits for the same
// quality, speed, size of the file; and against curves of other codecs. As tables for people and as
// JSON. Used by tools/evaluation/report.cc.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_EVALUATION_COMPARISON_H_
#define GLINT_TOOLS_EVALUATION_COMPARISON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "tools/common/json_output.h"
#include "tools/evaluation/bd_rate.h"
#include "tools/evaluation/curves.h"
#include "tools/evaluation/output.h"

namespace glint::tools {

struct ModelComparison {
  std::string label;
  uint64_t bytes = 0;     // of the model file
  double size_ratio = 0;  // these bytes to the first's
  // From the means over the pictures, the MS-SSIM in dB; or why there is none.
  Expected<BdRate> psnr, ms_ssim;
  // Time of the first to time of this, summed over pictures and rates: 2 is twice as fast. NaN
  // where nothing was measured.
  double encoding_speed = 0, decoding_speed = 0;
  double transform_speed = 0;  // g_a when encoding and g_s when decoding
};

struct Comparison {
  size_t rates = 0;
  std::vector<ModelComparison> models;  // the first as well
};

// The evaluations, two or more, are of the same pictures and rates.
Comparison CompareWithFirst(const std::vector<Evaluation>& evaluations);

std::string ComparisonText(const Comparison& comparison);  // a table and what it means
Json ComparisonJson(const Comparison& comparison);

// A model against a curve of another codec; nobody can check that it is of the same pictures.
struct CurveComparison {
  std::string label, curve;
  Expected<BdRate> psnr, ms_ssim;
};

std::vector<CurveComparison> CompareWithCurves(const std::vector<Evaluation>& evaluations,
                                               const std::vector<QualityCurve>& curves);

std::string CurvesText(const std::vector<CurveComparison>& comparisons);

// One evaluation as EvaluationJson has it; several as "models", beside their "comparison". With
// curves also "curves".
Json EvaluationsJson(const std::vector<Evaluation>& evaluations,
                     const std::vector<QualityCurve>& curves = {});

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_COMPARISON_H_
