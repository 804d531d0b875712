// The public function: options to a quantised model.
#include "glint/quantise.hpp"

#include <utility>

#include "codec/memory_limit.h"
#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "codec/quantiser/built_in_pictures.h"
#include "codec/quantiser/quantiser.h"
#include "codec/quantiser/search.h"
#include "codec/quantiser/shrunk_graphs.h"
#include "codec/short_number.h"
#include "engine/float_env.h"

namespace glint {
namespace {

Result<ShrunkModel> Fit(const Model& model, const std::vector<Picture>& pictures,
                        const ShrunkGraphOptions& options) {
  constexpr double kBuiltInShare = 0.1;
  const RateControl& rate = model.impl().document.rate;
  quantiser::CalibrationOptions calibration;
  calibration.lrds = options.lrds;
  if (options.lrds.empty()) {
    calibration.lrds = quantiser::SpreadRates(rate, rate.suggested_min, rate.suggested_max);
  }
  for (const double lrd : calibration.lrds) {
    if (lrd >= rate.min && lrd <= rate.max) continue;
    return Status::Error(StatusCode::kInvalidArgument,
                         "calibration lrd " + ShortNumber(lrd) + " is not in the model's range");
  }
  calibration.threads = options.threads;
  calibration.progress = [&options](double done) {
    if (!options.progress || options.progress({"shrunk pictures", done, "", -1}))
      return Status::Ok();
    return Status::Error(StatusCode::kCancelled, "stopped by the progress callback");
  };
  std::vector<Picture> built_in;
  std::vector<quantiser::PictureShare> sets = {{pictures, 1.0}};
  if (options.built_in) {
    for (NamedPicture& named : quantiser::MakeBuiltInPictures()) {
      built_in.push_back(std::move(named.picture));
    }
    sets = {{pictures, 1.0 - kBuiltInShare}, {built_in, kBuiltInShare}};
  }
  return quantiser::FitShrunkGraphs(model, sets, calibration);
}

Result<ShrunkModel> CheckAndFit(const Model& model, const std::vector<Picture>& pictures,
                                const ShrunkGraphOptions& options) {
  if (pictures.empty()) {
    return Status::Error(StatusCode::kInvalidArgument, "there is no calibration picture");
  }
  const uint64_t fit = quantiser::ShrunkFitBytes(model.impl().document);
  GLINT_TRY(quantiser::CheckMemoryWith(model, pictures, fit, options.max_memory,
                                       "fitting graphs to " + model.impl().file->name()));
  return Fit(model, pictures, options);
}

// To the quantised model.
Status FitShrunk(const std::vector<Picture>& pictures, const QuantiseOptions& options,
                 QuantisedModel* quantised) {
  const auto model =
      Model::FromMemory(quantised->file.data(), quantised->file.size(), "quantised model");
  if (!model) return ToStatus(model.error());
  ShrunkGraphOptions shrunk;
  shrunk.built_in = options.built_in;
  shrunk.threads = options.threads;
  shrunk.progress = options.progress;
  GLINT_ASSIGN(ShrunkModel fitted, Fit(*model, pictures, shrunk));
  quantised->file = std::move(fitted.file);
  quantised->shrunk = std::move(fitted.fits);
  return Status::Ok();
}

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
  if (!model.impl().document.shrunk.empty()) GLINT_TRY(FitShrunk(pictures, options, &result));
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
    const uint64_t bytes = quantiser.Memory(pictures);
    const ModelDocument& document = model.impl().document;
    return document.shrunk.empty() ? bytes : AddBytes(bytes, quantiser::ShrunkFitBytes(document));
  });
}

Expected<QuantisedModel> Quantise(const Model& model, const std::vector<Picture>& pictures,
                                  const QuantiseOptions& options) {
  const ScopedFloatEnv float_env;
  return PublicCall([&] { return Run(model, pictures, options); });
}

Expected<uint64_t> PlanShrunkGraphs(const Model& model) {
  return PublicCall(
      [&]() -> Result<uint64_t> { return quantiser::ShrunkFitBytes(model.impl().document); });
}

Expected<ShrunkModel> AddShrunkGraphs(const Model& model, const std::vector<Picture>& pictures,
                                      const ShrunkGraphOptions& options) {
  const ScopedFloatEnv float_env;
  return PublicCall([&] { return CheckAndFit(model, pictures, options); });
}

}  // namespace glint
