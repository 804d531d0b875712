// The public function: options to a quantised model.
#include "glint/quantise.hpp"

#include <utility>

#include "codec/public_error.h"
#include "codec/quantiser/built_in_pictures.h"
#include "codec/quantiser/quantiser.h"
#include "codec/quantiser/search.h"
#include "engine/float_env.h"

namespace glint {
namespace {

Result<QuantisedModel> Run(const Model& model, const std::vector<Picture>& pictures,
                           const QuantiseOptions& options) {
  quantiser::Quantiser quantiser(model, pictures, options);
  GLINT_TRY(quantiser.Init());
  std::vector<double> alone(quantiser.layers().size(), 0.0);
  if (options.max_loss > 0) {
    GLINT_ASSIGN(alone, quantiser::ChooseMix(options.max_loss, &quantiser));
  }
  if (options.tune) GLINT_TRY(quantiser::TuneRanges(&quantiser));
  QuantisedModel result;
  result.file = quantiser.File();
  GLINT_ASSIGN(result.calibration, quantiser.Loss());
  result.loss = result.calibration.loss;
  if (options.built_in) {
    GLINT_ASSIGN(result.built_in, quantiser.BuiltInLoss());
  }
  result.relative_cost = quantiser.RelativeCost();
  for (size_t i = 0; i < quantiser.layers().size(); ++i) {
    result.layers.push_back(quantiser.Describe(i));
    result.layers.back().loss = alone[i];
  }
  GLINT_TRY(quantiser.Progress("measure", 1));
  return result;
}

}  // namespace

const char* NameOf(LayerPrecision precision) {
  switch (precision) {
    case LayerPrecision::kFp32:
      return "FP32";
    case LayerPrecision::kFp16:
      return "FP16";
    case LayerPrecision::kW16A16:
      return "W16A16";
    case LayerPrecision::kW8A16:
      return "W8A16";
    case LayerPrecision::kW8A8:
      return "W8A8";
  }
  return "";
}

std::vector<NamedPicture> BuiltInPictures() { return quantiser::MakeBuiltInPictures(); }

Expected<uint64_t> PlanQuantisation(const Model& model, const std::vector<PictureInfo>& pictures,
                                    const QuantiseOptions& options) {
  return PublicCall([&]() -> Result<uint64_t> {
    const std::vector<Picture> none;
    quantiser::Quantiser quantiser(model, none, options);
    GLINT_TRY(quantiser.Prepare());
    return quantiser.Memory(pictures);
  });
}

Expected<QuantisedModel> Quantise(const Model& model, const std::vector<Picture>& pictures,
                                  const QuantiseOptions& options) {
  const ScopedFloatEnv float_env;
  return PublicCall([&] { return Run(model, pictures, options); });
}

}  // namespace glint
