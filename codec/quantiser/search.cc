#include "codec/quantiser/search.h"

#include <algorithm>
#include <cstdio>

namespace glint::quantiser {
namespace {

// A layer that may go from 16 bits to `to`.
struct Candidate {
  size_t layer;
  LayerPrecision to;
  double loss = 0;  // measured alone
  double gain = 0;  // of time, or of bytes
  double ratio() const { return std::max(loss, 1e-4) / gain; }
};

void Apply(const std::vector<Candidate>& candidates, size_t count, Quantiser* quantiser) {
  for (size_t i = 0; i < candidates.size(); ++i) {
    quantiser->SetPrecision(candidates[i].layer,
                            i < count ? candidates[i].to : LayerPrecision::kW16A16);
  }
  quantiser->Refresh();
}

// The longest beginning of `candidates` (cheapest first) whose loss stays below `most`, by
// bisection: losses add up nearly, so they grow with the length.
Status ApplyWithin(const std::vector<Candidate>& candidates, double most, Quantiser* quantiser) {
  size_t good = 0, bad = candidates.size() + 1;
  while (good + 1 < bad) {
    const size_t middle = (good + bad) / 2;
    Apply(candidates, middle, quantiser);
    GLINT_ASSIGN(const double loss, quantiser->Loss());
    (loss <= most ? good : bad) = middle;
    GLINT_TRY(quantiser->Progress(
        "mix", 1.0 - static_cast<double>(bad - good) / static_cast<double>(candidates.size() + 1)));
  }
  Apply(candidates, good, quantiser);
  return Status::Ok();
}

std::vector<Candidate> ListCandidates(const Quantiser& quantiser) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < quantiser.layers().size(); ++i) {
    if (quantiser.is_fixed(i) || quantiser.precision(i) != LayerPrecision::kW16A16) continue;
    const Layer& layer = quantiser.layers()[i];
    if (IsEntropyGraph(layer.graph)) {
      // Its time is small: what 8-bit weights save there is the size of the file.
      const double weights =
          static_cast<double>(layer.taps() * layer.channels() * layer.out_channels);
      candidates.push_back({i, LayerPrecision::kW8A16, 0, weights});
    } else if (quantiser.MayBeEightBit(i)) {
      candidates.push_back({i, LayerPrecision::kW8A8, 0, layer.macs_per_pixel});
    }
  }
  return candidates;
}

}  // namespace

Result<std::vector<double>> ChooseMix(double max_loss, Quantiser* quantiser) {
  std::vector<Candidate> candidates = ListCandidates(*quantiser);
  std::vector<double> alone(quantiser->layers().size(), 0.0);
  GLINT_ASSIGN(const double base, quantiser->Loss());
  if (base > max_loss) {
    char text[128];
    std::snprintf(text, sizeof(text), "16 bits everywhere lose %.3g %%, max_loss is %.3g %%", base,
                  max_loss);
    return Status::Error(StatusCode::kInvalidArgument, text);
  }
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    quantiser->SetPrecision(candidate.layer, candidate.to);
    quantiser->Refresh();
    GLINT_ASSIGN(const double loss, quantiser->Loss());
    candidate.loss = alone[candidate.layer] = loss - base;
    quantiser->SetPrecision(candidate.layer, LayerPrecision::kW16A16);
    GLINT_TRY(quantiser->Progress(
        "measure", static_cast<double>(i + 1) / static_cast<double>(candidates.size())));
  }
  quantiser->Refresh();
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.ratio() < b.ratio(); });
  std::vector<Candidate> sizes, times;
  for (const Candidate& candidate : candidates) {
    (candidate.to == LayerPrecision::kW8A16 ? sizes : times).push_back(candidate);
  }
  constexpr double kShareForSize = 0.2;  // of the loss that is allowed
  const double most_for_size = std::max(base, 0.0) + kShareForSize * max_loss;
  GLINT_TRY(ApplyWithin(sizes, std::min(most_for_size, max_loss), quantiser));
  GLINT_TRY(ApplyWithin(times, max_loss, quantiser));
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
