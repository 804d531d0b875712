#include "codec/quantiser/quantiser.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <thread>

#include "codec/model/model_impl.h"
#include "codec/short_number.h"
#include "engine/float16.h"
#include "engine/rate.h"
#include "glint/pictures.hpp"

namespace glint::quantiser {
namespace {

Status Invalid(const std::string& what) {
  return Status::Error(StatusCode::kInvalidArgument, what);
}

const char* FormOf(QuantisedType type) {
  return type == QuantisedType::kInt8 ? "int8" : type == QuantisedType::kInt16 ? "int16" : "fp16";
}

}  // namespace

Quantiser::Quantiser(const Model& model, const std::vector<Picture>& pictures,
                     const QuantiseOptions& options)
    : pictures_(pictures), options_(options), model_(model), file_(model.impl().file) {}

Status Quantiser::Init() {
  GLINT_TRY(Prepare());
  if (pictures_.empty()) return Invalid("there is no calibration picture");
  GLINT_TRY(CheckMemory());
  GLINT_TRY(MeasureStatistics());
  GLINT_TRY(MeasureMoments());
  Refresh();
  GLINT_TRY(MeasureReference());
  return Progress("measure", 0);
}

Status Quantiser::Prepare() {
  layers_ = ListLayers(model_.impl());
  GLINT_TRY(CheckOptions());
  groups_ = ListGroups(model_.impl(), layers_);
  group_of_.resize(layers_.size());
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (const size_t layer : groups_[g].layers) group_of_[layer] = g;
  }
  for (const Layer& layer : layers_) matrices_.push_back(ReadMatrix(*file_, layer));
  draft_.form = FormOf(options_.type);
  draft_.provenance = {{"quantised", HowText()}, {"quantised_from", model_.info().id}};
  draft_.without_shrunk = true;
  draft_.layers.resize(layers_.size());
  widen_.assign(groups_.size(), 1.0);
  splitting_.assign(groups_.size(), WantedSplitting());
  ranges_.resize(groups_.size());
  changed_.assign(groups_.size(), true);
  fixed_.assign(layers_.size(), false);
  GLINT_TRY(ApplyKeep());
  for (size_t i = 0; i < layers_.size(); ++i) draft_.layers[i].precision = Wanted(i);
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (precision(i) == LayerPrecision::kW8A8) Harmonise(GroupOf(i), precision(i));
  }
  GLINT_TRY(CheckWeights());
  const RateControl& rate = model_.impl().document.rate;
  lrds_ = options_.lrds.empty() ? SpreadRates(rate, rate.min, rate.max) : options_.lrds;
  std::sort(lrds_.begin(), lrds_.end());
  for (const double lrd : lrds_) t_.push_back(RateToT(rate, lrd));
  return Status::Ok();
}

// How the model was made, for whoever opens the file one day.
std::string Quantiser::HowText() const {
  const std::string pictures = std::to_string(pictures_.size()) + " calibration pictures";
  if (options_.type == QuantisedType::kFp16) return "weights and activations in half, " + pictures;
  if (options_.seed_scheme) return "scheme of the seed, " + pictures;
  const std::string ranges = options_.ranges == RangeMethod::kMax   ? "least and greatest"
                             : options_.ranges == RangeMethod::kMse ? "least squared error"
                                                                    : "percentile";
  std::string text = "ranges by " + ranges + ", rounding " +
                     (options_.rounding == WeightRounding::kGptq ? "gptq" : "to nearest");
  if (options_.max_loss > 0) {
    text += ", mix for a loss of " + std::to_string(options_.max_loss) + " percent";
    if (options_.metric == LossMetric::kMsSsim) text += " by MS-SSIM";
  }
  return text + ", " + pictures;
}

Status Quantiser::CheckOptions() {
  const ModelDocument& document = model_.impl().document;
  for (const Layer& layer : layers_) {
    if (layer.node->precision != Precision::kF32) {
      return Invalid(file_->name() + ": this model is quantised already (" + document.form +
                     "), layer " + layer.name() + " is not in FP32");
    }
  }
  for (const double lrd : options_.lrds) {
    if (!(lrd >= document.rate.min && lrd <= document.rate.max)) {
      return Invalid("calibration lrd " + ShortNumber(lrd) + " is not in the model's range");
    }
  }
  if (options_.activation_bits != 8 && options_.activation_bits != 16) {
    return Invalid("activation_bits is " + std::to_string(options_.activation_bits) +
                   ", not 8 or 16");
  }
  if (options_.dynamic_ranges &&
      (options_.type != QuantisedType::kInt8 || options_.activation_bits != 16 ||
       options_.seed_scheme || options_.max_loss > 0)) {
    return Invalid(
        "dynamic_ranges want type INT8 with 16-bit activations, the scheme of Glint and no "
        "max_loss");
  }
  for (size_t i = 0; i < pictures_.size() && options_.metric == LossMetric::kMsSsim; ++i) {
    const PictureInfo& info = pictures_[i].info;
    if (std::min(info.width, info.height) >= kLeastSideForMsSsim) continue;
    return Invalid("MS-SSIM takes pictures of 161 x 161 and more, calibration picture " +
                   std::to_string(i + 1) + " is " + std::to_string(info.width) + " x " +
                   std::to_string(info.height));
  }
  if (!(options_.percentile > 50 && options_.percentile <= 100)) {
    return Invalid("percentile is not between 50 and 100");
  }
  if (!(options_.splitting <= 1)) {
    return Invalid("splitting is not a share of channels, up to 1");
  }
  if (!(options_.smoothing <= 1)) return Invalid("smoothing is not an exponent up to 1");
  if (options_.max_loss < 0 || !std::isfinite(options_.max_loss)) {
    return Invalid("max_loss is negative or no number");
  }
  if (options_.max_loss > 0 &&
      (options_.type != QuantisedType::kInt8 || options_.activation_bits != 8)) {
    return Invalid(
        "max_loss chooses between 8 and 16 bits: it wants type INT8, and no activation_bits of 16");
  }
  GLINT_TRY(CheckSeedScheme());
  if (options_.threads < 0) return Invalid("threads is negative");
  threads_ = options_.threads > 0
                 ? options_.threads
                 : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return Status::Ok();
}

// The scheme of the seed is taken as a whole; it is no start for others.
Status Quantiser::CheckSeedScheme() const {
  if (!options_.seed_scheme) return Status::Ok();
  if (options_.type != QuantisedType::kInt8 || options_.max_loss > 0 || options_.tune) {
    return Invalid("seed_scheme wants type INT8, and neither max_loss nor tune");
  }
  for (const auto& [name, precision] : options_.keep) {
    if (precision == LayerPrecision::kFp32) continue;
    return Invalid("seed_scheme gives layers its own precision or leaves them in FP32, layer " +
                   name + " is to be " + NameOf(precision));
  }
  return Status::Ok();
}

Status Quantiser::CheckWeights() const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (precision(i) != LayerPrecision::kFp16) continue;
    for (const float value : matrices_[i]) {
      if (std::abs(value) <= kMostFloat16) continue;
      return Status::Error(StatusCode::kUnsupported,
                           file_->name() + ": layer " + layers_[i].name() + " has a weight of " +
                               std::to_string(value) + ", FP16 ends at 65504");
    }
  }
  return Status::Ok();
}

Status Quantiser::ApplyKeep() {
  for (const auto& [name, precision] : options_.keep) {
    bool found = false;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].name() != name && layers_[i].node->name != name) continue;
      found = true;
      if (fixed_[i] && kept_[i] != precision) {
        return Invalid("layer " + layers_[i].name() + " is to be kept in two precisions");
      }
      kept_[i] = precision;
      fixed_[i] = true;
    }
    if (found) continue;
    std::string known;
    for (const Layer& layer : layers_) known += " " + layer.name();
    return Invalid("there is no layer " + name + "; there are:" + known);
  }
  for (const auto& [i, precision] : kept_) {
    if (precision != LayerPrecision::kW8A8 || MayBeEightBit(i)) continue;
    return Invalid("layer " + layers_[i].name() +
                   " cannot be int8: it reads the picture, y-hat, z or psi, which have 16 bits, or "
                   "what a layer reads that is kept at 16");
  }
  return Status::Ok();
}

bool Quantiser::InScope(const Layer& layer) const {
  if (options_.scope == QuantisationScope::kAll) return true;
  return IsEntropyGraph(layer.graph) == (options_.scope == QuantisationScope::kEntropy);
}

// What is asked for before any search. In a mix everything starts at 16 bits.
LayerPrecision Quantiser::Wanted(size_t index) const {
  const auto kept = kept_.find(index);
  if (kept != kept_.end()) return kept->second;
  const Layer& layer = layers_[index];
  if (!InScope(layer)) return LayerPrecision::kFp32;
  if (options_.type == QuantisedType::kFp16) return LayerPrecision::kFp16;
  if (options_.seed_scheme) return LayerPrecision::kW8A16;
  if (options_.type == QuantisedType::kInt16 || options_.max_loss > 0) {
    return LayerPrecision::kW16A16;
  }
  if (IsEntropyGraph(layer.graph) || options_.activation_bits == 16) {
    return LayerPrecision::kW8A16;
  }
  // Two kinds of tensors are sensitive: those that a GDN reads, for it divides by them; and those
  // that are added later, for their rounding goes on to the end, to y or the picture. 16 bits for
  // both take little time and save most of the quality. Digits leave the tensor itself at 16 bits.
  const bool sensitive =
      layer.normalises() ||
      (groups_[group_of_[index]].added && (WantedSplitting() == 0 || !HasRoomForDigits(index)));
  return !MayBeEightBit(index) || sensitive ? LayerPrecision::kW16A16 : LayerPrecision::kW8A8;
}

// Where the options do not say: an eighth, which takes a third of the loss away for little time. A
// mix decides by itself.
double Quantiser::WantedSplitting() const {
  if (options_.max_loss > 0) return 0.0;
  constexpr double kDefault = 0.125;
  return options_.splitting < 0 ? kDefault : options_.splitting;
}

bool Quantiser::MaySplit(size_t layer) const {
  const Group& group = groups_[group_of_[layer]];
  // GDN reads the tensor itself as well as its products.
  return group.tensors.size() == 1 && HasRoomForDigits(layer) &&
         std::none_of(group.layers.begin(), group.layers.end(), [&](size_t reader) {
           return layers_[reader].normalises() || layers_[reader].is_depthwise();
         });
}

// Whether the file may have the channels, and a node for the digits of every layer.
bool Quantiser::HasRoomForDigits(size_t layer) const {
  const Group& group = groups_[GroupOf(layer)];
  return MostDigits(group.channels) > 0 &&
         std::all_of(group.layers.begin(), group.layers.end(), [&](size_t reader) {
           const std::string& graph = layers_[reader].graph;
           const auto own = std::count_if(layers_.begin(), layers_.end(),
                                          [&](const Layer& of) { return of.graph == graph; });
           return model_.impl().graph(graph).nodes.size() + static_cast<size_t>(own) <= kMaxNodes;
         });
}

bool Quantiser::MayBeEightBit(size_t layer) const {
  const Group& group = groups_[group_of_[layer]];
  return group.kind == Group::Kind::kFree && !group.has_psi &&
         std::none_of(group.layers.begin(), group.layers.end(), [&](size_t reader) {
           const auto kept = kept_.find(reader);
           return kept != kept_.end() && (kept->second == LayerPrecision::kW16A16 ||
                                          kept->second == LayerPrecision::kW8A16);
         });
}

void Quantiser::SetPrecision(size_t layer, LayerPrecision wanted, double splitting) {
  if (precision(layer) == wanted && splitting_[GroupOf(layer)] == splitting) return;
  draft_.layers[layer].precision = wanted;
  splitting_[GroupOf(layer)] = splitting;
  changed_[GroupOf(layer)] = true;
  Harmonise(GroupOf(layer), wanted);
}

// Layers that read one tensor: 8 bits for one are 8 bits for all.
void Quantiser::Harmonise(size_t group, LayerPrecision wanted) {
  for (const size_t other : groups_[group].layers) {
    LayerPrecision& has = draft_.layers[other].precision;
    if (!IsInteger(has) || !IsInteger(wanted)) continue;
    if ((has == LayerPrecision::kW8A8) != (wanted == LayerPrecision::kW8A8)) has = wanted;
  }
}

void Quantiser::Widen(size_t group, double factor) {
  widen_[group] = factor;
  StoreTensors(group);
}

void Quantiser::Refresh() {
  for (size_t g = 0; g < groups_.size(); ++g) {
    if (changed_[g]) RefreshGroup(g);
    changed_[g] = false;
  }
}

// A group is kept in float16 inside the transforms, when every layer that reads it has float16
// weights.
bool Quantiser::IsKeptInFloat16(const Group& group) const {
  return group.kind == Group::Kind::kFree &&
         std::all_of(group.layers.begin(), group.layers.end(), [&](size_t layer) {
           return precision(layer) == LayerPrecision::kFp16 &&
                  !IsEntropyGraph(layers_[layer].graph);
         });
}

// A range may be the picture's own in g_a and g_s alone, for between z and the symbols rows stream.
// And not where several tensors are parts of one sum, because they share their scale.
bool Quantiser::MayBeDynamic(const Group& group) {
  const std::vector<TensorKey>& names = group.tensors[0].names;
  return group.tensors.size() == 1 &&
         std::all_of(names.begin(), names.end(), [](const TensorKey& name) {
           return name.graph == "g_a" || name.graph == "g_s";
         });
}

RangeChoice Quantiser::Range(size_t index) const {
  const Group& group = groups_[index];
  std::vector<Consumer> consumers;
  for (const size_t layer : group.layers) {
    if (!IsInteger(precision(layer))) continue;
    consumers.push_back(
        {&layers_[layer], precision(layer), &matrices_[layer], group.ChannelsOf(layers_[layer])});
  }
  if (consumers.empty())
    return IsKeptInFloat16(group) ? ChooseFloat16Range(statistics_[index]) : RangeChoice();
  RangeOptions options;
  options.method = options_.ranges;
  options.percentile = options_.percentile;
  options.smoothing = options_.smoothing;
  options.splitting = MaySplit(group.layers[0]) ? splitting_[index] : 0.0;
  options.dynamic = options_.dynamic_ranges && MayBeDynamic(group);
  return ChooseRange(group, statistics_[index], t_, consumers, model_.impl().document.fraction_bits,
                     options);
}

void Quantiser::RefreshGroup(size_t index) {
  ranges_[index] = Range(index);
  if (options_.seed_scheme) {
    SeedRange(index);
  } else {
    for (const size_t layer : groups_[index].layers) RefreshLayer(layer);
  }
  StoreTensors(index);
}

// Q8.8 for what is free, as far as sums stay in 31 bits.
void Quantiser::SeedRange(size_t index) {
  constexpr double kScale = 1.0 / 256;
  Group& group = groups_[index];
  RangeChoice& range = ranges_[index];
  if (!range.kept_narrow) return;
  range.factor.clear();
  const bool is_free = group.kind == Group::Kind::kFree || group.kind == Group::Kind::kPicture;
  if (is_free) range.quantisation.scales = {kScale};
  int64_t most_sum = 1;
  for (const size_t i : group.layers) {
    if (!IsInteger(precision(i))) continue;
    const std::vector<float> ones(layers_[i].channels(), 1.0f);
    RoundingLimits limits;
    limits.asymmetric = true;
    limits.most_input = is_free ? 0 : range.quantisation.max;
    IntegerMatrix& matrix = draft_.layers[i].matrix;
    matrix = RoundMatrix(layers_[i], matrices_[i], ones, limits, {});
    for (size_t out = 0; out < layers_[i].out_channels; ++out) {
      int64_t sum = 0;
      layers_[i].ForElements(
          out, [&](size_t, size_t, size_t at) { sum += std::abs(matrix.values[at]); });
      most_sum = std::max(most_sum, sum);
    }
  }
  if (is_free) {
    range.quantisation.max = static_cast<int>(std::min<int64_t>(32767, INT32_MAX / most_sum));
  }
}

void Quantiser::StoreTensors(size_t index) {
  const Group& group = groups_[index];
  const RangeChoice& range = ranges_[index];
  for (const GroupTensor& tensor : group.tensors) {
    for (const TensorKey& name : tensor.names) {
      if (!range.kept_narrow) {
        draft_.tensors.erase(name);
        continue;
      }
      TensorDraft& draft = draft_.tensors[name];
      draft.quantisation = range.quantisation;
      for (double& scale : draft.quantisation.scales) scale *= widen_[index];
      draft.factor.clear();
      if (range.factor.empty()) continue;
      const auto first = range.factor.begin() + static_cast<std::ptrdiff_t>(tensor.first);
      draft.factor.assign(first, first + static_cast<std::ptrdiff_t>(tensor.channels));
    }
  }
}

std::vector<float> Quantiser::FactorsOf(size_t layer) const {
  const RangeChoice& range = ranges_[GroupOf(layer)];
  std::vector<float> factors(layers_[layer].channels(), 1.0f);
  if (range.factor.empty()) return factors;
  const std::vector<size_t> channels = groups_[GroupOf(layer)].ChannelsOf(layers_[layer]);
  for (size_t i = 0; i < factors.size(); ++i) {
    const float factor = range.factor[channels[i]];
    factors[i] = layers_[layer].matrix.squares ? factor * factor : factor;
  }
  return factors;
}

void Quantiser::RefreshLayer(size_t index) {
  LayerDraft& draft = draft_.layers[index];
  draft = {draft.precision, {}, {}, false, 0, {}};
  if (!IsInteger(draft.precision)) return;
  const RangeChoice& range = ranges_[GroupOf(index)];
  if (draft.precision == LayerPrecision::kW8A8 && range.digits) {
    draft.digits = true;
    draft.zero = range.zero;
    draft.split = range.split;
  }
  RoundingLimits limits = LimitsOf(layers_[index], draft.precision, range.quantisation);
  const bool eight_bit = draft.precision != LayerPrecision::kW16A16;
  limits.search_clip = eight_bit && options_.ranges == RangeMethod::kMse;
  const auto moments = moments_.find(index);
  const std::vector<SecondMoment> none;
  draft.matrix =
      RoundMatrix(layers_[index], matrices_[index], FactorsOf(index), limits,
                  eight_bit && moments != moments_.end() ? moments->second : none, draft.split);
  if (options_.correct_bias && eight_bit) draft.bias = CorrectedBias(index);
}

std::vector<double> Quantiser::InputMeans(size_t layer) const {
  const size_t group = GroupOf(layer);
  const std::vector<size_t> channels = groups_[group].ChannelsOf(layers_[layer]);
  std::vector<double> means(channels.size(), 0.0);
  for (const GroupStatistics& rate : statistics_[group]) {
    const std::vector<double>& of = layers_[layer].matrix.squares ? rate.square
                                    : layers_[layer].normalises() ? rate.magnitude
                                                                  : rate.mean;
    for (size_t i = 0; i < means.size(); ++i) {
      means[i] += of[channels[i]] / static_cast<double>(statistics_[group].size());
    }
  }
  return means;
}

std::vector<double> Quantiser::InputSquares(size_t layer) const {
  const size_t group = GroupOf(layer);
  const std::vector<size_t> channels = groups_[group].ChannelsOf(layers_[layer]);
  std::vector<double> squares(channels.size(), 0.0);
  for (const GroupStatistics& rate : statistics_[group]) {
    for (size_t i = 0; i < squares.size(); ++i) {
      const double square = rate.square[channels[i]];
      squares[i] += (layers_[layer].matrix.squares ? FourthMoment(square) : square) /
                    static_cast<double>(statistics_[group].size());
    }
  }
  return squares;
}

std::vector<float> Quantiser::RoundedMatrix(size_t index) const {
  const LayerDraft& draft = draft_.layers[index];
  return EffectiveMatrix(layers_[index], draft.matrix, FactorsOf(index), draft.split);
}

// Bias correction: what rounding adds to each output on average is taken off its bias. A phase of a
// transposed convolution sees a quarter of the taps and has no bias of its own, so the mean of the
// four phases counts.
std::vector<float> Quantiser::CorrectedBias(size_t index) const {
  const Layer& layer = layers_[index];
  const std::vector<float> rounded = RoundedMatrix(index);
  const std::vector<double> means = InputMeans(index);
  std::vector<float> bias(layer.out_channels, 0.0f);
  const auto name = layer.node->weights.find(layer.matrix.bias);
  if (name != layer.node->weights.end()) {
    CopyAsFloat(*file_->tensor(name->second), 0, bias.size(), bias.data());
  }
  const double share = 1.0 / static_cast<double>(layer.matrix.phases);
  for (size_t out = 0; out < layer.out_channels; ++out) {
    double shift = 0;
    layer.ForElements(out, [&](size_t in, size_t, size_t at) {
      shift += static_cast<double>(rounded[at] - matrices_[index][at]) * means[in];
    });
    const float corrected = bias[out] - static_cast<float>(share * shift);
    // GDN's norm stays positive.
    bias[out] = layer.normalises() ? std::max(corrected, 0.5f * bias[out]) : corrected;
  }
  return bias;
}

double Quantiser::RelativeCost() const {
  double cost = 0, in_float = 0;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (IsEntropyGraph(layers_[i].graph)) continue;
    cost += MacsOf(i) * quantiser::RelativeCost(precision(i));
    in_float += layers_[i].macs_per_pixel * quantiser::RelativeCost(LayerPrecision::kFp32);
  }
  return in_float > 0 ? cost / in_float : 1.0;
}

double Quantiser::MacsOf(size_t index) const {
  const double channels = static_cast<double>(layers_[index].channels());
  const double digits = static_cast<double>(draft_.layers[index].split.channels());
  return layers_[index].macs_per_pixel * (1.0 + digits / channels);
}

QuantisedLayer Quantiser::Describe(size_t index) const {
  const Layer& layer = layers_[index];
  const LayerDraft& draft = draft_.layers[index];
  QuantisedLayer report;
  report.name = layer.name();
  report.precision = draft.precision;
  report.macs_per_pixel = MacsOf(index);
  if (!IsInteger(draft.precision)) return report;
  const std::vector<float> rounded = RoundedMatrix(index);
  const std::vector<double> squares = InputSquares(index);
  double signal = 0, error = 0;
  for (size_t out = 0; out < layer.out_channels; ++out) {
    layer.ForElements(out, [&](size_t in, size_t, size_t at) {
      const double w = static_cast<double>(matrices_[index][at]);
      const double e = w - static_cast<double>(rounded[at]);
      signal += w * w * squares[in];
      error += e * e * squares[in];
    });
  }
  report.weight_snr = 10.0 * std::log10(std::max(signal, 1e-30) / std::max(error, 1e-30));
  const RangeChoice& range = ranges_[GroupOf(index)];
  report.activation_snr = range.activation_snr;
  const double scale =
      EvaluateScale(range.quantisation, t_[t_.size() / 2]) * widen_[GroupOf(index)];
  const bool bytes = draft.digits;
  report.input_low =
      bytes ? -scale * kernels::kDigit * draft.zero : scale * range.quantisation.low();
  report.input_high =
      bytes ? scale * kernels::kDigit * (255 - draft.zero) : scale * range.quantisation.high();
  return report;
}

Status Quantiser::Progress(const char* stage, double done, std::string trying) const {
  if (!options_.progress || options_.progress({stage, done, std::move(trying), found_loss_})) {
    return Status::Ok();
  }
  return Status::Error(StatusCode::kCancelled, "stopped by the progress callback");
}

}  // namespace glint::quantiser
