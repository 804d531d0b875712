// The oracle: runs a graph on whole tensors in double with the plainest loops there are.
// Used by tests only.
#ifndef GLINT_TESTS_REFERENCE_GRAPH_H_
#define GLINT_TESTS_REFERENCE_GRAPH_H_

#include <map>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/model_file.h"

namespace glint {

struct ReferenceTensor {
  int height = 0, width = 0, channels = 0;
  std::vector<double> data;  // NHWC
  ReferenceTensor() = default;
  ReferenceTensor(int h, int w, int c)
      : height(h),
        width(w),
        channels(c),
        data(static_cast<size_t>(h) * static_cast<size_t>(w) * static_cast<size_t>(c)) {}
  double& at(int y, int x, int c) {
    return data[(static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) *
                    static_cast<size_t>(channels) +
                static_cast<size_t>(c)];
  }
  double at(int y, int x, int c) const { return const_cast<ReferenceTensor*>(this)->at(y, x, c); }
  double AtOrZero(int y, int x, int c) const {
    return y < 0 || x < 0 || y >= height || x >= width ? 0.0 : at(y, x, c);
  }
};

// kDouble: double throughout. kFloatChain: the exact class as it is defined, float32 chains
// acc = bias; for source, ky, kx, ic: acc = acc + w * x.
enum class ReferenceMode { kDouble, kFloatChain };

ReferenceTensor RunReference(const ModelFile& model, const Graph& graph,
                             const std::map<std::string, ReferenceTensor>& inputs, double t,
                             ReferenceMode mode = ReferenceMode::kDouble);

}  // namespace glint

#endif  // GLINT_TESTS_REFERENCE_GRAPH_H_
