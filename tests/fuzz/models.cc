#include "tests/fuzz/models.h"

#include <memory>

#include "codec/model/model_impl.h"
#include "tests/codec_helpers.h"
#include "tests/drawn_model.h"
#include "tests/model_builder.h"

namespace glint::fuzz {
namespace {

Bytes FileOf(uint32_t kind) {
  // Small pictures are to have several segments.
  constexpr int kSegmentRows = 2, kMiniRows = 4;
  switch (kind) {
    case kMiniModel:
      return testing::MiniModelFile(kMiniRows);
    case kWavefrontModel:
      return testing::WavefrontModelFile();
    case kIntegerModel:
      return testing::IntegerModelFile(kSegmentRows);
    case kDynamicModel:
      return testing::DynamicModelFile(kSegmentRows);
    case kFloat16Model:
      return testing::Float16ModelFile(kSegmentRows);
    case kLatticeModel:
      return testing::LatticeModel().Build();
    case kMiniIntegerModel:
      return testing::WithIntegers(testing::MiniModel()).Build();
    case kShrinkingModel:
      return testing::ShrinkingModelFile(kSegmentRows);
    default:
      return testing::TinyModelFile(kSegmentRows);
  }
}

}  // namespace

const SmallModel& ModelOf(uint32_t number) {
  static std::unique_ptr<const SmallModel> models[kModelKinds];
  const uint32_t kind = number % kModelKinds;
  if (models[kind] == nullptr) {
    Bytes file = FileOf(kind);
    auto model = Model::FromMemory(file.data(), file.size());
    Require(model.ok(), model.ok() ? "" : model.error().message);
    const bool exact = testing::AllInteger(model->impl().graphs().at("g_s"));
    models[kind] = std::make_unique<const SmallModel>(SmallModel{std::move(file), *model, exact});
  }
  return *models[kind];
}

Bytes DrawnModelFile(uint32_t seed) { return testing::DrawnModel(seed).Build(); }

}  // namespace glint::fuzz
