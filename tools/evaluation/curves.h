// Rate-quality curves: of an evaluation, or of any codec from a JSON file in CompressAI's schema,
// which is what `evaluate --json` writes. Used by tools/evaluation/comparison.cc and
// tools/evaluation/job.cc. Thread rules: pure functions, but for the file that is read.
#ifndef GLINT_TOOLS_EVALUATION_CURVES_H_
#define GLINT_TOOLS_EVALUATION_CURVES_H_

#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "tools/common/json_output.h"
#include "tools/evaluation/bd_rate.h"
#include "tools/evaluation/output.h"

namespace glint::tools {

struct QualityCurve {
  std::string name;
  // The rate is in bits per pixel, MS-SSIM in dB. Rates where no picture has an MS-SSIM are left
  // out of `ms_ssim`. An infinite PSNR (nothing was lost) stays; then there is no BD-rate.
  std::vector<RatePoint> psnr, ms_ssim;
  bool from_file = false;  // else of an evaluation
};

QualityCurve CurveOf(const Evaluation& evaluation);

// `json` is {"name", "results": {"bpp": [..], "psnr-rgb": [..], "ms-ssim-rgb": [..]}}, a list of
// such objects, or an object with that list as "models". One of the two qualities may be missing.
Expected<std::vector<QualityCurve>> CurvesOf(const Json& json);
Expected<std::vector<QualityCurve>> ReadCurves(const std::string& path);

// Bits for the same quality, `other` against `first`.
Expected<BdRate> PsnrBdRate(const QualityCurve& first, const QualityCurve& other);
Expected<BdRate> MsSsimBdRate(const QualityCurve& first, const QualityCurve& other);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_CURVES_H_
