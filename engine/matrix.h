// The weight that an operator multiplies by: where the element of an output, an input and a tap
// stands, which taps are multiplied at all, and what becomes of the sum. The operator says it once
// (engine/ops/); checks, packing and the quantiser ask.
// Thread rules: values.
#ifndef GLINT_ENGINE_MATRIX_H_
#define GLINT_ENGINE_MATRIX_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace glint {

struct Matrix {
  enum class Order {
    kOutputsFirst,  // [output][input][tap]
    kInputsFirst,   // [input][output][tap]
    kDepthwise,     // [channel][tap]: an output sums the input of its own channel
  };
  enum class Sum {
    kIsOutput,   // of products with the input
    kDivides,    // of products with the input's magnitudes or squares: output = input / sum
    kMultiplies  // the same: output = input * sum
  };

  std::string role;  // of the weight: "weight", "gamma"
  std::string bias;  // role of what is added to the sums: "bias", "beta"
  Order order = Order::kOutputsFirst;
  size_t outputs = 0;
  size_t inputs = 0;
  size_t taps = 1;
  std::vector<bool> live;  // by tap; empty: all
  size_t phases = 1;       // of a transposed convolution: an output sums the taps of one phase only
  Sum sum = Sum::kIsOutput;
  // kDivides, kMultiplies: of squares, and it is the root of the sum that divides or multiplies.
  bool squares = false;

  bool IsLive(size_t tap) const { return live.empty() || live[tap]; }
  // The inputs [first, last) that an output sums.
  struct Inputs {
    size_t first = 0, last = 0;
  };
  Inputs InputsOf(size_t output) const {
    return order == Order::kDepthwise ? Inputs{output, output + 1} : Inputs{0, inputs};
  }
  // Of one output; all have as many.
  size_t inputs_summed() const { return order == Order::kDepthwise ? 1 : inputs; }
  bool normalises() const { return sum != Sum::kIsOutput; }
  // Place of an element that is multiplied, in the file's order.
  size_t Index(size_t output, size_t input, size_t tap) const;
  // What the element at a place belongs to.
  size_t OutputOf(size_t index) const;
  size_t InputOf(size_t index) const;
  // The dimension of the weight's shape that counts inputs.
  size_t InputDimension() const { return order == Order::kInputsFirst ? 0 : 1; }
};

}  // namespace glint

#endif  // GLINT_ENGINE_MATRIX_H_
