#include "codec/api/synthesis.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "codec/memory_limit.h"
#include "codec/stage_clock.h"
#include "codec/stream/container.h"
#include "engine/graph_rows.h"
#include "engine/window.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

Status NoMemory() { return Status::Error(StatusCode::kLimit, "out of memory for the picture"); }

// The units [first, second) of `units` that pixels [begin, end) need, each of `unit` pixels, with
// `margin` units beside it; beginning and ending with whole ones of `coarsest` units.
std::pair<size_t, size_t> UnitsOf(uint64_t begin, uint64_t end, size_t unit, size_t margin,
                                  size_t coarsest, size_t units) {
  const auto first = static_cast<size_t>(begin / unit);
  const size_t low = first - std::min(first, margin);
  const size_t high = static_cast<size_t>((end + unit - 1) / unit) + margin;
  return {low / coarsest * coarsest, std::min(units, (high + coarsest - 1) / coarsest * coarsest)};
}

}  // namespace

StripShape Synthesis::Shape() const {
  return {geometry_.width(), 1, unit_, std::max<size_t>(1, kStripPixels / unit_)};
}

Synthesis::Extent Synthesis::FindExtent() const {
  const Extent all = {0, 0, geometry_.width(), geometry_.height()};
  if (!part_ || form_.plan->whole_picture()) return all;
  const StripShape shape = Shape();
  const size_t coarsest = size_t{1} << -GraphRows(*form_.graph).output_scale().lowest;
  const uint64_t x = Left() + part_->x;
  const uint64_t y = static_cast<uint64_t>(Top()) + part_->y;
  const auto [left, right] =
      UnitsOf(x, x + part_->width, unit_, MarginOf(*form_.graph, shape, &Window::columns), coarsest,
              all.width);
  const auto [top, bottom] =
      UnitsOf(y, y + part_->height, unit_, MarginOf(*form_.graph, shape, &Window::rows), coarsest,
              static_cast<size_t>(all.height));
  return {left, static_cast<int64_t>(top), right - left, static_cast<int64_t>(bottom - top)};
}

ExecutorOptions Synthesis::MakeOptions(const Options& from) const {
  ExecutorOptions options;
  options.in_width = extent_.width;
  options.in_height = extent_.height;
  options.bands.rows =
      from.context.BandLatentRows(model_.document, geometry_) * static_cast<int64_t>(unit_);
  options.t = from.t;
  options.runner = from.context.runner();
  options.profile = from.call.profile;
  return options;
}

Synthesis::Synthesis(const Model::Impl& model, const LatentGeometry& geometry,
                     const PictureInfo& info, const Options& options)
    : model_(model),
      geometry_(geometry),
      form_(options.form),
      unit_(static_cast<size_t>(model.document.latent_stride / form_.shrink)),
      picture_height_(info.height),
      part_(options.part),
      info_(options.part ? InfoOfPart(info, *options.part) : info),
      mean_(info.channels == 1 || options.colour == Colour::kMean),
      deep_(options.deep),
      latent_row_(geometry.width() * static_cast<size_t>(model.document.latent_channels)),
      extent_(FindExtent()),
      options_(MakeOptions(options)),
      strips_(form_.plan, *form_.graph, options_, Shape()) {
  in_strips_ = !part_ && strips_.PaysOff(LatentBytes() + PictureBytes());
}

uint64_t Synthesis::LatentBytes() const {
  return latent_row_ * static_cast<uint64_t>(geometry_.height()) * sizeof(int16_t);
}

uint64_t Synthesis::PictureBytes() const {
  return uint64_t{LevelRowBytes()} * info_.height * (deep_ ? 1 + sizeof(uint16_t) : 1);
}

Result<uint64_t> Synthesis::MemoryWith(const LatentCoder& coder) const {
  const uint64_t coder_bytes = coder.MemoryNeeded();
  if (in_strips_) {
    GLINT_ASSIGN(const uint64_t strips, strips_.MemoryNeeded());
    return LatentBytes() + std::max(coder_bytes, strips + PictureBytes()) + RowBytes();
  }
  GLINT_ASSIGN(const uint64_t own, MemoryOf(InputsFrom(coder)));
  return coder_bytes + own;
}

Synthesis::Inputs Synthesis::InputsFrom(const LatentCoder& coder) const {
  if (part_) return {};
  return {{&coder.latents(), 0}};
}

Result<uint64_t> Synthesis::MemoryOf(const Inputs& inputs) const {
  GLINT_ASSIGN(const uint64_t g_s, Executor::MemoryNeeded(*form_.plan, options_, inputs));
  return g_s + RowBytes();
}

uint64_t Synthesis::RowBytes() const {
  return LevelRowBytes() * (sizeof(float) + sizeof(uint8_t) + (deep_ ? sizeof(uint16_t) : 0));
}

Status Synthesis::Allocate(const LatentCoder& coder) { return AllocateFor(InputsFrom(coder)); }

Status Synthesis::AllocateFor(const Inputs& inputs) {
  floats_.resize(LevelRowBytes());
  levels_.resize(LevelRowBytes());
  if (deep_) deep_row_.resize(LevelRowBytes());
  if (in_strips_) {
    const size_t values = latent_row_ * static_cast<size_t>(geometry_.height());
    return y_hat_.Allocate(values) ? Status::Ok() : NoMemory();
  }
  GLINT_ASSIGN(g_s_, Executor::Make(form_.plan, options_, inputs));
  return Status::Ok();
}

Status Synthesis::AddSegment(const LatentCoder& coder, int64_t segment, const Sink& sink,
                             double* seconds) {
  const int64_t all = geometry_.padded_height();
  return AddSegment(coder, segment, all, sink, seconds).status();
}

Result<bool> Synthesis::AddSegment(const LatentCoder& coder, int64_t segment, int64_t row_end,
                                   const Sink& sink, double* seconds) {
  if (in_strips_) {
    CopyLatents(coder, segment);
    return true;
  }
  const ReadLatents read = [this, &ring = coder.latents()](int64_t row, size_t first, size_t count,
                                                           float* values) {
    if (ring.element() == kernels::Element::kF32) {
      std::copy_n(ring.Floats(row) + first, count, values);
    } else {
      const auto* from = reinterpret_cast<const int16_t*>(ring.Row(row));
      kernels::FixedToFloat(from + first, values, count, FixedScale());
    }
  };
  return AddRows(read, geometry_.LatentEnd(segment), row_end, sink, seconds);
}

Result<bool> Synthesis::AddRows(const ReadLatents& read, int64_t latent_end, int64_t row_end,
                                const Sink& sink, double* seconds) {
  const int64_t above = extent_.row * static_cast<int64_t>(unit_);  // rows of all that g_s makes
  const Crop part = part_.value_or(Crop{0, 0, info_.width, info_.height});
  const int64_t begin = part.y, end = begin + part.height;
  const size_t column = Left() + part.x - extent_.column * unit_;
  for (;;) {
    if (rows_done_ == g_s_->end()) {
      if (PictureRows(above + rows_done_) >= end) return true;
      const StageClock clock(seconds);
      if (!Feed(read, latent_end - extent_.row)) return true;
      g_s_->Advance();
    }
    const size_t stride = g_s_->output_pixel_stride();
    for (; rows_done_ < g_s_->end(); ++rows_done_) {
      const int64_t row = PictureRows(above + rows_done_);
      if (PictureRows(above + rows_done_ + 1) == row) continue;  // above or below it
      if (row < begin || row >= end) continue;
      if (row >= row_end) return false;
      {
        const StageClock clock(seconds);
        deep_levels_ = deep_ ? deep_row_.data() : nullptr;
        ToLevels(g_s_->OutputRow(rows_done_) + column * stride, stride, info_.width, levels_.data(),
                 deep_row_.data());
      }
      GLINT_TRY(sink.take(row, levels_.data()));
    }
    const int64_t given = std::clamp(PictureRows(above + rows_done_), begin, end) - begin;
    GLINT_TRY(sink.progress(static_cast<double>(given) / static_cast<double>(end - begin)));
  }
}

// Whether g_s has all that its next band reads of the first `latent_end` rows of its extent; into
// rows of its own they are copied.
bool Synthesis::Feed(const ReadLatents& read, int64_t latent_end) {
  const int64_t end = part_ ? std::min(g_s_->InputEnd(), latent_end) : 0;
  for (; rows_fed_ < end; ++rows_fed_) {
    ReadPixels(read, extent_.row + rows_fed_, extent_.column, extent_.width,
               g_s_->InputRow(0, rows_fed_));
    g_s_->StoreInput(0, rows_fed_);
  }
  return g_s_->InputEnd() <= latent_end;
}

// Pixels [first, first + count) of a row of y, as g_s reads them.
void Synthesis::ReadPixels(const ReadLatents& read, int64_t row, size_t first, size_t count,
                           float* values) const {
  const auto all = static_cast<size_t>(model_.document.latent_channels);
  if (form_.channels == all) return read(row, first * all, count * all, values);
  for (size_t x = 0; x < count; ++x) {
    read(row, (first + x) * all, form_.channels, values + x * form_.channels);
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
  const size_t levels = LevelRowBytes() * info_.height;
  if (!picture_.Allocate(levels)) return NoMemory();
  if (deep_ && !deep_picture_.Allocate(levels)) return NoMemory();
  GLINT_TRY(RunStrips(sink, seconds));
  for (int64_t row = 0; row < static_cast<int64_t>(info_.height); ++row) {
    const size_t at = static_cast<size_t>(row) * LevelRowBytes();
    if (deep_) deep_levels_ = deep_picture_.get() + at;
    GLINT_TRY(sink.take(row, picture_.get() + at));
  }
  return Status::Ok();
}

Status Synthesis::RunStrips(const Sink& sink, double* seconds) {
  const StageClock clock(seconds);
  const ReadLatents from_y_hat = [this](int64_t row, size_t first, size_t count, float* values) {
    const int16_t* from = y_hat_.get() + static_cast<size_t>(row) * latent_row_;
    kernels::FixedToFloat(from + first, values, count, FixedScale());
  };
  const auto read = [&](int64_t row, size_t first, size_t count, float* values) {
    ReadPixels(from_y_hat, row, first, count, values);
  };
  const auto write = [&](int64_t padded_row, size_t first, size_t count, const float* values,
                         size_t stride) {
    const int64_t row = PictureRows(padded_row);
    const size_t left = Left();
    const size_t begin = std::max(first, left);
    const size_t end = std::min(first + count, left + info_.width);
    if (PictureRows(padded_row + 1) == row || begin >= end) return;
    const size_t at = static_cast<size_t>(row) * LevelRowBytes() + (begin - left) * info_.channels;
    ToLevels(values + (begin - first) * stride, stride, end - begin, picture_.get() + at,
             deep_ ? deep_picture_.get() + at : nullptr);
  };
  return strips_.Run(read, write, sink.progress);
}

// `row`: pixels of `stride` floats, red first.
void Synthesis::ToLevels(const float* row, size_t stride, size_t width, uint8_t* levels,
                         uint16_t* deep) {
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
  const float* from = packed ? row : floats_.data();
  const float offset = model_.document.picture_offset;
  kernels::FloatToPixels(from, levels, width * channels, max_value, offset);
  if (deep_) kernels::FloatToPixels(from, deep, width * channels, 65535.0f, offset);
}

void Synthesis::AppendProfile(std::vector<LayerProfile>* layers) const {
  for (const StepProfile& step : in_strips_ ? strips_.profile() : g_s_->profile()) {
    layers->push_back({"g_s", step.name, step.kernel, step.macs, step.seconds});
  }
}

}  // namespace glint
