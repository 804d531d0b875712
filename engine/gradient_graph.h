// How the squared error of what a graph makes depends on what it reads, as a graph of ordinary
// operators: forwards, the difference from a target, and backwards. So kernels, bands, threads and
// memory are those of any other graph. Called by codec/model and codec/api/picture_gradient.
// Thread rules: pure functions.
#ifndef GLINT_ENGINE_GRADIENT_GRAPH_H_
#define GLINT_ENGINE_GRADIENT_GRAPH_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/model_file.h"
#include "engine/status.h"

namespace glint {

inline constexpr const char* kGradientGraph = "gradient";

// A target of `rows` rows for each row of a graph's input comes as pixel_unshuffle of these
// factors, one after the other, makes it.
std::vector<int> TargetFactors(int64_t rows);

struct OutputRange {
  float low = 0, high = 0;
};

// A model file in memory with one graph, kGradientGraph. Its inputs are those of graph `name` of
// `model`, which must be one of C channels, and the target: what `name` should make, gathered by
// TargetFactors until it has as few rows as the input. Its output is the gradient of half the
// squared error, C channels. Class close, and all in float32: matrices of integers become the
// numbers that they stand for, and tensors are not rounded, so the gradient of a quantised model is
// near that of the model it was made of. With `range`, what is made beyond it counts as its end: no
// pixel shows more, so it is no error. kUnsupported, naming the node, where an operator has no
// derivative (op.h); where a tensor of the graph is smaller than its input; and where the gradient
// would be beyond what a file may have, such as 4096 channels.
Result<std::shared_ptr<const ModelFile>> MakeGradientModel(
    const ModelFile& model, const std::string& name,
    const std::optional<OutputRange>& range = std::nullopt);

}  // namespace glint

#endif  // GLINT_ENGINE_GRADIENT_GRAPH_H_
