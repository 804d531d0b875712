// The inside of a Plan: steps over numbered tensors. Built by plan.cc; its row numbers are worked
// out by schedule.h, and executor.cc runs it. Internal to engine/.
// Thread rules: immutable after Plan::Make.
#ifndef GLINT_ENGINE_PLAN_H_
#define GLINT_ENGINE_PLAN_H_

#include <memory>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/step.h"

namespace glint {

// Steps [first, end) that are run some rows at a time.
struct Chain {
  size_t first = 0, end = 0;
};

class PlanImpl final : public Plan {
 public:
  size_t input_count() const override { return input_tensors.size(); }
  size_t input_channels(size_t input) const override {
    return tensors[static_cast<size_t>(input_tensors[input])].channels;
  }
  size_t output_channels() const override {
    return tensors[static_cast<size_t>(output_tensor)].channels;
  }
  size_t input_halo(size_t input) const override {
    return tensors[static_cast<size_t>(input_tensors[input])].halo;
  }
  const Quantisation* input_quantisation(size_t input) const override {
    return tensors[static_cast<size_t>(input_tensors[input])].quantisation;
  }
  const Quantisation* output_quantisation() const override {
    return tensors[static_cast<size_t>(output_tensor)].quantisation;
  }
  bool whole_picture() const override { return whole; }
  size_t packed_bytes() const override;
  std::string Describe() const override;

  const ModelFile* model = nullptr;    // for the gains' weights; outlives the plan
  TensorObserver* observer = nullptr;  // or nobody
  std::string graph_name;
  NumericClass numeric_class = NumericClass::kClose;
  PositionSet wanted = kAllPositions;  // of the output
  bool whole = false;                  // some tensor is dynamic
  std::vector<PlanTensor> tensors;
  std::vector<int> input_tensors;
  int output_tensor = 0;
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<Chain> chains;  // in the order of the steps
};

}  // namespace glint

#endif  // GLINT_ENGINE_PLAN_H_
