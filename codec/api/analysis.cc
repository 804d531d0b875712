#include "codec/api/analysis.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "codec/memory_limit.h"
#include "codec/stage_clock.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

ExecutorOptions OptionsOf(const Model::Impl& model, const LatentGeometry& geometry,
                          const CallContext& context, const CallOptions& call, double t) {
  ExecutorOptions options;
  options.in_width = geometry.padded_width();
  options.in_height = geometry.padded_height();
  options.bands.rows = context.BandLatentRows(model.document, geometry);
  options.t = t;
  options.runner = context.runner();
  options.profile = call.profile;
  return options;
}

StripShape ShapeOf(const Model::Impl& model, const LatentGeometry& geometry) {
  const auto unit = static_cast<size_t>(model.document.latent_stride);
  return {geometry.width(), unit, 1, std::max<size_t>(1, kStripPixels / unit)};
}

// Rows of z that h_a makes together: some 48 positions, for its layers have more bytes of weights
// than of pixels, and each pass over them should serve many. Few, for the rows of y behind them
// wait in memory.
int64_t HyperBandRows(size_t width) {
  constexpr size_t kPositions = 48, kMost = 8;
  return static_cast<int64_t>(
      std::clamp<size_t>(kPositions / std::max<size_t>(1, width), 1, kMost));
}

}  // namespace

Analysis::Analysis(const Model::Impl& model, const LatentGeometry& geometry,
                   const PictureInfo& info, const CallContext& context, const CallOptions& options,
                   double t, PlainRows* source)
    : model_(model),
      geometry_(geometry),
      info_(info),
      source_(source),
      pixels_(info, geometry, model.document),
      fixed_scale_(static_cast<float>(1 << model.document.fraction_bits)),
      picture_bytes_(MultiplyBytes(pixels_.ColourBytes(), info.height)),
      y_options_(OptionsOf(model, geometry, context, options, t)),
      z_options_(y_options_),
      strips_(model.g_a, model.graph("g_a"), y_options_, ShapeOf(model, geometry)) {
  z_options_.in_width = geometry.width();
  z_options_.in_height = geometry.height();
  z_options_.bands.rows = HyperBandRows(geometry.hyper_width());
  in_strips_ = strips_.PaysOff(picture_bytes_);
}

// ---- plan --------------------------------------------------------------------------------------

Status Analysis::Plan(Flow flow, const SynthesisBehind& synthesis) {
  flow_ = in_strips_ || model_.g_a->whole_picture() ? Flow::kAtOnce : flow;
  EncodingRows rows;
  rows.y = geometry_.height();
  rows.z = geometry_.hyper_height();
  const bool follows =
      flow_ == Flow::kBySegment && synthesis.plan != nullptr && !synthesis.plan->whole_picture();
  if (flow_ == Flow::kBySegment) {
    EncodingGraphs graphs;
    graphs.h_a = model_.h_a.get();
    graphs.hyper = z_options_;
    if (follows) {
      graphs.g_a = model_.g_a.get();
      graphs.analysis = y_options_;
      graphs.g_s = synthesis.plan;
      graphs.synthesis = *synthesis.options;
    }
    GLINT_ASSIGN(rows, PlanEncodingRows(model_.document, geometry_, graphs));
  }
  source_rows_ = follows ? rows.source : static_cast<int64_t>(info_.height);
  const ModelDocument& document = model_.document;
  y_.SetSize(geometry_.width() * static_cast<size_t>(document.latent_channels), rows.y);
  z_.SetSize(geometry_.hyper_width() * static_cast<size_t>(document.hyper_channels), rows.z);
  return schedule_.Init(document, geometry_, model_.h_a.get(), z_options_);
}

Result<uint64_t> Analysis::TransformBytes() const {
  GLINT_ASSIGN(uint64_t bytes, in_strips_ ? strips_.MemoryNeeded()
                                          : Executor::MemoryNeeded(*model_.g_a, y_options_));
  if (in_strips_) bytes += picture_bytes_;
  if (model_.h_a != nullptr) {
    GLINT_ASSIGN(const uint64_t h_a, Executor::MemoryNeeded(*model_.h_a, z_options_));
    bytes += h_a;
  }
  return bytes + pixels_.MemoryNeeded() + source_->MemoryNeeded();
}

Status Analysis::Allocate() {
  source_->Allocate();
  pixels_.Allocate();
  if (!in_strips_) {
    GLINT_ASSIGN(g_a_, Executor::Make(model_.g_a, y_options_));
  }
  if (model_.h_a != nullptr) {
    GLINT_ASSIGN(h_a_, Executor::Make(model_.h_a, z_options_));
  }
  if (in_strips_ && !picture_.Allocate(static_cast<size_t>(picture_bytes_))) {
    return Status::Error(StatusCode::kLimit, "out of memory for the picture");
  }
  if (!y_.Allocate() || !z_.Allocate()) {
    return Status::Error(StatusCode::kLimit, "out of memory for the latents");
  }
  return Status::Ok();
}

// ---- rows --------------------------------------------------------------------------------------

Status Analysis::PrepareSegment(const Sink& sink, StageTimes* times) {
  if (in_strips_ && schedule_.y_end() == 0) GLINT_TRY(RunStrips(sink, times));
  while (flow_ == Flow::kAtOnce ? !IsComplete() : !schedule_.SegmentReady()) {
    if (schedule_.HyperReady()) {
      AddHyperBand(times);
      continue;
    }
    if (!in_strips_ && schedule_.y_end() == g_a_->end()) GLINT_TRY(NextBand(sink, times));
    AddRow(times);
  }
  return IsComplete() ? FreeTransforms(sink) : Status::Ok();
}

bool Analysis::IsComplete() const {
  return schedule_.y_end() == geometry_.height() && schedule_.z_end() == geometry_.hyper_height();
}

Status Analysis::NextBand(const Sink& sink, StageTimes* times) {
  for (const int64_t end = g_a_->InputEnd(); rows_fed_ < end; ++rows_fed_) {
    GLINT_TRY(ReadRow(sink, times));
  }
  {
    const StageClock clock(&times->analysis);
    g_a_->Advance();
  }
  return sink.progress(static_cast<double>(g_a_->end()) / static_cast<double>(geometry_.height()));
}

// The next row of g_a's input.
Status Analysis::ReadRow(const Sink& sink, StageTimes* times) {
  const std::optional<int64_t> row = pixels_.PictureRow(rows_fed_);
  if (row && *row == rows_read_) GLINT_TRY(ReadSource(sink));
  const StageClock clock(&times->analysis);
  float* values = g_a_->InputRow(0, rows_fed_);
  const size_t count = geometry_.padded_width();
  row ? pixels_.Convert(colour_, 0, count, values) : pixels_.Zeros(count, values);
  g_a_->StoreInput(0, rows_fed_);
  return Status::Ok();
}

// The next row of the picture.
Status Analysis::ReadSource(const Sink& sink) {
  GLINT_TRY(source_->Next(pixels_.samples()));
  const uint8_t* const colour = pixels_.Colour();
  colour_ = source_->ForModel(colour);
  ++rows_read_;
  return sink.take(colour, colour_, pixels_.Alpha());
}

// The whole picture first, then y strip by strip.
Status Analysis::RunStrips(const Sink& sink, StageTimes* times) {
  const size_t row_bytes = pixels_.ColourBytes();
  for (int64_t row = 0; row < static_cast<int64_t>(info_.height); ++row) {
    GLINT_TRY(ReadSource(sink));
    std::memcpy(picture_.get() + static_cast<size_t>(row) * row_bytes, colour_, row_bytes);
  }
  const auto columns = [&](int64_t row, size_t first, size_t count, float* values) {
    const std::optional<int64_t> inside = pixels_.PictureRow(row);
    if (!inside) return pixels_.Zeros(count, values);
    pixels_.Convert(picture_.get() + static_cast<size_t>(*inside) * row_bytes, first, count,
                    values);
  };
  const auto latents = [&](int64_t row, size_t first, size_t count, const float* values, size_t) {
    const auto channels = static_cast<size_t>(model_.document.latent_channels);
    ToFixed(values, count * channels, fixed_scale_, y_.WriteRow(row) + first * channels);
  };
  const StageClock clock(&times->analysis);
  return strips_.Run(columns, latents, sink.progress);
}

// The next row of y, also into h_a.
void Analysis::AddRow(StageTimes* times) {
  const int64_t row = schedule_.y_end();
  if (!in_strips_) {
    const StageClock clock(&times->analysis);
    ToFixed(g_a_->OutputRow(row), y_.row_values(), fixed_scale_, y_.WriteRow(row));
  }
  schedule_.AddRow();
  // Beyond what the next rows of z read there are only rows that none reads.
  if (h_a_ == nullptr || row >= h_a_->InputEnd()) return;
  const StageClock clock(&times->hyper);
  kernels::FixedToFloat(y_.Row(row), h_a_->InputRow(0, row), y_.row_values(), fixed_scale_);
  h_a_->StoreInput(0, row);
}

void Analysis::AddHyperBand(StageTimes* times) {
  const StageClock clock(&times->hyper);
  const int64_t first = schedule_.z_end();
  h_a_->Advance();
  schedule_.AddHyperBand();
  for (int64_t row = first; row < schedule_.z_end(); ++row) {
    ToFixed(h_a_->OutputRow(row), z_.row_values(), 1.0f, z_.WriteRow(row));
  }
}

// After the last rows of y and z.
Status Analysis::FreeTransforms(const Sink& sink) {
  if (is_freed_) return Status::Ok();
  is_freed_ = true;
  // Those that g_a does not look at count all the same.
  while (rows_read_ < static_cast<int64_t>(info_.height)) GLINT_TRY(ReadSource(sink));
  g_a_profile_ = in_strips_ ? strips_.profile() : g_a_->profile();
  if (h_a_ != nullptr) h_a_profile_ = h_a_->profile();
  g_a_.reset();
  h_a_.reset();
  pixels_.Free();
  picture_ = {};
  source_->Free();
  return Status::Ok();
}

void Analysis::ToFixed(const float* values, size_t count, float scale, int16_t* out) {
  saturated_ += kernels::FloatToFixed(values, out, count, scale);
}

void Analysis::AppendProfile(std::vector<LayerProfile>* layers) const {
  for (const StepProfile& step : g_a_profile_) {
    layers->push_back({"g_a", step.name, step.kernel, step.macs, step.seconds});
  }
  for (const StepProfile& step : h_a_profile_) {
    layers->push_back({"h_a", step.name, step.kernel, step.macs, step.seconds});
  }
}

}  // namespace glint
