// Sees the tensors of a graph while it runs: how calibration learns ranges and moments.
// Implemented by codec/quantiser; called by executors whose plan was made with an observer.
// Thread rules: called by one thread, between steps.
#ifndef GLINT_ENGINE_TENSOR_OBSERVER_H_
#define GLINT_ENGINE_TENSOR_OBSERVER_H_

#include <cstddef>
#include <string>

namespace glint {

class TensorObserver {
 public:
  virtual ~TensorObserver() = default;
  // A finished row of a float tensor, inputs included: `pixels` pixels of `channels` floats each,
  // `stride` floats apart. Rows come in order, each once.
  virtual void OnRow(const std::string& graph, const std::string& tensor, const float* values,
                     size_t pixels, size_t channels, size_t stride) = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_TENSOR_OBSERVER_H_
