// What quantising a model costs in bits and errors of coded pictures, against the model that it was
// made from. Called by codec/quantiser only.
// Thread rules: one caller.
#ifndef GLINT_CODEC_QUANTISER_TASK_LOSS_H_
#define GLINT_CODEC_QUANTISER_TASK_LOSS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "codec/model/model_document.h"
#include "engine/status.h"
#include "glint/quantise.hpp"

namespace glint::quantiser {

struct TaskRates {
  std::vector<double> lrds;
  RateControl control;  // what squared errors cost in bits
  LossMetric metric = LossMetric::kSquaredError;
  int threads = 1;
  // What one picture loses at a rate is the mean over that rate times each of these.
  std::vector<double> around = {1.0};
  // 0..1 of the pictures at all rates, each time that they are coded; false stops that. One thread
  // at a time calls it.
  std::function<bool(double done)> progress;
};

// The loss of a flat picture is measured at several rates near the one wanted. It has so few
// symbols that the rounding of one of them shows: FP32 itself goes up and down by 2 dB from one
// rate to the next.
inline std::vector<double> NearbyRates() {
  return {0.84, 0.88, 0.92, 0.96, 1.0, 1.04, 1.08, 1.12, 1.16};
}

class TaskLoss {
 public:
  // Crops of at most `crop` x `crop` from the middle of each picture, joined to one, so that all
  // are coded at once. Measures `reference` at the rates.
  static Result<TaskLoss> OfMosaic(const Model& reference, std::span<const Picture> pictures,
                                   uint32_t crop, const TaskRates& rates);
  // Whole pictures, each coded by itself.
  static Result<TaskLoss> OfEach(const Model& reference, std::span<const Picture> pictures,
                                 const TaskRates& rates);

  Result<SetLoss> Of(const std::vector<uint8_t>& file) const;

  // How far decoded pictures are from those of `file`, in percent of the squared error that those
  // have. It shows noise of the analysis, which makes other symbols of the same picture and hardly
  // changes the loss. Such noise is what wears out pictures that are coded again and again.
  Status MeasureDifferenceFrom(const std::vector<uint8_t>& file);
  struct Distance {
    double loss = 0, difference = 0;
  };
  Result<Distance> DistanceOf(const std::vector<uint8_t>& file) const;

 private:
  static constexpr size_t kSamples = 3;  // of a pixel, 8 bits each

  // Rows of a sheet that are one picture.
  struct Part {
    size_t picture = 0;
    size_t first_row = 0, rows = 0;
  };
  struct Sheet {
    Picture picture;
    std::vector<Part> parts;
  };
  // Of a part, against the original.
  struct Change {
    double squared_error = 0;               // sum over all samples
    double dissimilarity = 0;               // 1 - MS-SSIM, times the pixels; 0 unless it counts
    std::array<double, kSamples> sum = {};  // of the decoded samples, by channel
  };
  struct Coded {
    double bits = 0;
    std::vector<Change> parts;
    std::vector<uint8_t> samples;  // decoded
  };
  using AllCoded = std::vector<std::vector<Coded>>;  // by rate, by sheet

  Status Measure(const Model& reference);
  static double Dissimilarity(const Picture& sheet, const std::vector<uint8_t>& decoded,
                              const Part& part);
  Result<Coded> Code(const Model& model, const Sheet& sheet, double lrd, int threads) const;
  Result<AllCoded> CodeAll(const Model& model) const;
  Result<AllCoded> CodeAll(const std::vector<uint8_t>& file) const;
  double LossOf(const AllCoded& coded) const;
  // By the metric that counts.
  double ErrorOf(const Change& change) const;
  // Bits that a unit of it is worth, at the rate all_lrds_[k].
  double BitsOfError(size_t k) const;
  double DifferenceOf(const AllCoded& coded) const;
  // At the rates around rates_.lrds[rate].
  PictureLoss Compare(const AllCoded& coded, size_t rate, size_t sheet, size_t part) const;

  std::vector<Sheet> sheets_;
  TaskRates rates_;
  std::vector<double> all_lrds_;  // those around the first rate, those around the second, ...
  AllCoded reference_;
  AllCoded near_;  // what DifferenceOf compares with
};

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_TASK_LOSS_H_
