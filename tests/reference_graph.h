// The oracle: runs a graph on whole tensors in double with the plainest loops there are.
// Used by tests only.
// Thread rules: functions of their arguments.
#ifndef GLINT_TESTS_REFERENCE_GRAPH_H_
#define GLINT_TESTS_REFERENCE_GRAPH_H_

#include <map>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "tests/test_model.h"

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

// kDouble: double throughout. kFloatChain: the exact class as it is defined, float32 operations one
// after the other; sums are chains acc = bias; for source, ky, kx, ic: acc = acc + w * x.
enum class ReferenceMode { kDouble, kFloatChain };

// A node for the loops of its operator.
struct TwinNode {
  const TestModel& model;
  const Graph& graph;
  const Node& node;
  const testing::Json& attributes;  // as in a file
  std::vector<const ReferenceTensor*> in;
  double t = 0;
  ReferenceMode mode = ReferenceMode::kDouble;

  // As the file has it; empty where there is none.
  std::vector<float> Weight(const std::string& role) const;
  const std::vector<int64_t>& Shape(const std::string& role) const;
  // What the node multiplies by, in the order of the file: integers with their scale, without the
  // factors of its input, which they hold already. `inputs`, `outputs`: the dimensions of its shape
  // that count them. Of one input, or of several without factors.
  std::vector<float> Matrix(const std::string& role, size_t outputs, size_t inputs) const;
  // One operation's result in the arithmetic of the mode.
  double Rounded(double v) const;
  // acc + w * x in the arithmetic of the mode.
  double MultiplyAdd(double acc, double w, double x) const;
};

using Twin = ReferenceTensor (*)(const TwinNode& node);
// The loops of an operator, by its name; each stands in the operator's test (tests/ops/).
struct RegisterTwin {
  RegisterTwin(const std::string& op, Twin twin);
};

// What a tensor's integers are multiplied by besides its scale, per channel.
std::vector<float> FactorsOf(const TestModel& model, const Graph& graph, const std::string& tensor);

ReferenceTensor RunReference(const TestModel& model, const Graph& graph,
                             const std::map<std::string, ReferenceTensor>& inputs, double t,
                             ReferenceMode mode = ReferenceMode::kDouble);

}  // namespace glint

#endif  // GLINT_TESTS_REFERENCE_GRAPH_H_
