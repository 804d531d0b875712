// Least squares over many places: sums of products while places come, then the solution for any of
// the unknowns. Called by codec/quantiser only.
// Thread rules: one caller; uses its runner's workers.
#ifndef GLINT_CODEC_QUANTISER_NORMAL_EQUATIONS_H_
#define GLINT_CODEC_QUANTISER_NORMAL_EQUATIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/thread_pool.h"

namespace glint::quantiser {

// Sums over places of products of unknowns' factors and of outputs.
class NormalEquations {
 public:
  NormalEquations(size_t unknowns, size_t outs)
      : unknowns_(unknowns),
        outs_(outs),
        squares_(unknowns * unknowns),
        products_(unknowns * outs),
        energies_(outs) {}

  static uint64_t Bytes(size_t unknowns, size_t outs) {
    // The squares and the products twice while they are solved, and a batch.
    const uint64_t row = uint64_t{unknowns} + outs;
    return sizeof(double) * (2 * uint64_t{unknowns} * row + kBatch * row + outs);
  }

  // Where the next place goes: the factors, then the outputs.
  double* NextPlace() {
    batch_.resize(batch_.size() + unknowns_ + outs_);
    return batch_.data() + batch_.size() - (unknowns_ + outs_);
  }
  void EndPlace(const Runner& runner) {
    if (batch_.size() == kBatch * (unknowns_ + outs_)) AddBatch(runner);
  }
  void Finish(const Runner& runner) { AddBatch(runner); }
  uint64_t places() const { return places_; }

  struct Solution {
    std::vector<double> weights;  // [out][unknown]
    double error = 0;             // mean square over places and outputs
  };
  // For the unknowns that are named, ascending, and these outputs.
  Solution Solve(const std::vector<size_t>& unknowns, size_t first_out, size_t outs) const;

 private:
  static constexpr size_t kBatch = 64;  // places

  void AddBatch(const Runner& runner);
  void AddRow(size_t a, size_t places);

  const size_t unknowns_, outs_;
  std::vector<double> squares_, products_, energies_;
  std::vector<double> batch_;
  uint64_t places_ = 0;
};

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_NORMAL_EQUATIONS_H_
