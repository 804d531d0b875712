#include "engine/chains.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace glint {
namespace {

// Pixels of a worker's share of the rows.
constexpr size_t kChainPixels = 256;

// The last step that reads a tensor, and whether all that do could be in a chain.
struct Readers {
  size_t last = 0;
  bool chainable = true;
};

bool IsChainable(const Step& step) {
  return step.window.rows == Axis{} && step.window.rows.group() == 1;
}

// By tensor. The graph's inputs and output belong to others.
std::vector<Readers> ReadersOf(const PlanImpl& plan) {
  std::vector<Readers> readers(plan.tensors.size());
  for (const int id : plan.input_tensors) readers[static_cast<size_t>(id)].chainable = false;
  readers[static_cast<size_t>(plan.output_tensor)].chainable = false;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = *plan.steps[s];
    const auto note = [&](int id) {
      Readers& of = readers[static_cast<size_t>(id)];
      of.last = s;
      of.chainable = of.chainable && IsChainable(step);
    };
    for (const int id : step.inputs) note(id);
    if (step.residual >= 0) note(step.residual);
  }
  return readers;
}

// The end of the longest chain that begins with a step: all outputs but the last one's are read in
// the chain alone. So every one of its steps makes the same rows.
size_t ChainEnd(const PlanImpl& plan, const std::vector<Readers>& readers, size_t first) {
  size_t best = first + 1, reach = first;
  for (size_t s = first; s < plan.steps.size() && IsChainable(*plan.steps[s]); ++s) {
    if (reach <= s) best = s + 1;
    const Readers& of = readers[static_cast<size_t>(plan.steps[s]->output)];
    if (!of.chainable) break;
    reach = std::max(reach, of.last);
  }
  return best;
}

}  // namespace

void FindChains(PlanImpl* plan) {
  if (plan->observer != nullptr || plan->whole) return;
  const std::vector<Readers> readers = ReadersOf(*plan);
  for (size_t first = 0; first < plan->steps.size();) {
    const size_t end = ChainEnd(*plan, readers, first);
    if (end - first > 1) plan->chains.push_back({first, end});
    for (size_t s = first; s + 1 < end; ++s) {
      plan->tensors[static_cast<size_t>(plan->steps[s]->output)].chained = true;
    }
    first = end;
  }
  // A ring is as short as the tensor in it that lives longest allows.
  for (size_t i = 0; i < plan->tensors.size(); ++i) {
    PlanTensor& owner = plan->tensors[static_cast<size_t>(plan->tensors[i].storage)];
    owner.chained = owner.chained && plan->tensors[i].chained;
  }
}

int64_t ChainRows(size_t pixels, size_t workers) {
  const size_t row = std::max<size_t>(1, pixels);
  return static_cast<int64_t>(std::max<size_t>(1, workers) * ((kChainPixels + row - 1) / row));
}

}  // namespace glint
