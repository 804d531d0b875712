#include "codec/latents/latent_coder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "codec/latents/latent_schedule.h"
#include "codec/stage_clock.h"
#include "codec/stream/container.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

// Positions per worker that a band should offer, so that kernels run long without leaving the
// cache.
constexpr size_t kBandPositions = 256;

long BandRows(size_t positions_per_row, size_t workers) {
  const size_t row = std::max<size_t>(1, positions_per_row);
  const size_t rows = (kBandPositions * std::max<size_t>(1, workers) + row - 1) / row;
  return static_cast<long>(std::clamp<size_t>(rows, 1, 32));
}

template <typename T>
uint64_t BytesOf(size_t count) {
  return uint64_t{count} * sizeof(T) + 64;
}

}  // namespace

LatentCoder::LatentCoder(const Model::Impl& model, const LatentGeometry& geometry,
                         const LatentCoderOptions& options)
    : model_(model), geometry_(geometry), options_(options) {
  const ModelDocument& document = model.document();
  fixed_scale_ = static_cast<float>(1 << document.fraction_bits);
  hyper_band_ = BandRows(geometry.width(), options.runner.workers);
  bool halves = true;
  for (size_t i = 0; i < model.steps.size(); ++i) {
    Step step;
    step.coding = &document.coding.steps[i];
    step.plan = model.steps[i].get();
    halves = halves && step.coding->parity != Parity::kAll;
    steps_.push_back(std::move(step));
  }
  step_band_ = BandRows(geometry.width() / (halves ? 2 : 1), options.runner.workers);
}

Status LatentCoder::Plan() {
  const ModelDocument& document = model_.document();
  const long ratio = document.hyper_stride / document.latent_stride;
  // A transposed convolution gives columns in pairs.
  psi_layout_.width = std::min(geometry_.width() + geometry_.width() % 2,
                               geometry_.hyper_width() * static_cast<size_t>(ratio));
  LatentGraphs graphs{model_.h_s.get(), HyperOptions(), {}, nullptr, {}};
  size_t y_halo = 0, psi_halo = 0;
  for (const Step& step : steps_) {
    graphs.steps.push_back({step.coding, step.plan, StepOptions(step)});
    for (size_t i = 0; i < step.coding->inputs.size(); ++i) {
      size_t& halo = step.coding->inputs[i].is_psi ? psi_halo : y_halo;
      halo = std::max(halo, step.plan->input_halo(i));
    }
  }
  if (options_.synthesis != nullptr) {
    graphs.g_s = model_.g_s.get();
    graphs.synthesis = *options_.synthesis;
    y_halo = std::max(y_halo, model_.g_s->input_halo(0));
  }
  GLINT_ASSIGN(const LatentRows rows, PlanLatentRows(document, geometry_, graphs));
  const auto layout = [](const Quantisation* quantisation, size_t channels, size_t width,
                         long height, size_t halo, long capacity) {
    // Integers here are int16: the checks of a model see to it.
    const auto element = quantisation == nullptr ? kernels::Element::kF32 : kernels::Element::kI16;
    return RowRing::Layout{element, 0,    channels, width,
                           height,  halo, halo,     static_cast<size_t>(capacity)};
  };
  y_quantisation_ = model_.g_s->input_quantisation(0);
  psi_layout_ = layout(model_.h_s->output_quantisation(), model_.h_s->output_channels(),
                       psi_layout_.width, geometry_.height(), psi_halo, rows.psi);
  y_layout_ = layout(y_quantisation_, static_cast<size_t>(document.latent_channels),
                     geometry_.width(), geometry_.height(), y_halo, rows.y);
  z_layout_ =
      layout(model_.h_s->input_quantisation(0), static_cast<size_t>(document.hyper_channels),
             geometry_.hyper_width(), geometry_.hyper_height(), model_.h_s->input_halo(0), rows.z);
  return Status::Ok();
}

ExecutorOptions LatentCoder::HyperOptions() const {
  ExecutorOptions options;
  options.in_width = geometry_.hyper_width();
  options.in_height = geometry_.hyper_height();
  options.out_width = psi_layout_.width;
  options.out_height = geometry_.height();
  options.bands = geometry_.PsiBands(hyper_band_);
  options.t = options_.t;
  options.runner = options_.runner;
  options.profile = options_.profile;
  return options;
}

ExecutorOptions LatentCoder::StepOptions(const Step& step) const {
  ExecutorOptions options = HyperOptions();
  options.out_width = geometry_.width();
  options.in_width = geometry_.width();
  options.in_height = geometry_.height();
  options.bands = geometry_.StepBands(*step.coding, step_band_);
  return options;
}

std::vector<Executor::BoundInput> LatentCoder::HyperInputs() const { return {{&z_ring_, 0}}; }

std::vector<Executor::BoundInput> LatentCoder::StepInputs(const Step& step) const {
  std::vector<Executor::BoundInput> inputs;
  for (const StepInput& input : step.coding->inputs) {
    if (input.is_psi) {
      inputs.push_back({&psi_ring_, 0});
    } else {
      inputs.push_back({&y_ring_, static_cast<size_t>(input.channel_begin)});
    }
  }
  return inputs;
}

size_t LatentCoder::MostRowSymbols() const {
  size_t most = 0;
  for (const Step& step : steps_) {
    most = std::max({most, RowOf(step, 0).symbols(), RowOf(step, 1).symbols()});
  }
  return most;
}

Result<uint64_t> LatentCoder::MemoryNeeded() const {
  uint64_t bytes = z_layout_.Bytes() + psi_layout_.Bytes() + y_layout_.Bytes();
  GLINT_ASSIGN(const uint64_t hyper,
               Executor::MemoryNeeded(*model_.h_s, HyperOptions(), HyperInputs(), &psi_ring_));
  bytes += hyper;
  for (const Step& step : steps_) {
    GLINT_ASSIGN(const uint64_t own,
                 Executor::MemoryNeeded(*step.plan, StepOptions(step), StepInputs(step)));
    bytes += own;
  }
  const size_t hyper_symbols = z_layout_.width * z_layout_.channels;
  const size_t band_symbols = MostRowSymbols() * static_cast<size_t>(step_band_);
  bytes += BytesOf<uint16_t>(hyper_symbols) + BytesOf<int16_t>(hyper_symbols);
  bytes += BytesOf<int16_t>(band_symbols) + BytesOf<uint8_t>(band_symbols);
  bytes += BytesOf<int16_t>(y_layout_.width * y_layout_.channels);
  return bytes;
}

Status LatentCoder::Allocate() {
  GLINT_TRY(z_ring_.Allocate(z_layout_));
  GLINT_TRY(psi_ring_.Allocate(psi_layout_));
  GLINT_TRY(y_ring_.Allocate(y_layout_));
  GLINT_ASSIGN(h_s_, Executor::Make(model_.h_s, HyperOptions(), HyperInputs(), &psi_ring_));
  for (size_t i = 0; i < steps_.size(); ++i) {
    GLINT_ASSIGN(steps_[i].executor,
                 Executor::Make(model_.steps[i], StepOptions(steps_[i]), StepInputs(steps_[i])));
  }
  const size_t hyper_symbols = z_layout_.width * z_layout_.channels;
  const size_t band_symbols = MostRowSymbols() * static_cast<size_t>(step_band_);
  if (!z_tables_.Allocate(hyper_symbols) || !z_values_.Allocate(hyper_symbols) ||
      !means_.Allocate(band_symbols) || !tables_.Allocate(band_symbols) ||
      !y_hat_.Allocate(y_layout_.width * y_layout_.channels)) {
    return Status::Error(StatusCode::kLimit, "out of memory");
  }
  for (size_t i = 0; i < hyper_symbols; ++i) {
    z_tables_[i] = static_cast<uint16_t>(model_.first_z_table() + i % z_layout_.channels);
  }
  return Status::Ok();
}

Status LatentCoder::CodeSegment(long segment, SymbolPort* port, StageTimes* times) {
  GLINT_TRY(CodeHyper(segment, port, times));
  for (Step& step : steps_) GLINT_TRY(CodeStep(&step, segment, port, times));
  return Status::Ok();
}

Status LatentCoder::CodeHyper(long segment, SymbolPort* port, StageTimes* times) {
  const size_t symbols = z_layout_.width * z_layout_.channels;
  {
    const StageClock clock(&times->entropy);
    for (long row = geometry_.HyperEnd(segment - 1); row < geometry_.HyperEnd(segment); ++row) {
      GLINT_TRY(port->CodeHyperRow(row, z_tables_.get(), symbols, z_values_.get()));
      if (z_layout_.element == kernels::Element::kF32) {
        kernels::FixedToFloat(z_values_.get(), z_ring_.WriteFloats(row), symbols, 1.0f);
      } else {
        const int16_t most = static_cast<int16_t>(model_.h_s->input_quantisation(0)->max);
        kernels::Limit(z_values_.get(), z_ring_.WriteInts(row), symbols, most);
      }
    }
  }
  const StageClock clock(&times->hyper);
  SynthesiseHyper(segment);
  return Status::Ok();
}

void LatentCoder::SynthesiseHyper(long segment) {
  while (h_s_->end() < geometry_.PsiEnd(segment)) {
    const long begin = h_s_->end();
    h_s_->Advance();
    for (long row = begin; row < h_s_->end(); ++row) ClearBeyondPsi(row);
  }
}

// Kernels must read zeros right of the latents.
void LatentCoder::ClearBeyondPsi(long row) {
  const size_t pixel = psi_ring_.pixel_bytes();
  std::memset(psi_ring_.WriteRow(row) + geometry_.width() * pixel, 0,
              (psi_layout_.width - geometry_.width()) * pixel);
}

LatentRow LatentCoder::RowOf(const Step& step, long row) const {
  LatentRow latents;
  latents.row = row;
  latents.positions = PositionsOf(step.coding->parity, row, geometry_.width());
  latents.channel_begin = static_cast<size_t>(step.coding->channel_begin);
  latents.channels = static_cast<size_t>(step.coding->channel_end - step.coding->channel_begin);
  return latents;
}

Status LatentCoder::CodeStep(Step* step, long segment, SymbolPort* port, StageTimes* times) {
  Executor& executor = *step->executor;
  const size_t row_symbols = MostRowSymbols();
  while (executor.end() < geometry_.StepEnd(*step->coding, segment)) {
    const long begin = executor.end(), next = executor.next_end();
    {
      const StageClock clock(&times->context);
      ClearRows(next);
      executor.Advance();
      PredictRows(step, begin, next);
    }
    const StageClock clock(&times->entropy);
    for (long row = begin; row < next; ++row) {
      const LatentRow latents = RowOf(*step, row);
      const size_t at = static_cast<size_t>(row - begin) * row_symbols;
      GLINT_TRY(port->CodeLatentRow(latents, means_.get() + at, tables_.get() + at, y_hat_.get()));
      StoreRow(latents, y_hat_.get());
    }
  }
  return Status::Ok();
}

// Means and table indices of rows that the executor has just computed.
void LatentCoder::PredictRows(Step* step, long begin, long end) {
  const std::vector<float>& thresholds = model_.coding().thresholds;
  const size_t row_symbols = MostRowSymbols();
  const Executor& executor = *step->executor;
  ParallelFor(options_.runner, static_cast<size_t>(end - begin), [&](size_t i, size_t) {
    const LatentRow latents = RowOf(*step, begin + static_cast<long>(i));
    const float* in = executor.OutputRow(latents.row);
    int16_t* means = means_.get() + i * row_symbols;
    uint8_t* tables = tables_.get() + i * row_symbols;
    for (size_t p = 0; p < latents.positions.count; ++p) {
      kernels::FloatToFixed(in, means, latents.channels, fixed_scale_);
      kernels::IndexByThresholds(in + latents.channels, tables, latents.channels, thresholds.data(),
                                 thresholds.size());
      in += executor.output_pixel_stride();
      means += latents.channels;
      tables += latents.channels;
    }
  });
}

// A row of the ring still has the latents of the row that it held before; dense kernels must read
// zeros where nothing has been coded yet.
void LatentCoder::ClearRows(long end) {
  for (; cleared_end_ < end; ++cleared_end_) {
    std::memset(y_ring_.WriteRow(cleared_end_), 0, y_layout_.width * y_ring_.pixel_bytes());
  }
}

void LatentCoder::StoreRow(const LatentRow& row, const int16_t* y_hat) {
  size_t at = row.positions.first * y_layout_.channels + row.channel_begin;
  for (size_t p = 0; p < row.positions.count; ++p) {
    if (y_quantisation_ == nullptr) {
      kernels::FixedToFloat(y_hat, y_ring_.WriteFloats(row.row) + at, row.channels, fixed_scale_);
    } else {
      kernels::Limit(y_hat, y_ring_.WriteInts(row.row) + at, row.channels,
                     static_cast<int16_t>(y_quantisation_->max));
    }
    y_hat += row.channels;
    at += row.positions.step * y_layout_.channels;
  }
}

uint32_t LatentCoder::LatentCrc(long segment) {
  const size_t count = y_layout_.width * y_layout_.channels;
  uint32_t crc = 0;
  for (long row = geometry_.LatentEnd(segment - 1); row < geometry_.LatentEnd(segment); ++row) {
    if (y_quantisation_ == nullptr) {
      // The floats are multiples of 2^-fraction_bits: this gives back what was coded.
      kernels::FloatToFixed(y_ring_.Floats(row), y_hat_.get(), count, fixed_scale_);
    } else {
      std::memcpy(y_hat_.get(), y_ring_.Row(row), count * sizeof(int16_t));
    }
    if constexpr (std::endian::native == std::endian::big) {
      for (size_t i = 0; i < count; ++i) {
        const uint16_t value = static_cast<uint16_t>(y_hat_[i]);
        y_hat_[i] = static_cast<int16_t>(static_cast<uint16_t>(value >> 8 | value << 8));
      }
    }
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(y_hat_.get());
    crc = Crc32(crc, {bytes, count * sizeof(int16_t)});
  }
  return crc;
}

void LatentCoder::AppendProfile(std::vector<LayerProfile>* layers) const {
  const auto append = [layers](const std::string& stage, const Executor& executor) {
    for (const StepProfile& step : executor.profile()) {
      layers->push_back({stage, step.name, step.kernel, step.macs, step.seconds});
    }
  };
  append("h_s", *h_s_);
  for (const Step& step : steps_) append(step.coding->graph, *step.executor);
}

}  // namespace glint
