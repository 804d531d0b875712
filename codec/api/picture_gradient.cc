#include "codec/api/picture_gradient.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/gradient_graph.h"

namespace glint {
namespace {

constexpr size_t kColours = 3;  // of the picture that a model makes

// Where pixel_unshuffle of `factors`, one after the other, puts the samples of a square of `side`
// pixels, row by row.
std::vector<size_t> PlacesOfTarget(size_t side) {
  const std::vector<int> factors = TargetFactors(static_cast<int64_t>(side));
  std::vector<size_t> places;
  for (size_t row = 0; row < side; ++row) {
    for (size_t column = 0; column < side; ++column) {
      for (size_t colour = 0; colour < kColours; ++colour) {
        size_t place = colour, y = row, x = column;
        for (const int f : factors) {
          const auto factor = static_cast<size_t>(f);
          place = (place * factor + y % factor) * factor + x % factor;
          y /= factor;
          x /= factor;
        }
        places.push_back(place);
      }
    }
  }
  return places;
}

// Of what SourceWindow keeps: 8 bits at most, no alpha.
PictureInfo LevelsInfo(PictureInfo info) {
  info.bit_depth = std::min<uint32_t>(info.bit_depth, 8);
  info.has_alpha = false;
  return info;
}

}  // namespace

PictureGradient::PictureGradient(const Model::Impl& model, const LatentGeometry& geometry,
                                 const PictureInfo& info, const CallContext& context,
                                 const CallOptions& options, double t)
    : model_(model),
      geometry_(geometry),
      pixels_(LevelsInfo(info), geometry, model.document),
      source_(info) {
  options_.in_width = geometry.width();
  options_.in_height = geometry.height();
  options_.bands.rows = context.BandLatentRows(model.document, geometry);
  options_.t = t;
  options_.runner = context.runner();
  options_.profile = options.profile;
  source_.SetSize(static_cast<int64_t>(info.height));
}

Status PictureGradient::Plan() {
  GLINT_ASSIGN(plan_, model_.Gradient());
  return Status::Ok();
}

Result<uint64_t> PictureGradient::RunBytes() const {
  GLINT_ASSIGN(const uint64_t bytes, Executor::MemoryNeeded(*plan_, options_));
  return bytes + kColours * geometry_.padded_width() * sizeof(float);
}

Status PictureGradient::Allocate() {
  places_ = PlacesOfTarget(static_cast<size_t>(model_.document.latent_stride));
  row_.resize(kColours * geometry_.padded_width());
  return source_.Allocate();
}

Status PictureGradient::Run(const ReadLatents& read, const TakeRows& take) {
  GLINT_ASSIGN(const auto executor, Executor::Make(plan_, options_));
  const At at = [&](int64_t row, size_t column) {
    return executor->OutputRow(row) + column * executor->output_pixel_stride();
  };
  int64_t fed = 0;
  while (executor->end() < geometry_.height()) {
    for (const int64_t end = executor->InputEnd(); fed < end; ++fed) {
      read(fed, executor->InputRow(0, fed));
      executor->StoreInput(0, fed);
      ReadTarget(fed, executor->InputRow(1, fed));
      executor->StoreInput(1, fed);
    }
    const int64_t begin = executor->end();
    executor->Advance();
    GLINT_TRY(take(begin, executor->end(), at));
  }
  if (profile_.empty()) profile_ = executor->profile();
  return Status::Ok();
}

void PictureGradient::ReadTarget(int64_t row, float* target) {
  const auto side = static_cast<size_t>(model_.document.latent_stride);
  const size_t samples = kColours * side;
  for (size_t y = 0; y < side; ++y) {
    const int64_t padded_row = row * static_cast<int64_t>(side) + static_cast<int64_t>(y);
    const std::optional<int64_t> inside = pixels_.PictureRow(padded_row);
    inside ? pixels_.Convert(source_.Row(*inside), 0, geometry_.padded_width(), row_.data())
           : pixels_.Zeros(geometry_.padded_width(), row_.data());
    const size_t* places = places_.data() + y * samples;
    for (size_t x = 0; x < geometry_.width(); ++x) {
      for (size_t i = 0; i < samples; ++i) {
        target[x * places_.size() + places[i]] = row_[x * samples + i];
      }
    }
  }
}

void PictureGradient::AppendProfile(std::vector<LayerProfile>* layers) const {
  for (const StepProfile& step : profile_) {
    layers->push_back({kGradientGraph, step.name, step.kernel, step.macs, step.seconds});
  }
}

}  // namespace glint
