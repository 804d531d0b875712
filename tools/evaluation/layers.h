// What the layers of a coding did, and how near that is to what the machine can do.
// Used by `evaluate --html` and bench/stages_bench.cc.
// Thread rules: pure functions, but Peaks, which measures, and ProfileLayers, which codes.
#ifndef GLINT_TOOLS_EVALUATION_LAYERS_H_
#define GLINT_TOOLS_EVALUATION_LAYERS_H_

#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "tools/common/json_output.h"

namespace glint::tools {

// GMAC/s that all threads together can do at most.
struct Peaks {
  double fp32 = 0, i16 = 0, u8 = 0;

  explicit Peaks(int threads);
  double Of(const std::string& kernel) const;  // LayerProfile::kernel
};

// Multiply-adds, and the time that they take at least.
struct Arithmetic {
  double macs = 0, seconds_at_peak = 0;

  void Add(const LayerProfile& layer, const Peaks& peaks);
};

using Layers = std::vector<LayerProfile>;

// The faster of both for each layer, in `best`: what it costs when nothing disturbs it.
void KeepFaster(const Layers& layers, Layers* best);

// The layers of one coding in either direction, each the fastest of some codings.
struct CodingLayers {
  Layers encoding, decoding;
};
Expected<CodingLayers> ProfileLayers(const Model& model, const Picture& picture,
                                     const EncodeOptions& options, int codings);

// A row of a table of layers: a layer, or the sum of several.
struct LayerLine {
  std::string stage, name, kernel;
  Arithmetic arithmetic;
  double seconds = 0;

  void Add(const LayerProfile& layer, const Peaks& peaks);
};

// The layers of each stage, their sum, and the sum of all.
std::vector<LayerLine> LinesOf(const Layers& layers, const Peaks& peaks);
Json LinesJson(const std::vector<LayerLine>& lines);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_LAYERS_H_
