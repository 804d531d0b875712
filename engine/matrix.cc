#include "engine/matrix.h"

namespace glint {

size_t Matrix::Index(size_t output, size_t input, size_t tap) const {
  const size_t row = order == Order::kDepthwise     ? output
                     : order == Order::kInputsFirst ? input * outputs + output
                                                    : output * inputs + input;
  return row * taps + tap;
}

size_t Matrix::OutputOf(size_t index) const {
  const size_t row = index / taps;
  return order == Order::kDepthwise     ? row
         : order == Order::kInputsFirst ? row % outputs
                                        : row / inputs;
}

size_t Matrix::InputOf(size_t index) const {
  const size_t row = index / taps;
  return order == Order::kDepthwise     ? row
         : order == Order::kInputsFirst ? row / outputs
                                        : row % inputs;
}

}  // namespace glint
