// What a model's quantisation costs where it counts: bits and errors of coded pictures, against the
// model that it was made from. Called by codec/quantiser only. Thread rules: one caller.
#ifndef GLINT_CODEC_QUANTISER_TASK_LOSS_H_
#define GLINT_CODEC_QUANTISER_TASK_LOSS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint::quantiser {

class TaskLoss {
 public:
  // Crops of at most `crop` x `crop` from the middle of each picture, joined to one.
  // Measures `reference` at the rates.
  static Result<TaskLoss> Make(const Model& reference, std::span<const Picture> pictures,
                               uint32_t crop, const std::vector<double>& lrds,
                               double lambda_per_lrd, int threads);

  // Bits at equal quality, (dR + lambda dD) / R in percent, mean over the rates.
  Result<double> Of(const Model& model) const;
  Result<double> Of(const std::vector<uint8_t>& file) const;

 private:
  struct Point {
    double bits = 0;
    double squared_error = 0;  // sum over all samples
  };
  Result<Point> Code(const Model& model, double lrd) const;

  Picture mosaic_;
  std::vector<double> lrds_;
  std::vector<Point> reference_;
  double lambda_per_lrd_ = 0;
  int threads_ = 1;
};

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_TASK_LOSS_H_
