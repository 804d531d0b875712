// What conv2d and conv_transpose2d have in common: the checks of weights, and the step.
// Called by both in engine/ops/.
// Thread rules: as engine/op.h.
#ifndef GLINT_ENGINE_OPS_CONV_H_
#define GLINT_ENGINE_OPS_CONV_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/node_check.h"
#include "engine/op.h"
#include "engine/step.h"
#include "kernels/conv.h"

namespace glint::ops {

inline constexpr const char* kConvWeights[] = {"weight"};
inline constexpr const char* kConvOptionalWeights[] = {"bias"};
inline constexpr WeightRoles kConvRoles = {kConvWeights, kConvOptionalWeights};

struct ConvSize {
  int kernel = 0;
  int64_t out_channels = 0;
};
// The weight: its shape, and that its inputs are those of the node.
Result<ConvSize> CheckConvWeight(const NodeCheck& check, Matrix::Order order);
// What stands beside it, of a channel each.
Status CheckConvRest(const NodeCheck& check, int64_t out_channels);

Matrix ConvMatrix(const TensorView& weight, Matrix::Order order);

// `spec`: what the operator alone knows; the rest is filled in.
Result<std::unique_ptr<Step>> PlanConv(const PlanContext& context, const Node& node,
                                       kernels::ConvSpec spec);

// The derivative of a convolution of stride 2, along rows or columns: the inputs of each phase,
// which are every other one, are sums of the output's gradient by some of the kernel's taps. As a
// kernel of stride 1: its size, and which tap stands where.
inline size_t PhaseKernel(size_t kernel) { return (kernel + 1) / 4 * 2 + 1; }
inline std::optional<size_t> TapOfPhase(size_t kernel, size_t phase, size_t place) {
  const size_t tap = PhaseKernel(kernel) - 1 + phase + (kernel - 1) / 2;  // at place 0
  if (tap < 2 * place || tap - 2 * place >= kernel) return std::nullopt;
  return tap - 2 * place;
}

}  // namespace glint::ops

#endif  // GLINT_ENGINE_OPS_CONV_H_
