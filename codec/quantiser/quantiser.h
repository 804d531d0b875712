// A model on its way to integers: precisions and ranges may be changed layer by layer and measured
// in between. Called by codec/quantiser only (quantise.cc, search.cc).
// Thread rules: one caller.
#ifndef GLINT_CODEC_QUANTISER_QUANTISER_H_
#define GLINT_CODEC_QUANTISER_QUANTISER_H_

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "codec/quantiser/draft.h"
#include "codec/quantiser/groups.h"
#include "codec/quantiser/ranges.h"
#include "codec/quantiser/statistics.h"
#include "codec/quantiser/task_loss.h"
#include "glint/quantise.hpp"

namespace glint::quantiser {

// kLimit where these pictures, what coding the largest takes, and `bytes` are more together than
// `max_memory`. `what`: what it is for.
Status CheckMemoryWith(const Model& model, const std::vector<Picture>& pictures, uint64_t bytes,
                       uint64_t max_memory, const std::string& what);

class Quantiser {
 public:
  Quantiser(const Model& model, const std::vector<Picture>& pictures,
            const QuantiseOptions& options);

  // Checks the options, calibrates, and drafts the precisions that the options ask for.
  Status Init();
  // The part of Init that asks for no pictures; then Memory may be called.
  Status Prepare();
  // What is held besides pictures and what coding them takes, as far as it is known.
  uint64_t Memory(const std::vector<PictureInfo>& pictures) const;

  const std::vector<Layer>& layers() const { return layers_; }
  const std::vector<Group>& groups() const { return groups_; }
  LayerPrecision precision(size_t layer) const { return draft_.layers[layer].precision; }
  // Named by options.keep.
  bool is_fixed(size_t layer) const { return fixed_[layer]; }
  bool MayBeEightBit(size_t layer) const;  // its input
  // The layers that read what it reads, itself included: 8 bits for one are 8 bits for all.
  const std::vector<size_t>& ReadersLike(size_t layer) const {
    return groups_[GroupOf(layer)].layers;
  }

  bool MaySplit(size_t layer) const;  // its input into digits
  // The largest share of digits that a mix may give a layer.
  double most_splitting() const { return options_.splitting < 0 ? 1.0 : options_.splitting; }

  // Call Refresh for what changes together, before anything is measured. `splitting`: digits, as a
  // share of the input's channels.
  void SetPrecision(size_t layer, LayerPrecision wanted, double splitting);
  void Refresh();
  // Multiplies the range of a group's tensors by `factor`, against what was found for it.
  void Widen(size_t group, double factor);
  double widened(size_t group) const { return widen_[group]; }

  bool has_built_in() const { return options_.built_in; }
  // On crops of the pictures, and on the built-in ones.
  Result<SetLoss> Loss() const { return loss_->Of(File()); }
  Result<SetLoss> BuiltInLoss();
  // Of built-in pictures and large flat ones: percent that the bits of one grew, at most, since the
  // last StartGrowth.
  Status StartGrowth();
  Result<double> Growth() const;
  // On crops of the pictures: of a quarter to half of the pixels when `quick`. Differences are
  // those from what the model was at the last StartDifference.
  Status StartDifference();
  Result<TaskLoss::Distance> Distance(bool quick) const {
    return (quick ? quick_loss_ : loss_)->DistanceOf(File());
  }
  double RelativeCost() const;  // of g_a and g_s, FP32 being 1
  std::vector<uint8_t> File() const { return WriteDraft(*file_, layers_, draft_); }
  QuantisedLayer Describe(size_t index) const;

  // `trying` as QuantiseProgress has it.
  Status Progress(const char* stage, double done, std::string trying = "") const;
  // The loss of the best that a search has found so far, for who is told of progress.
  void SetFoundLoss(double loss) { found_loss_ = loss; }

 private:
  std::string HowText() const;
  Status CheckOptions();
  Status CheckSeedScheme() const;
  Status CheckWeights() const;
  Status CheckMemory() const;
  std::vector<size_t> LayersWithMoments() const;
  uint64_t StatisticsMemory(double pixels) const;
  uint64_t MomentsMemory(double most_pixels) const;
  Status ApplyKeep();
  Status MeasureStatistics();
  Status MeasureMoments();
  Status MeasureReference();
  TaskRates Rates(LossMetric metric) const;
  TaskRates BuiltInRates() const;
  LayerPrecision Wanted(size_t index) const;
  double WantedSplitting() const;
  bool InScope(const Layer& layer) const;
  bool HasRoomForDigits(size_t layer) const;
  bool IsKeptInFloat16(const Group& group) const;
  void Harmonise(size_t group, LayerPrecision wanted);
  size_t GroupOf(size_t layer) const { return group_of_[layer]; }
  static bool MayBeDynamic(const Group& group);
  RangeChoice Range(size_t index) const;
  void RefreshGroup(size_t index);
  void RefreshLayer(size_t index);
  void SeedRange(size_t index);
  void StoreTensors(size_t index);
  std::vector<float> FactorsOf(size_t layer) const;
  std::vector<float> RoundedMatrix(size_t index) const;
  double MacsOf(size_t index) const;  // digits included
  std::vector<float> CorrectedBias(size_t index) const;
  // Of a layer's input channel: E x, or E |x| for GDN; and E x^2. Mean over the rates.
  std::vector<double> InputMeans(size_t layer) const;
  std::vector<double> InputSquares(size_t layer) const;
  CalibrationOptions Calibration(const char* stage) const;

  const std::vector<Picture>& pictures_;
  std::vector<Picture> built_in_;
  const QuantiseOptions& options_;
  double found_loss_ = -1;
  const Model& model_;
  std::shared_ptr<const ModelFile> file_;
  int threads_ = 1;
  std::vector<double> lrds_, t_;
  std::vector<Layer> layers_;
  std::vector<Group> groups_;
  std::vector<size_t> group_of_;                          // by layer
  std::vector<std::vector<float>> matrices_;              // by layer
  std::vector<bool> fixed_;                               // by layer
  std::map<size_t, LayerPrecision> kept_;                 // by layer
  std::vector<std::vector<GroupStatistics>> statistics_;  // by group, by rate
  std::map<size_t, std::vector<SecondMoment>> moments_;   // by layer
  std::vector<RangeChoice> ranges_;                       // by group
  std::vector<double> widen_;                             // by group
  std::vector<double> splitting_;                         // by group
  std::vector<bool> changed_;                             // by group
  std::optional<TaskLoss> loss_, quick_loss_, built_in_loss_, growth_;
  Draft draft_;
};

}  // namespace glint::quantiser

#endif  // GLINT_CODEC_QUANTISER_QUANTISER_H_
