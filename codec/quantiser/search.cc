#include "codec/quantiser/search.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>

namespace glint::quantiser {
namespace {

// What a layer may become instead of what it is.
struct Choice {
  LayerPrecision precision = LayerPrecision::kW16A16;
  double splitting = 0;
  double gain = 0;   // of time, or of bytes
  double price = 0;  // measured alone, as a share of what may be lost
};

// A change takes a layer from what it was, or from its change before, to a choice that gains more.
// A layer's changes are the corners of the lower convex hull of price over gain, so they come in
// order of `ratio`.
struct Change {
  size_t layer = 0;
  size_t number = 0;  // of the layer's changes
  Choice to;
  double added_price = 0;
  double ratio = 0;  // of price to gain
};

using Distance = TaskLoss::Distance;

// What a mix may lose.
struct Budget {
  Distance most;
  // Whichever is nearer to its end.
  double ShareOf(const Distance& distance) const {
    return std::max(distance.loss / most.loss, distance.difference / most.difference);
  }
  double PriceOf(const Distance& added) const {
    return added.loss / most.loss + added.difference / most.difference;
  }
};

// The passes over the layers, in this order. Between z and the symbols 8-bit weights save size,
// 8-bit activations time.
enum class Pass { kEntropySize, kEntropyTime, kTransforms };

std::vector<Choice> ChoicesOf(const Quantiser& quantiser, Pass pass, size_t index) {
  const Layer& layer = quantiser.layers()[index];
  // What is named as 8 bits stays that, with its digits, for all that read the same.
  const std::vector<size_t>& readers = quantiser.ReadersLike(index);
  const bool named_as_bytes = std::any_of(readers.begin(), readers.end(), [&](size_t reader) {
    return quantiser.is_fixed(reader) && quantiser.precision(reader) == LayerPrecision::kW8A8;
  });
  if (quantiser.is_fixed(index) || named_as_bytes || !IsInteger(quantiser.precision(index)) ||
      IsEntropyGraph(layer.graph) != (pass != Pass::kTransforms)) {
    return {};
  }
  if (pass == Pass::kEntropySize) {
    const double weights =
        static_cast<double>(layer.taps() * layer.matrix.inputs_summed() * layer.out_channels);
    return {{LayerPrecision::kW8A16, 0, weights}};
  }
  std::vector<Choice> choices;
  if (!quantiser.MayBeEightBit(index)) return choices;
  for (const double share : {0.5, 0.25, 0.125, 0.0}) {
    // The entropy networks bear bytes as they are: digits would only take time.
    const bool possible = share == 0 || (pass == Pass::kTransforms && quantiser.MaySplit(index));
    if (!possible || share > quantiser.most_splitting()) continue;
    choices.push_back({LayerPrecision::kW8A8, share, layer.macs_per_pixel * (1 - share)});
  }
  return choices;
}

// `choices`: by growing gain.
void AppendChanges(size_t layer, const std::vector<Choice>& choices, std::vector<Change>* changes) {
  constexpr double kLeastPrice = 1e-4;  // measurements are not finer
  double price = 0, gain = 0;
  size_t number = 0;
  for (size_t i = 0; i < choices.size();) {
    size_t best = i;
    const auto ratio = [&](size_t c) {
      return std::max(choices[c].price - price, kLeastPrice) / (choices[c].gain - gain);
    };
    for (size_t c = i; c < choices.size(); ++c) {
      if (ratio(c) <= ratio(best)) best = c;
    }
    changes->push_back({layer, number++, choices[best], choices[best].price - price, ratio(best)});
    price = choices[best].price;
    gain = choices[best].gain;
    i = best + 1;
  }
}

// One pass: measures what each change costs, and makes those that the budget and the built-in
// pictures allow.
class MixPass {
 public:
  MixPass(Pass pass, const Budget& budget, Quantiser* quantiser)
      : pass_(pass), budget_(budget), quantiser_(quantiser) {
    for (size_t i = 0; i < quantiser->layers().size(); ++i) {
      start_.push_back(quantiser->precision(i));
    }
  }

  // `alone`, by layer: what the last of its choices adds to the loss.
  Status Run(std::vector<double>* alone) {
    const bool spares = quantiser_->has_built_in() && pass_ != Pass::kEntropySize;
    GLINT_TRY(MeasureChanges(alone));
    GLINT_ASSIGN(const std::vector<Change> taken, ApplyWithin());
    return spares ? SpareBuiltIn(taken) : Status::Ok();
  }

 private:
  void SetBack(size_t layer);
  void Apply(std::span<const Change> taken);
  Status MeasureChanges(std::vector<double>* alone);
  Result<std::vector<Change>> ApplyWithin();
  std::string TextOf(size_t layer, const Choice& choice) const;
  std::string TextOf(size_t changes) const;
  Result<bool> SparesBuiltIn();
  Status SpareBuiltIn(std::span<const Change> taken);

  Pass pass_;
  Budget budget_;
  Quantiser* quantiser_;
  std::vector<LayerPrecision> start_;  // by layer, before the pass
  std::vector<Change> changes_;        // cheapest first
};

// A layer, and those that 8 bits for it gave 8 bits as well.
void MixPass::SetBack(size_t layer) {
  for (const size_t reader : quantiser_->ReadersLike(layer)) {
    quantiser_->SetPrecision(reader, start_[reader], 0);
  }
}

// The layers of all changes as they were, but as `taken` has them.
void MixPass::Apply(std::span<const Change> taken) {
  std::map<size_t, Choice> choices;
  for (const Change& change : changes_) choices[change.layer] = {start_[change.layer]};
  for (const Change& change : taken) {
    choices[change.layer] = change.to;
    if (change.to.precision != LayerPrecision::kW8A8) continue;
    for (const size_t reader : quantiser_->ReadersLike(change.layer)) {
      const auto found = choices.find(reader);
      if (found != choices.end()) found->second = change.to;
    }
  }
  for (const auto& [layer, choice] : choices) {
    quantiser_->SetPrecision(layer, choice.precision, choice.splitting);
  }
  quantiser_->Refresh();
}

// What is tried, for people.
std::string MixPass::TextOf(size_t layer, const Choice& choice) const {
  const std::string text = quantiser_->layers()[layer].name() + " in " + NameOf(choice.precision);
  if (choice.splitting == 0) return text;
  return text + " with " + std::to_string(std::lround(100 * choice.splitting)) + " % digits";
}

std::string MixPass::TextOf(size_t changes) const {
  return std::to_string(changes) + " of " + std::to_string(changes_.size()) + " changes";
}

// What each choice costs by itself makes the changes.
Status MixPass::MeasureChanges(std::vector<double>* alone) {
  const size_t count = quantiser_->layers().size();
  GLINT_ASSIGN(const Distance base, quantiser_->Distance(true));
  for (size_t i = 0; i < count; ++i) {
    std::vector<Choice> choices = ChoicesOf(*quantiser_, pass_, i);
    const double done = static_cast<double>(i) / static_cast<double>(count);
    for (Choice& choice : choices) {
      GLINT_TRY(quantiser_->Progress("measure", done, TextOf(i, choice)));
      quantiser_->SetPrecision(i, choice.precision, choice.splitting);
      quantiser_->Refresh();
      GLINT_ASSIGN(Distance added, quantiser_->Distance(true));
      added.loss -= base.loss;
      // Other means of the entropy model make other symbols of the same picture, which is no harm.
      added.difference = pass_ == Pass::kTransforms ? added.difference - base.difference : 0;
      choice.price = budget_.PriceOf(added);
      (*alone)[i] = added.loss;
    }
    if (choices.empty()) continue;
    SetBack(i);
    quantiser_->Refresh();
    AppendChanges(i, choices, &changes_);
  }
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.ratio < b.ratio; });
  return quantiser_->Progress("measure", 1);
}

// Applies as many changes, from the first on, as stay within the budget. Their number is found by
// bisection, for losses nearly add up, so the loss grows with it. Then applies whatever else still
// fits. Returns what was taken.
Result<std::vector<Change>> MixPass::ApplyWithin() {
  size_t good = 0, bad = changes_.size() + 1;
  const auto done = [&](size_t tried) {
    return static_cast<double>(tried) / static_cast<double>(changes_.size() + 1);
  };
  const std::span<const Change> all(changes_);
  double used = 0;
  while (good + 1 < bad) {
    const size_t middle = (good + bad) / 2;
    GLINT_TRY(quantiser_->Progress("mix", 1.0 - done(bad - good), TextOf(middle)));
    Apply(all.first(middle));
    GLINT_ASSIGN(const Distance distance, quantiser_->Distance(false));
    const double share = budget_.ShareOf(distance);
    if (share <= 1) used = share;
    if (share <= 1) quantiser_->SetFoundLoss(distance.loss);
    (share <= 1 ? good : bad) = middle;
  }
  std::vector<Change> taken(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(good));
  for (size_t i = good; i < changes_.size(); ++i) {
    const size_t before =
        static_cast<size_t>(std::count_if(taken.begin(), taken.end(), [&](const Change& change) {
          return change.layer == changes_[i].layer;
        }));
    // Half of the price, because it is the sum of two shares of which only one counts.
    if (before != changes_[i].number || used + changes_[i].added_price / 2 > 1) continue;
    taken.push_back(changes_[i]);
    GLINT_TRY(quantiser_->Progress("mix", done(i), TextOf(changes_[i].layer, changes_[i].to)));
    Apply(taken);
    GLINT_ASSIGN(const Distance tried, quantiser_->Distance(false));
    if (budget_.ShareOf(tried) <= 1) {
      used = budget_.ShareOf(tried);
      quantiser_->SetFoundLoss(tried.loss);
    } else {
      taken.pop_back();
    }
  }
  GLINT_TRY(quantiser_->Progress("mix", 1));
  Apply(taken);
  return taken;
}

// Activations of the entropy networks are judged by bits, for pictures hardly depend on them.
Result<bool> MixPass::SparesBuiltIn() {
  GLINT_TRY(quantiser_->Progress("built-in pictures", 0));
  if (pass_ == Pass::kEntropyTime) {
    constexpr double kMostGrowth = 2.0;
    GLINT_ASSIGN(const double growth, quantiser_->Growth());
    return growth <= kMostGrowth;
  }
  GLINT_ASSIGN(const SetLoss loss, quantiser_->BuiltInLoss());
  return loss.worst.decibels <= kMostDecibels && loss.worst_colour.colour <= kMostColour;
}

// Takes changes back, the last first, until no built-in picture loses too much (by bisection).
// Where one does without any of them as well, nothing is taken back.
Status MixPass::SpareBuiltIn(std::span<const Change> taken) {
  size_t good = 0, bad = taken.size();
  if (bad == 0) return Status::Ok();
  if (pass_ == Pass::kEntropyTime) {
    Apply({});
    GLINT_TRY(quantiser_->StartGrowth());
    Apply(taken);
  }
  GLINT_ASSIGN(const bool all, SparesBuiltIn());
  if (all) return Status::Ok();
  bool none = true;  // nothing grows without changes
  if (pass_ != Pass::kEntropyTime) {
    Apply({});
    GLINT_ASSIGN(none, SparesBuiltIn());
  }
  while (none && good + 1 < bad) {
    const size_t middle = (good + bad) / 2;
    Apply(taken.first(middle));
    GLINT_ASSIGN(const bool spared, SparesBuiltIn());
    (spared ? good : bad) = middle;
  }
  Apply(taken.first(none ? good : taken.size()));
  return Status::Ok();
}

// Of a pass over the entropy networks, which may add `share` of the loss that is allowed. Other
// symbols of the same picture are no harm, so differences do not count.
Result<Budget> EntropyBudget(double share, const Budget& whole, const Quantiser& quantiser) {
  GLINT_ASSIGN(const Distance start, quantiser.Distance(false));
  const double most = std::max(start.loss, 0.0) + share * whole.most.loss;
  return Budget{{std::min(most, whole.most.loss), std::numeric_limits<double>::infinity()}};
}

}  // namespace

Result<std::vector<double>> ChooseMix(double max_loss, Quantiser* quantiser) {
  std::vector<double> alone(quantiser->layers().size(), 0.0);
  GLINT_TRY(quantiser->StartDifference());
  GLINT_ASSIGN(const Distance base, quantiser->Distance(false));
  if (base.loss > max_loss) {
    char text[128];
    std::snprintf(text, sizeof(text), "16 bits everywhere lose %.3g %%, max_loss is %.3g %%",
                  base.loss, max_loss);
    return Status::Error(StatusCode::kInvalidArgument, text);
  }
  constexpr double kUnseen = 0.8;        // pictures not calibrated on lose about a fifth more
  constexpr double kDifference = 3.0;    // that goes with a percent of loss
  constexpr double kShareForSize = 0.2;  // of the loss that is allowed
  constexpr double kShareForEntropyTime = 0.1;
  Budget budget{{std::max({base.loss, kUnseen * max_loss, 1e-9}), kDifference * max_loss}};
  const std::pair<Pass, double> entropy[] = {{Pass::kEntropySize, kShareForSize},
                                             {Pass::kEntropyTime, kShareForEntropyTime}};
  for (const auto& [pass, share] : entropy) {
    GLINT_ASSIGN(const Budget part, EntropyBudget(share, budget, *quantiser));
    GLINT_TRY(MixPass(pass, part, quantiser).Run(&alone));
  }
  GLINT_TRY(quantiser->StartDifference());
  GLINT_TRY(MixPass(Pass::kTransforms, budget, quantiser).Run(&alone));
  return alone;
}

namespace {

Result<double> LossOf(const Quantiser& quantiser) {
  GLINT_ASSIGN(const SetLoss loss, quantiser.Loss());
  return loss.loss;
}

}  // namespace

Status TuneRanges(Quantiser* quantiser) {
  std::vector<size_t> groups;
  for (size_t g = 0; g < quantiser->groups().size(); ++g) {
    const std::vector<size_t>& layers = quantiser->groups()[g].layers;
    const bool eight_bit = std::any_of(layers.begin(), layers.end(), [&](size_t layer) {
      return quantiser->precision(layer) == LayerPrecision::kW8A8;
    });
    if (eight_bit) groups.push_back(g);
  }
  GLINT_ASSIGN(double least, LossOf(*quantiser));
  for (size_t i = 0; i < groups.size(); ++i) {
    const size_t first = quantiser->groups()[groups[i]].layers.front();
    quantiser->SetFoundLoss(least);
    GLINT_TRY(quantiser->Progress("tune",
                                  static_cast<double>(i) / static_cast<double>(groups.size()),
                                  "the input of " + quantiser->layers()[first].name()));
    double best = quantiser->widened(groups[i]);
    // Away from where it is, in either direction, as long as that helps.
    for (const double ratio : {1.12, 1 / 1.12}) {
      double tried = best * ratio;
      while (true) {
        quantiser->Widen(groups[i], tried);
        GLINT_ASSIGN(const double loss, LossOf(*quantiser));
        if (loss >= least) break;
        least = loss;
        best = tried;
        tried *= ratio;
      }
    }
    quantiser->Widen(groups[i], best);
  }
  quantiser->SetFoundLoss(least);
  return quantiser->Progress("tune", 1);
}

}  // namespace glint::quantiser
