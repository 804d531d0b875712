#include "codec/api/synthesis.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "codec/memory_limit.h"
#include "codec/stage_clock.h"
#include "codec/stream/container.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

ExecutorOptions OptionsOf(const Model::Impl& model, const LatentGeometry& geometry,
                          const Synthesis::Options& from) {
  ExecutorOptions options;
  options.in_width = geometry.width();
  options.in_height = geometry.height();
  options.bands.rows =
      from.context.BandLatentRows(model.document, geometry) * model.document.latent_stride;
  options.t = from.t;
  options.runner = from.context.runner();
  options.profile = from.call.profile;
  return options;
}

StripShape ShapeOf(const Model::Impl& model, const LatentGeometry& geometry) {
  const auto unit = static_cast<size_t>(model.document.latent_stride);
  return {geometry.width(), 1, unit, std::max<size_t>(1, kStripPixels / unit)};
}

Status NoMemory() { return Status::Error(StatusCode::kLimit, "out of memory for the picture"); }

}  // namespace

Synthesis::Synthesis(const Model::Impl& model, const LatentGeometry& geometry,
                     const PictureInfo& info, const Options& options)
    : model_(model),
      geometry_(geometry),
      info_(info),
      mean_(info.channels == 1 || options.colour == Colour::kMean),
      latent_row_(geometry.width() * static_cast<size_t>(model.document.latent_channels)),
      options_(OptionsOf(model, geometry, options)),
      strips_(model.g_s, model.graph("g_s"), options_, ShapeOf(model, geometry)) {
  in_strips_ = strips_.PaysOff(LatentBytes() + PictureBytes());
}

uint64_t Synthesis::LatentBytes() const {
  return latent_row_ * static_cast<uint64_t>(geometry_.height()) * sizeof(int16_t);
}

uint64_t Synthesis::PictureBytes() const { return uint64_t{LevelRowBytes()} * info_.height; }

Result<uint64_t> Synthesis::MemoryWith(const LatentCoder& coder) const {
  const uint64_t row = LevelRowBytes() * (sizeof(float) + 1);
  const uint64_t coder_bytes = coder.MemoryNeeded();
  if (in_strips_) {
    GLINT_ASSIGN(const uint64_t strips, strips_.MemoryNeeded());
    return LatentBytes() + std::max(coder_bytes, strips + PictureBytes()) + row;
  }
  GLINT_ASSIGN(const uint64_t g_s,
               Executor::MemoryNeeded(*model_.g_s, options_, {{&coder.latents(), 0}}));
  return coder_bytes + g_s + row;
}

Status Synthesis::Allocate(const LatentCoder& coder) {
  floats_.resize(LevelRowBytes());
  levels_.resize(LevelRowBytes());
  if (in_strips_) {
    const size_t values = latent_row_ * static_cast<size_t>(geometry_.height());
    return y_hat_.Allocate(values) ? Status::Ok() : NoMemory();
  }
  const std::vector<Executor::BoundInput> inputs = {{&coder.latents(), 0}};
  GLINT_ASSIGN(g_s_, Executor::Make(model_.g_s, options_, inputs));
  return Status::Ok();
}

Status Synthesis::AddSegment(const LatentCoder& coder, int64_t segment, const Sink& sink,
                             double* seconds) {
  const auto all = static_cast<int64_t>(info_.height);
  return AddSegment(coder, segment, all, sink, seconds).status();
}

Result<bool> Synthesis::AddSegment(const LatentCoder& coder, int64_t segment, int64_t row_end,
                                   const Sink& sink, double* seconds) {
  if (in_strips_) {
    CopyLatents(coder, segment);
    return true;
  }
  const int64_t height = geometry_.padded_height();
  for (;;) {
    if (rows_done_ == g_s_->end()) {
      if (rows_done_ == height || g_s_->InputEnd() > geometry_.LatentEnd(segment)) return true;
      const StageClock clock(seconds);
      g_s_->Advance();
    }
    const size_t stride = g_s_->output_pixel_stride();
    for (; rows_done_ < g_s_->end(); ++rows_done_) {
      const int64_t row = geometry_.PictureRows(rows_done_);
      if (geometry_.PictureRows(rows_done_ + 1) == row) continue;  // above or below it
      if (row >= row_end) return false;
      {
        const StageClock clock(seconds);
        ToLevels(g_s_->OutputRow(rows_done_) + geometry_.left() * stride, stride, info_.width,
                 levels_.data());
      }
      GLINT_TRY(sink.take(row, levels_.data()));
    }
    GLINT_TRY(sink.progress(static_cast<double>(rows_done_) / static_cast<double>(height)));
  }
}

void Synthesis::CopyLatents(const LatentCoder& coder, int64_t segment) {
  const RowRing& ring = coder.latents();
  for (int64_t row = geometry_.LatentEnd(segment - 1); row < geometry_.LatentEnd(segment); ++row) {
    int16_t* to = y_hat_.get() + static_cast<size_t>(row) * latent_row_;
    if (ring.element() == kernels::Element::kF32) {
      kernels::FloatToFixed(ring.Floats(row), to, latent_row_, FixedScale());
    } else {
      std::memcpy(to, ring.Row(row), latent_row_ * sizeof(int16_t));
    }
  }
}

Status Synthesis::Finish(const Sink& sink, double* seconds) {
  if (!in_strips_) return Status::Ok();
  if (!picture_.Allocate(static_cast<size_t>(PictureBytes()))) return NoMemory();
  GLINT_TRY(RunStrips(sink, seconds));
  for (int64_t row = 0; row < static_cast<int64_t>(info_.height); ++row) {
    GLINT_TRY(sink.take(row, picture_.get() + static_cast<size_t>(row) * LevelRowBytes()));
  }
  return Status::Ok();
}

Status Synthesis::RunStrips(const Sink& sink, double* seconds) {
  const StageClock clock(seconds);
  const auto channels = static_cast<size_t>(model_.document.latent_channels);
  const auto read = [&](int64_t row, size_t first, size_t count, float* values) {
    kernels::FixedToFloat(y_hat_.get() + static_cast<size_t>(row) * latent_row_ + first * channels,
                          values, count * channels, FixedScale());
  };
  const auto write = [&](int64_t padded_row, size_t first, size_t count, const float* values,
                         size_t stride) {
    const int64_t row = geometry_.PictureRows(padded_row);
    const size_t left = geometry_.left();
    const size_t begin = std::max(first, left);
    const size_t end = std::min(first + count, left + info_.width);
    if (geometry_.PictureRows(padded_row + 1) == row || begin >= end) return;
    uint8_t* to = picture_.get() + static_cast<size_t>(row) * LevelRowBytes() +
                  (begin - left) * info_.channels;
    ToLevels(values + (begin - first) * stride, stride, end - begin, to);
  };
  return strips_.Run(read, write, sink.progress);
}

// `row`: pixels of `stride` floats, red first.
void Synthesis::ToLevels(const float* row, size_t stride, size_t width, uint8_t* levels) {
  const size_t channels = info_.channels;
  const bool packed = stride == channels && !mean_;
  for (size_t x = 0; x < width && !packed; ++x) {
    const float* in = row + x * stride;
    float* out = floats_.data() + channels * x;
    if (mean_) {
      constexpr float kThird = 1.0f / 3.0f;
      std::fill(out, out + channels, (in[0] + in[1] + in[2]) * kThird);
    } else {
      std::copy(in, in + 3, out);
    }
  }
  const float max_value = static_cast<float>(TopLevel(info_));
  kernels::FloatToPixels(packed ? row : floats_.data(), levels, width * channels, max_value,
                         model_.document.picture_offset);
}

void Synthesis::AppendProfile(std::vector<LayerProfile>* layers) const {
  for (const StepProfile& step : in_strips_ ? strips_.profile() : g_s_->profile()) {
    layers->push_back({"g_s", step.name, step.kernel, step.macs, step.seconds});
  }
}

}  // namespace glint
