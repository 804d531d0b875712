#include "codec/quantiser/search.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <span>

namespace glint::quantiser {
namespace {

// What a layer may become instead of W16A16.
struct Choice {
  LayerPrecision precision = LayerPrecision::kW8A8;
  double splitting = 0;
  double loss = 0;  // measured alone
  double gain = 0;  // of time, or of bytes
};

// From 16 bits, or from the choice before, to the next that gains more: of each layer those that
// lie on the lower convex hull of loss over gain, so a layer's steps come in order of `ratio`.
struct Step {
  size_t layer = 0;
  size_t number = 0;  // of the layer's steps
  Choice to;
  double added_loss = 0;
  double ratio = 0;  // of what the step loses to what it gains
};

constexpr LayerPrecision kStart = LayerPrecision::kW16A16;

std::vector<Choice> ChoicesOf(const Quantiser& quantiser, size_t index) {
  if (quantiser.is_fixed(index) || quantiser.precision(index) != kStart) return {};
  const Layer& layer = quantiser.layers()[index];
  if (IsEntropyGraph(layer.graph)) {
    // Its time is small: what 8-bit weights save there is the size of the file.
    const double weights =
        static_cast<double>(layer.taps() * layer.channels() * layer.out_channels);
    return {{LayerPrecision::kW8A16, 0, 0, weights}};
  }
  std::vector<Choice> choices;
  if (!quantiser.MayBeEightBit(index)) return choices;
  for (const double share : {0.5, 0.25, 0.125, 0.0}) {
    const bool possible = share == 0 || quantiser.MaySplit(index);
    if (!possible || share > quantiser.most_splitting()) continue;
    choices.push_back({LayerPrecision::kW8A8, share, 0, layer.macs_per_pixel * (1 - share)});
  }
  return choices;
}

// `choices`: by growing gain.
void AppendSteps(size_t layer, const std::vector<Choice>& choices, std::vector<Step>* steps) {
  constexpr double kLeastLoss = 1e-4;  // measurements are not finer
  double loss = 0, gain = 0;
  size_t number = 0;
  for (size_t i = 0; i < choices.size();) {
    size_t best = i;
    const auto ratio = [&](size_t c) {
      return std::max(choices[c].loss - loss, kLeastLoss) / (choices[c].gain - gain);
    };
    for (size_t c = i; c < choices.size(); ++c) {
      if (ratio(c) <= ratio(best)) best = c;
    }
    steps->push_back({layer, number++, choices[best], choices[best].loss - loss, ratio(best)});
    loss = choices[best].loss;
    gain = choices[best].gain;
    i = best + 1;
  }
}

// The layers of all `steps` at 16 bits, but as `taken` has them.
void Apply(const std::vector<Step>& steps, std::span<const Step> taken, Quantiser* quantiser) {
  std::map<size_t, Choice> choices;
  for (const Step& step : steps) choices[step.layer] = {kStart, 0, 0, 0};
  for (const Step& step : taken) choices[step.layer] = step.to;
  for (const auto& [layer, choice] : choices) {
    quantiser->SetPrecision(layer, choice.precision, choice.splitting);
  }
  quantiser->Refresh();
}

// The longest beginning of `steps` (cheapest first) whose loss stays below `most`, by bisection:
// losses add up nearly, so they grow with the length. Then whatever else still fits.
Status ApplyWithin(const std::vector<Step>& steps, double most, Quantiser* quantiser) {
  size_t good = 0, bad = steps.size() + 1;
  const auto done = [&](size_t tried) {
    return static_cast<double>(tried) / static_cast<double>(steps.size() + 1);
  };
  const std::span<const Step> all(steps);
  while (good + 1 < bad) {
    const size_t middle = (good + bad) / 2;
    Apply(steps, all.first(middle), quantiser);
    GLINT_ASSIGN(const double loss, quantiser->Loss());
    (loss <= most ? good : bad) = middle;
    GLINT_TRY(quantiser->Progress("mix", 1.0 - done(bad - good)));
  }
  std::vector<Step> taken(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(good));
  Apply(steps, taken, quantiser);
  GLINT_ASSIGN(double loss, quantiser->Loss());
  for (size_t i = good; i < steps.size(); ++i) {
    const size_t before =
        static_cast<size_t>(std::count_if(taken.begin(), taken.end(), [&](const Step& step) {
          return step.layer == steps[i].layer;
        }));
    if (before != steps[i].number || loss + steps[i].added_loss > most) continue;
    taken.push_back(steps[i]);
    Apply(steps, taken, quantiser);
    GLINT_ASSIGN(const double tried, quantiser->Loss());
    if (tried <= most) {
      loss = tried;
    } else {
      taken.pop_back();
    }
    GLINT_TRY(quantiser->Progress("mix", done(i + 1)));
  }
  Apply(steps, taken, quantiser);
  return Status::Ok();
}

}  // namespace

Result<std::vector<double>> ChooseMix(double max_loss, Quantiser* quantiser) {
  std::vector<double> alone(quantiser->layers().size(), 0.0);
  GLINT_ASSIGN(const double base, quantiser->Loss());
  if (base > max_loss) {
    char text[128];
    std::snprintf(text, sizeof(text), "16 bits everywhere lose %.3g %%, max_loss is %.3g %%", base,
                  max_loss);
    return Status::Error(StatusCode::kInvalidArgument, text);
  }
  std::vector<Step> sizes, times;
  for (size_t i = 0; i < alone.size(); ++i) {
    std::vector<Choice> choices = ChoicesOf(*quantiser, i);
    for (Choice& choice : choices) {
      quantiser->SetPrecision(i, choice.precision, choice.splitting);
      quantiser->Refresh();
      GLINT_ASSIGN(const double loss, quantiser->Loss());
      choice.loss = alone[i] = loss - base;
    }
    GLINT_TRY(quantiser->Progress("measure",
                                  static_cast<double>(i + 1) / static_cast<double>(alone.size())));
    if (choices.empty()) continue;
    quantiser->SetPrecision(i, kStart, 0);
    AppendSteps(i, choices, IsEntropyGraph(quantiser->layers()[i].graph) ? &sizes : &times);
  }
  quantiser->Refresh();
  for (std::vector<Step>* steps : {&sizes, &times}) {
    std::stable_sort(steps->begin(), steps->end(),
                     [](const Step& a, const Step& b) { return a.ratio < b.ratio; });
  }
  // Pictures that calibration did not see lose about a fifth more.
  constexpr double kUnseen = 0.8;
  constexpr double kShareForSize = 0.2;  // of the loss that is allowed
  const double most = std::max(base, kUnseen * max_loss);
  const double most_for_size = std::max(base, 0.0) + kShareForSize * most;
  GLINT_TRY(ApplyWithin(sizes, std::min(most_for_size, most), quantiser));
  GLINT_TRY(ApplyWithin(times, most, quantiser));
  return alone;
}

Status TuneRanges(Quantiser* quantiser) {
  std::vector<size_t> groups;
  for (size_t g = 0; g < quantiser->groups().size(); ++g) {
    const std::vector<size_t>& layers = quantiser->groups()[g].layers;
    const bool eight_bit = std::any_of(layers.begin(), layers.end(), [&](size_t layer) {
      return quantiser->precision(layer) == LayerPrecision::kW8A8;
    });
    if (eight_bit) groups.push_back(g);
  }
  GLINT_ASSIGN(double least, quantiser->Loss());
  for (size_t i = 0; i < groups.size(); ++i) {
    double best = quantiser->widened(groups[i]);
    // Away from where it is, in either direction, as long as that helps.
    for (const double ratio : {1.12, 1 / 1.12}) {
      double tried = best * ratio;
      while (true) {
        quantiser->Widen(groups[i], tried);
        GLINT_ASSIGN(const double loss, quantiser->Loss());
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
