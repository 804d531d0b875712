#include "codec/quantiser/normal_equations.h"

#include <algorithm>

#include "codec/quantiser/rounding.h"

namespace glint::quantiser {

void NormalEquations::AddBatch(const Runner& runner) {
  const size_t row = unknowns_ + outs_, places = batch_.size() / row;
  constexpr size_t kRows = 16;
  ParallelFor(runner, (unknowns_ + kRows - 1) / kRows, [&](size_t i, size_t) {
    const size_t end = std::min(unknowns_, (i + 1) * kRows);
    for (size_t a = i * kRows; a < end; ++a) AddRow(a, places);
  });
  for (size_t p = 0; p < places; ++p) {
    const double* outputs = batch_.data() + p * row + unknowns_;
    for (size_t o = 0; o < outs_; ++o) energies_[o] += outputs[o] * outputs[o];
  }
  places_ += places;
  batch_.clear();
}

// Upper triangle, and products with outputs.
void NormalEquations::AddRow(size_t a, size_t places) {
  const size_t row = unknowns_ + outs_;
  double* const squares = squares_.data() + a * unknowns_;
  double* const products = products_.data() + a * outs_;
  for (size_t p = 0; p < places; ++p) {
    const double* const place = batch_.data() + p * row;
    const double factor = place[a];
    if (factor == 0) continue;
    for (size_t b = a; b < unknowns_; ++b) squares[b] += factor * place[b];
    for (size_t o = 0; o < outs_; ++o) products[o] += factor * place[unknowns_ + o];
  }
}

NormalEquations::Solution NormalEquations::Solve(const std::vector<size_t>& unknowns,
                                                 size_t first_out, size_t outs) const {
  // Keeps apart what calibration cannot tell apart.
  constexpr double kRidge = 1e-6;
  const size_t size = unknowns.size();
  std::vector<double> factors(size * size);
  double trace = 0;
  for (size_t i = 0; i < size; ++i) trace += squares_[unknowns[i] * unknowns_ + unknowns[i]];
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      factors[i * size + j] = squares_[unknowns[j] * unknowns_ + unknowns[i]];
    }
    factors[i * size + i] += kRidge * trace / static_cast<double>(size);
  }
  FactorLdl(size, &factors);
  Solution solution;
  solution.weights.resize(outs * size);
  double error = 0;
  for (size_t o = 0; o < outs; ++o) {
    double* const w = solution.weights.data() + o * size;
    const auto product = [&](size_t i) { return products_[unknowns[i] * outs_ + first_out + o]; };
    for (size_t i = 0; i < size; ++i) {
      w[i] = product(i);
      for (size_t j = 0; j < i; ++j) w[i] -= factors[i * size + j] * w[j];
    }
    for (size_t i = 0; i < size; ++i) w[i] /= factors[i * size + i];
    for (size_t i = size; i-- > 0;) {
      for (size_t j = 0; j < i; ++j) w[j] -= factors[i * size + j] * w[i];
    }
    error += energies_[first_out + o];
    for (size_t i = 0; i < size; ++i) error -= w[i] * product(i);
  }
  solution.error = std::max(error, 0.0) / static_cast<double>(places_ * outs);
  return solution;
}

}  // namespace glint::quantiser
