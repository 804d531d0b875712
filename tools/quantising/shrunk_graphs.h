// `quantize --type KEEP`: the model as it is, with graphs for shrunk pictures.
// Used by tools/quantize.cc.
// Thread rules: main thread only; the library makes workers.
#ifndef GLINT_TOOLS_QUANTISING_SHRUNK_GRAPHS_H_
#define GLINT_TOOLS_QUANTISING_SHRUNK_GRAPHS_H_

#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "glint/quantise.hpp"

namespace glint::tools {

struct ShrunkGraphsJob {
  std::string model, calibration, out, log;  // as the flags have them
  ShrunkGraphOptions options;
  Limits limits;
};

// Reads, fits, prints the report and writes the file.
Error RunShrunkGraphs(const std::string& tool, const ShrunkGraphsJob& job);
// A table of what was fitted.
std::string ShrunkGraphsText(const std::vector<ShrunkGraphFit>& fits);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_QUANTISING_SHRUNK_GRAPHS_H_
