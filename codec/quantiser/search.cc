#include "codec/quantiser/search.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <span>

namespace glint::quantiser {
namespace {

// What a layer may become instead of W16A16.
struct Choice {
  LayerPrecision precision = LayerPrecision::kW8A8;
  double splitting = 0;
  double gain = 0;   // of time, or of bytes
  double loss = 0;   // measured alone, percent
  double price = 0;  // measured alone, as a share of what may be lost
};

constexpr LayerPrecision kStart = LayerPrecision::kW16A16;

// A change takes a layer from what it was, or from its change before, to a choice that gains more.
// A layer's changes are the corners of the lower convex hull of price over gain, so they come in
// order of `ratio`.
struct Change {
  size_t layer = 0;
  LayerPrecision start = kStart;  // before the first of its changes
  size_t number = 0;              // of the layer's changes
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

// What a layer may become in each pass over the layers. Those between z and the symbols come first:
// 8-bit weights save size there, 8-bit activations time.
enum class Pass { kEntropySize, kEntropyTime, kTransforms };

std::vector<Choice> ChoicesOf(const Quantiser& quantiser, Pass pass, size_t index) {
  const Layer& layer = quantiser.layers()[index];
  if (quantiser.is_fixed(index) || !IsInteger(quantiser.precision(index)) ||
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
void AppendChanges(size_t layer, LayerPrecision start, const std::vector<Choice>& choices,
                   std::vector<Change>* changes) {
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
    changes->push_back(
        {layer, start, number++, choices[best], choices[best].price - price, ratio(best)});
    price = choices[best].price;
    gain = choices[best].gain;
    i = best + 1;
  }
}

// The layers of all `changes` as they were, but as `taken` has them.
void Apply(const std::vector<Change>& changes, std::span<const Change> taken,
           Quantiser* quantiser) {
  std::map<size_t, Choice> choices;
  for (const Change& change : changes) choices[change.layer] = {change.start};
  for (const Change& change : taken) choices[change.layer] = change.to;
  for (const auto& [layer, choice] : choices) {
    quantiser->SetPrecision(layer, choice.precision, choice.splitting);
  }
  quantiser->Refresh();
}

// Measures what each choice costs by itself, for the layers that save size or those that save time;
// and makes the changes of that, cheapest first.
Result<std::vector<Change>> MeasureChanges(Pass pass, const Budget& budget, Quantiser* quantiser,
                                           std::vector<double>* alone) {
  std::vector<Change> changes;
  const size_t count = quantiser->layers().size();
  GLINT_ASSIGN(const Distance base, quantiser->Distance(true));
  for (size_t i = 0; i < count; ++i) {
    const LayerPrecision start = quantiser->precision(i);
    std::vector<Choice> choices = ChoicesOf(*quantiser, pass, i);
    for (Choice& choice : choices) {
      quantiser->SetPrecision(i, choice.precision, choice.splitting);
      quantiser->Refresh();
      GLINT_ASSIGN(Distance added, quantiser->Distance(true));
      added.loss -= base.loss;
      // Other means of the entropy model make other symbols of the same picture, which is no harm.
      added.difference = pass == Pass::kTransforms ? added.difference - base.difference : 0;
      choice.price = budget.PriceOf(added);
      (*alone)[i] = added.loss;
    }
    GLINT_TRY(
        quantiser->Progress("measure", static_cast<double>(i + 1) / static_cast<double>(count)));
    if (choices.empty()) continue;
    quantiser->SetPrecision(i, start, 0);
    quantiser->Refresh();
    AppendChanges(i, start, choices, &changes);
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.ratio < b.ratio; });
  return changes;
}

// Applies as many of `changes`, from the first on, as stay within the budget. Their number is found
// by bisection, for losses nearly add up, so the loss grows with it. Then applies whatever else
// still fits. Returns what was taken.
Result<std::vector<Change>> ApplyWithin(const std::vector<Change>& changes, const Budget& budget,
                                        Quantiser* quantiser) {
  size_t good = 0, bad = changes.size() + 1;
  const auto done = [&](size_t tried) {
    return static_cast<double>(tried) / static_cast<double>(changes.size() + 1);
  };
  const std::span<const Change> all(changes);
  double used = 0;
  while (good + 1 < bad) {
    const size_t middle = (good + bad) / 2;
    Apply(changes, all.first(middle), quantiser);
    GLINT_ASSIGN(const Distance distance, quantiser->Distance(false));
    const double share = budget.ShareOf(distance);
    if (share <= 1) used = share;
    (share <= 1 ? good : bad) = middle;
    GLINT_TRY(quantiser->Progress("mix", 1.0 - done(bad - good)));
  }
  std::vector<Change> taken(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(good));
  for (size_t i = good; i < changes.size(); ++i) {
    const size_t before =
        static_cast<size_t>(std::count_if(taken.begin(), taken.end(), [&](const Change& change) {
          return change.layer == changes[i].layer;
        }));
    // Half of the price, because it is the sum of two shares of which only one counts.
    if (before != changes[i].number || used + changes[i].added_price / 2 > 1) continue;
    taken.push_back(changes[i]);
    Apply(changes, taken, quantiser);
    GLINT_ASSIGN(const Distance tried, quantiser->Distance(false));
    if (budget.ShareOf(tried) <= 1) {
      used = budget.ShareOf(tried);
    } else {
      taken.pop_back();
    }
    GLINT_TRY(quantiser->Progress("mix", done(i + 1)));
  }
  Apply(changes, taken, quantiser);
  return taken;
}

// What a pass over the entropy networks may add to the loss, as a share of the loss that is
// allowed.
constexpr double kShareForSize = 0.2;
constexpr double kShareForEntropyTime = 0.1;  // which is little time

// Other symbols of the same picture are no harm, so differences do not count.
Status MixEntropy(Pass pass, double share, const Budget& whole, Quantiser* quantiser,
                  std::vector<double>* alone) {
  GLINT_ASSIGN(const Distance start, quantiser->Distance(false));
  Budget budget{{std::max(start.loss, 0.0) + share * whole.most.loss,
                 std::numeric_limits<double>::infinity()}};
  budget.most.loss = std::min(budget.most.loss, whole.most.loss);
  GLINT_ASSIGN(const std::vector<Change> changes, MeasureChanges(pass, budget, quantiser, alone));
  return ApplyWithin(changes, budget, quantiser).status();
}

Result<bool> SparesBuiltIn(Quantiser* quantiser) {
  GLINT_TRY(quantiser->Progress("built-in pictures", 0));
  GLINT_ASSIGN(const SetLoss loss, quantiser->BuiltInLoss());
  return loss.worst.decibels <= kMostDecibels && loss.worst_colour.colour <= kMostColour;
}

// Takes changes back, the last first, until no built-in picture loses too much (by bisection).
// Where one does without any of them as well, nothing is taken back.
Status SpareBuiltIn(const std::vector<Change>& changes, std::span<const Change> taken,
                    Quantiser* quantiser) {
  size_t good = 0, bad = taken.size();
  GLINT_ASSIGN(const bool all, SparesBuiltIn(quantiser));
  if (all || bad == 0) return Status::Ok();
  Apply(changes, {}, quantiser);
  GLINT_ASSIGN(const bool none, SparesBuiltIn(quantiser));
  while (none && good + 1 < bad) {
    const size_t middle = (good + bad) / 2;
    Apply(changes, taken.first(middle), quantiser);
    GLINT_ASSIGN(const bool spared, SparesBuiltIn(quantiser));
    (spared ? good : bad) = middle;
  }
  Apply(changes, taken.first(none ? good : taken.size()), quantiser);
  return Status::Ok();
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
  constexpr double kUnseen = 0.8;      // pictures not calibrated on lose about a fifth more
  constexpr double kDifference = 3.0;  // that goes with a percent of loss
  Budget budget{{std::max({base.loss, kUnseen * max_loss, 1e-9}), kDifference * max_loss}};
  GLINT_TRY(MixEntropy(Pass::kEntropySize, kShareForSize, budget, quantiser, &alone));
  GLINT_TRY(MixEntropy(Pass::kEntropyTime, kShareForEntropyTime, budget, quantiser, &alone));
  GLINT_TRY(quantiser->StartDifference());
  GLINT_ASSIGN(const std::vector<Change> times,
               MeasureChanges(Pass::kTransforms, budget, quantiser, &alone));
  GLINT_ASSIGN(const std::vector<Change> taken, ApplyWithin(times, budget, quantiser));
  if (quantiser->has_built_in()) GLINT_TRY(SpareBuiltIn(times, taken, quantiser));
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
    GLINT_TRY(quantiser->Progress("tune",
                                  static_cast<double>(i + 1) / static_cast<double>(groups.size())));
  }
  return Status::Ok();
}

}  // namespace glint::quantiser
