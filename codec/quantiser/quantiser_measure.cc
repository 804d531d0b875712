// What Quantiser measures: the model in float before anything is chosen, and what a draft loses.
#include <map>
#include <utility>

#include "codec/public_error.h"
#include "codec/quantiser/bounds.h"
#include "codec/quantiser/built_in_pictures.h"
#include "codec/quantiser/quantiser.h"

namespace glint::quantiser {
namespace {

constexpr uint32_t kLossCrop = 256, kQuickCrop = 128;
constexpr uint32_t kQuickCropForMsSsim = 176;  // which takes no less than 161

// A low, a middle and a high one: what a change costs is told by few.
std::vector<double> LossRates(const std::vector<double>& lrds) {
  if (lrds.size() <= 3) return lrds;
  return {lrds[1], lrds[lrds.size() / 2], lrds[lrds.size() - 2]};
}

}  // namespace

CalibrationOptions Quantiser::Calibration(const char* stage) const {
  CalibrationOptions calibration;
  calibration.lrds = lrds_;
  calibration.threads = threads_;
  calibration.progress = [this, stage](double done) { return Progress(stage, done); };
  return calibration;
}

// Moments are for the layers that may come to 8-bit weights. Layers between z and the symbols need
// none, for they are rounded to the nearest (their exact graphs run twice, at half of the places);
// nor do depthwise ones, whose rows are short and have scales of their own.
std::vector<size_t> Quantiser::LayersWithMoments() const {
  std::vector<size_t> wanted;
  if (options_.rounding != WeightRounding::kGptq || options_.seed_scheme ||
      options_.type != QuantisedType::kInt8) {
    return wanted;
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    if (!InScope(layer) || IsEntropyGraph(layer.graph) || layer.normalises() ||
        layer.is_depthwise()) {
      continue;
    }
    if (fixed_[i] && precision(i) != LayerPrecision::kW8A8 &&
        precision(i) != LayerPrecision::kW8A16) {
      continue;
    }
    wanted.push_back(i);
  }
  return wanted;
}

Status Quantiser::MeasureMoments() {
  const std::vector<size_t> wanted = LayersWithMoments();
  if (wanted.empty()) return Status::Ok();
  // Photographs say most; but what flat colours multiply should add up as well.
  constexpr double kBuiltInShare = 0.2;
  std::vector<PictureShare> sets = {{pictures_, 1.0}};
  if (options_.built_in) sets = {{pictures_, 1.0 - kBuiltInShare}, {built_in_, kBuiltInShare}};
  GLINT_ASSIGN(moments_,
               MeasureSecondMoments(file_, layers_, wanted, sets, Calibration("second moments")));
  return Status::Ok();
}

Status Quantiser::MeasureStatistics() {
  if (options_.built_in) {
    for (NamedPicture& named : MakeBuiltInPictures()) {
      built_in_.push_back(std::move(named.picture));
    }
  }
  GLINT_ASSIGN(Statistics statistics,
               Calibrate(file_, layers_, pictures_, Calibration("calibrate")));
  if (options_.built_in) {
    GLINT_ASSIGN(const Statistics wider,
                 Calibrate(file_, layers_, built_in_, Calibration("built-in pictures")));
    WidenRanges(wider, &statistics);
  }
  const std::map<TensorKey, Bounds> bounds =
      BoundsFromWeights(*file_, model_.impl().document, layers_);
  for (const Group& group : groups_) {
    statistics_.push_back(StatisticsOf(group, statistics, bounds));
  }
  return Status::Ok();
}

TaskRates Quantiser::Rates(LossMetric metric) const {
  TaskRates rates;
  rates.lrds = LossRates(lrds_);
  rates.control = model_.impl().document.rate;
  rates.metric = metric;
  rates.threads = threads_;
  return rates;
}

Status Quantiser::MeasureReference() {
  GLINT_ASSIGN(loss_, TaskLoss::OfMosaic(model_, pictures_, kLossCrop, Rates(options_.metric)));
  if (options_.max_loss > 0) {
    const bool squared = options_.metric == LossMetric::kSquaredError;
    GLINT_ASSIGN(quick_loss_,
                 TaskLoss::OfMosaic(model_, pictures_, squared ? kQuickCrop : kQuickCropForMsSsim,
                                    Rates(options_.metric)));
  }
  return Status::Ok();
}

// They are many, so those who wait hear of each.
TaskRates Quantiser::BuiltInRates() const {
  TaskRates rates = Rates(LossMetric::kSquaredError);
  rates.progress = [this](double done) { return Progress("built-in pictures", done).ok(); };
  if (!rates.control.is_fixed()) rates.around = NearbyRates();
  return rates;
}

Status Quantiser::StartDifference() {
  const std::vector<uint8_t> file = File();
  GLINT_TRY(quick_loss_->MeasureDifferenceFrom(file));
  return loss_->MeasureDifferenceFrom(file);
}

Result<SetLoss> Quantiser::BuiltInLoss() {
  if (!built_in_loss_) {
    GLINT_ASSIGN(built_in_loss_, TaskLoss::OfEach(model_, built_in_, BuiltInRates()));
  }
  return built_in_loss_->Of(File());
}

Status Quantiser::StartGrowth() {
  const std::vector<uint8_t> file = File();
  const auto before = Model::FromMemory(file.data(), file.size(), "quantised model");
  if (!before) return ToStatus(before.error());
  std::vector<Picture> pictures = MakeLargeFlats();
  pictures.insert(pictures.end(), built_in_.begin(), built_in_.end());
  GLINT_ASSIGN(growth_, TaskLoss::OfEach(*before, pictures, BuiltInRates()));
  return Status::Ok();
}

Result<double> Quantiser::Growth() const {
  GLINT_ASSIGN(const SetLoss loss, growth_->Of(File()));
  return loss.worst_growth.growth;
}

}  // namespace glint::quantiser
