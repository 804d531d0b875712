#include "codec/latents/latent_coder.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "codec/stage_clock.h"
#include "codec/stream/container.h"
#include "engine/byte_order.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

// Positions per worker that a band should offer, so that kernels run long without leaving the
// cache.
constexpr size_t kBandPositions = 256;
// The same where weights do not fit the cache beside them: they come from far away for every band.
constexpr size_t kLongBandPositions = 768;
constexpr size_t kManyWeightBytes = size_t{4} << 20;

// Of a graph with so many bytes of packed weights.
int64_t BandRows(size_t positions_per_row, size_t workers, size_t weight_bytes) {
  const size_t row = std::max<size_t>(1, positions_per_row);
  const size_t most = weight_bytes < kManyWeightBytes ? kBandPositions : kLongBandPositions;
  const size_t rows = (most * std::max<size_t>(1, workers) + row - 1) / row;
  return static_cast<int64_t>(std::clamp<size_t>(rows, 1, 32));
}

template <typename T>
uint64_t BytesOf(size_t count) {
  return uint64_t{count} * sizeof(T) + 64;
}

}  // namespace

LatentCoder::LatentCoder(const Model::Impl& model, const LatentGeometry& geometry,
                         const LatentCoderOptions& options)
    : model_(model), geometry_(geometry), options_(options) {
  y_.fixed_scale = static_cast<float>(1 << model.document.fraction_bits);
  size_t weights = 0;  // of the largest step whose graph runs by rows
  double share = 0;    // of positions, of the densest of these
  for (size_t i = 0; i < std::min(options.steps, model.steps.size()); ++i) {
    Step step;
    step.coding = &model.coding().steps[i];
    has_hyper_ = has_hyper_ || step.coding->codes == Coded::kHyper;
    step.plan = model.steps[i].plan.get();
    step.symbols = StepSymbols(*step.coding, geometry.WidthOf(step.coding->codes));
    step.front = model.steps[i].front.get();
    step.first_table = model.steps[i].first_table;
    step.thresholds = &model.coding().tables.at(step.coding->tables).thresholds;
    most_row_symbols_ = std::max(most_row_symbols_, step.symbols.MostInRow());
    if (step.plan != nullptr && step.front == nullptr) {
      share = std::max(share, ShareOf(step.coding->positions()));
      weights = std::max(weights, step.plan->packed_bytes());
    }
    steps_.push_back(std::move(step));
  }
  const size_t hyper_weights = has_hyper_ ? model.h_s->packed_bytes() : 0;
  hyper_band_ = BandRows(geometry.width(), options.runner.workers, hyper_weights);
  if (share == 0) return;  // what is predicted at a time is a front, at most
  const size_t positions = geometry.width() / (share > 0.5 ? 1 : 2);
  step_band_ = BandRows(positions, options.runner.workers, weights);
}

// ---- plan --------------------------------------------------------------------------------------

LatentGraphs LatentCoder::Graphs() const {
  LatentGraphs graphs;
  if (has_hyper_) {
    graphs.h_s = model_.h_s.get();
    graphs.hyper = HyperOptions();
  }
  for (const Step& step : steps_) {
    ExecutorOptions options;
    if (step.plan != nullptr) options = StepOptions(*step.coding);
    graphs.steps.push_back({step.coding, step.plan, step.front, options});
  }
  if (options_.synthesis.plan != nullptr) {
    graphs.g_s = options_.synthesis.plan;
    graphs.synthesis = *options_.synthesis.options;
    graphs.synthesis_unit = options_.synthesis.unit;
  }
  return graphs;
}

RowRing::Layout LatentCoder::LayoutOf(const Quantisation* quantisation, size_t channels,
                                      size_t width, int64_t height, size_t halo,
                                      int64_t capacity) const {
  RowRing::Layout layout;
  // Integers here are int16: the checks of a model see to it.
  layout.element = quantisation == nullptr ? kernels::Element::kF32 : kernels::Element::kI16;
  layout.channels = channels;
  layout.width = width;
  layout.height = height;
  layout.halo_left = layout.halo_right = halo;
  layout.capacity = static_cast<size_t>(capacity);
  return layout;
}

Status LatentCoder::Plan() {
  const ModelDocument& document = model_.document;
  if (has_hyper_) {
    // A transposed convolution gives columns in pairs.
    psi_layout_.width =
        std::min(geometry_.width() + geometry_.width() % 2,
                 geometry_.hyper_width() * static_cast<size_t>(document.hyper_ratio()));
  }
  size_t y_halo = 0, psi_halo = 0;
  for (const Step& step : steps_) {
    for (size_t i = 0; i < step.coding->inputs.size(); ++i) {
      size_t& halo = step.coding->inputs[i].is_psi ? psi_halo : y_halo;
      halo = std::max(halo, step.plan->input_halo(i));
      if (step.front == nullptr) continue;
      halo = std::max(halo, static_cast<size_t>(step.front->inputs[i].kernel) / 2);
    }
  }
  const glint::Plan* const g_s = options_.synthesis.plan;
  if (g_s != nullptr) y_halo = std::max(y_halo, g_s->input_halo(0));
  GLINT_ASSIGN(const LatentRows rows, PlanLatentRows(document, geometry_, Graphs()));
  y_.quantisation = model_.g_s->input_quantisation(0);
  y_.layout = LayoutOf(y_.quantisation, static_cast<size_t>(document.latent_channels),
                       geometry_.width(), geometry_.height(), y_halo, rows.y);
  if (has_hyper_) PlanHyper(rows, psi_halo);
  GLINT_ASSIGN(memory_, PlanMemory());
  return Status::Ok();
}

void LatentCoder::PlanHyper(const LatentRows& rows, size_t psi_halo) {
  psi_layout_ = LayoutOf(model_.h_s->output_quantisation(), model_.h_s->output_channels(),
                         psi_layout_.width, geometry_.height(), psi_halo, rows.psi);
  z_.quantisation = model_.h_s->input_quantisation(0);
  z_.layout = LayoutOf(z_.quantisation, static_cast<size_t>(model_.document.hyper_channels),
                       geometry_.hyper_width(), geometry_.hyper_height(), model_.h_s->input_halo(0),
                       rows.z);
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

ExecutorOptions LatentCoder::StepOptions(const CodingStep& coding) const {
  ExecutorOptions options = HyperOptions();
  options.in_width = options.out_width = geometry_.width();
  options.in_height = geometry_.height();
  options.bands = geometry_.StepBands(coding, step_band_);
  return options;
}

std::vector<Executor::BoundInput> LatentCoder::HyperInputs() const { return {{&z_.ring, 0}}; }

std::vector<Executor::BoundInput> LatentCoder::StepInputs(const Step& step) const {
  std::vector<Executor::BoundInput> inputs;
  for (const StepInput& input : step.coding->inputs) {
    if (input.is_psi) {
      inputs.push_back({&psi_ring_, 0});
    } else {
      inputs.push_back({&y_.ring, static_cast<size_t>(input.channel_begin)});
    }
  }
  return inputs;
}

std::unique_ptr<FrontRunner> LatentCoder::MakeFrontRunner(size_t index) const {
  const Step& step = steps_[index];
  const int64_t rows = model_.coding().segment_rows + step.coding->ahead;  // of a segment, at most
  FrontRunner::Options options;
  options.longest = step.symbols.LongestFront(rows, step.front->lag);
  options.fronts = geometry_.segments() * step.symbols.Fronts(0, rows, step.front->lag);
  options.t = options_.t;
  options.runner = options_.runner;
  options.profile = options_.profile;
  return std::make_unique<FrontRunner>(*step.front, model_.steps[index].plan, StepInputs(step),
                                       options);
}

// ---- memory ------------------------------------------------------------------------------------

Result<uint64_t> LatentCoder::PlanMemory() const {
  uint64_t bytes = y_.layout.Bytes();
  if (has_hyper_) {
    GLINT_ASSIGN(const uint64_t hyper,
                 Executor::MemoryNeeded(*model_.h_s, HyperOptions(), HyperInputs(), &psi_ring_));
    bytes += hyper + z_.layout.Bytes() + psi_layout_.Bytes();
  }
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.front != nullptr) {
      GLINT_ASSIGN(const uint64_t own, MakeFrontRunner(i)->MemoryNeeded());
      bytes += own;
      continue;
    }
    if (step.plan == nullptr) {
      bytes += 2 * BytesOf<uint16_t>(step.symbols.MostInRow());
      continue;
    }
    GLINT_ASSIGN(const uint64_t own,
                 Executor::MemoryNeeded(*step.plan, StepOptions(*step.coding), StepInputs(step)));
    bytes += own;
  }
  bytes += BytesOf<int16_t>(BandSymbols()) + BytesOf<uint8_t>(BandSymbols());
  bytes += BytesOf<int16_t>(std::max(most_row_symbols_, y_.row_values()));
  return bytes + BytesOf<int16_t>(most_row_symbols_);
}

Status LatentCoder::Allocate() {
  GLINT_TRY(y_.ring.Allocate(y_.layout));
  if (has_hyper_) {
    GLINT_TRY(z_.ring.Allocate(z_.layout));
    GLINT_TRY(psi_ring_.Allocate(psi_layout_));
    GLINT_ASSIGN(h_s_, Executor::Make(model_.h_s, HyperOptions(), HyperInputs(), &psi_ring_));
  }
  bool enough = means_.Allocate(BandSymbols()) && tables_.Allocate(BandSymbols()) &&
                row_.Allocate(std::max(most_row_symbols_, y_.row_values())) &&
                zeros_.Allocate(most_row_symbols_);
  for (size_t i = 0; i < steps_.size() && enough; ++i) {
    Step& step = steps_[i];
    if (step.front != nullptr) {
      step.runner = MakeFrontRunner(i);
      GLINT_TRY(step.runner->Allocate());
      continue;
    }
    if (step.plan != nullptr) {
      GLINT_ASSIGN(step.executor, Executor::Make(model_.steps[i].plan, StepOptions(*step.coding),
                                                 StepInputs(step)));
      continue;
    }
    for (auto& tables : step.fixed_tables) {
      enough = enough && tables.Allocate(step.symbols.MostInRow());
    }
    if (enough) FillFixedTables(&step);
  }
  return enough ? Status::Ok() : Status::Error(StatusCode::kLimit, "out of memory");
}

void LatentCoder::FillFixedTables(Step* step) {
  for (int64_t row = 0; row < 2; ++row) {
    uint16_t* table = step->fixed_tables[static_cast<size_t>(row)].get();
    step->symbols.Row(row).ForEachRun([&](size_t, const ChannelRun& run) {
      for (size_t c = 0; c < run.count; ++c) {
        *table++ = static_cast<uint16_t>(run.parameter + c);
      }
    });
  }
}

// ---- coding ------------------------------------------------------------------------------------

Status LatentCoder::CodeSegment(int64_t segment, SymbolPort* port, StageTimes* times) {
  for (Step& step : steps_) {
    const auto code = step.front != nullptr  ? &LatentCoder::CodeWavefrontStep
                      : step.plan != nullptr ? &LatentCoder::CodeGraphStep
                                             : &LatentCoder::CodeFixedStep;
    GLINT_TRY((this->*code)(&step, segment, port, times));
    if (step.coding->codes != Coded::kHyper) continue;
    const StageClock clock(&times->hyper);
    SynthesiseHyper(segment);
  }
  return Status::Ok();
}

Status LatentCoder::CodeFixedStep(Step* step, int64_t segment, SymbolPort* port,
                                  StageTimes* times) {
  const StageClock clock(&times->entropy);
  const int64_t end = geometry_.StepEnd(*step->coding, segment);
  LatentsOf(step->coding->codes).Clear(end);
  for (; step->end < end; ++step->end) {
    const uint16_t* tables = step->fixed_tables[static_cast<size_t>(step->end & 1)].get();
    GLINT_TRY(CodeLine(step, step->symbols.Row(step->end), zeros_.get(),
                       {step->first_table, nullptr, tables}, port));
  }
  return Status::Ok();
}

Status LatentCoder::CodeGraphStep(Step* step, int64_t segment, SymbolPort* port,
                                  StageTimes* times) {
  Executor& executor = *step->executor;
  while (executor.end() < geometry_.StepEnd(*step->coding, segment)) {
    const int64_t begin = executor.end(), next = executor.next_end();
    {
      const StageClock clock(&times->context);
      y_.Clear(next);
      executor.Advance();
      PredictRows(*step, begin, next);
    }
    const StageClock clock(&times->entropy);
    for (int64_t row = begin; row < next; ++row) {
      const size_t at = static_cast<size_t>(row - begin) * most_row_symbols_;
      GLINT_TRY(CodeLine(step, step->symbols.Row(row), means_.get() + at,
                         {step->first_table, tables_.get() + at, nullptr}, port));
    }
  }
  return Status::Ok();
}

Status LatentCoder::CodeWavefrontStep(Step* step, int64_t segment, SymbolPort* port,
                                      StageTimes* times) {
  const int64_t begin = step->end, end = geometry_.StepEnd(*step->coding, segment);
  const int64_t lag = step->front->lag;
  y_.Clear(end);
  for (int64_t f = 0; f < step->symbols.Fronts(begin, end, lag); ++f) {
    const SymbolLine line = step->symbols.Front(begin, end, lag, f);
    if (line.positions == 0) continue;
    {
      const StageClock clock(&times->context);
      step->runner->Run(line);
      PredictLine(*step, line, 0, [&](size_t p) { return step->runner->Output(p); });
    }
    const StageClock clock(&times->entropy);
    GLINT_TRY(
        CodeLine(step, line, means_.get(), {step->first_table, tables_.get(), nullptr}, port));
  }
  step->end = end;
  if (model_.observer != nullptr) ObserveLatents(*step, begin, end);
  return Status::Ok();
}

// What causal convolutions read: the runner has it in pieces only.
void LatentCoder::ObserveLatents(const Step& step, int64_t begin, int64_t end) const {
  if (y_.quantisation != nullptr) return;
  for (size_t i = 0; i < step.coding->inputs.size(); ++i) {
    const StepInput& input = step.coding->inputs[i];
    if (step.front->inputs[i].kernel == 0) continue;
    const auto first = static_cast<size_t>(input.channel_begin);
    const auto channels = static_cast<size_t>(input.channel_end) - first;
    for (int64_t row = begin; row < end; ++row) {
      model_.observer->OnRow(step.coding->graph, input.name, y_.ring.Floats(row) + first,
                             geometry_.width(), channels, y_.ring.pixel_stride());
    }
  }
}

Status LatentCoder::CodeLine(Step* step, const SymbolLine& line, const int16_t* mean,
                             const LineTables& tables, SymbolPort* port) {
  GLINT_TRY(port->CodeLine(step->coding->codes, line, mean, tables, row_.get()));
  LatentsOf(step->coding->codes).Store(line, row_.get());
  return Status::Ok();
}

// Of rows that the executor has just computed.
void LatentCoder::PredictRows(const Step& step, int64_t begin, int64_t end) {
  const Executor& executor = *step.executor;
  ParallelFor(options_.runner, static_cast<size_t>(end - begin), [&](size_t i, size_t) {
    const SymbolLine line = step.symbols.Row(begin + static_cast<int64_t>(i));
    const float* out = executor.OutputRow(line.row);
    const size_t stride = executor.output_pixel_stride();
    PredictLine(step, line, i * most_row_symbols_, [&](size_t p) { return out + p * stride; });
  });
}

// Means and table indices of a line, from `place` on. output(position): what the graph gives there,
// the step's means, if it has means, and then its raw scales.
template <typename OutputOf>
void LatentCoder::PredictLine(const Step& step, const SymbolLine& line, size_t place,
                              OutputOf&& output) {
  const bool has_means = step.coding->distribution == Distribution::kMeansAndScales;
  const size_t first_scale = has_means ? static_cast<size_t>(step.coding->channels()) : 0;
  const std::vector<float>& thresholds = *step.thresholds;
  int16_t* means = means_.get() + place;
  uint8_t* tables = tables_.get() + place;
  if (!has_means) std::memset(means, 0, line.symbols * sizeof(int16_t));
  line.ForEachRun([&](size_t position, const ChannelRun& run) {
    const float* at = output(position) + run.parameter;
    if (has_means) kernels::FloatToFixed(at, means, run.count, y_.fixed_scale);
    kernels::IndexByThresholds(at + first_scale, tables, run.count, thresholds.data(),
                               thresholds.size());
    means += run.count;
    tables += run.count;
  });
}

void LatentCoder::SynthesiseHyper(int64_t segment) {
  while (h_s_->end() < geometry_.PsiEnd(segment)) {
    const int64_t begin = h_s_->end();
    h_s_->Advance();
    for (int64_t row = begin; row < h_s_->end(); ++row) ClearBeyondPsi(row);
  }
}

// Kernels must read zeros right of the latents.
void LatentCoder::ClearBeyondPsi(int64_t row) {
  const size_t pixel = psi_ring_.pixel_bytes();
  std::memset(psi_ring_.WriteRow(row) + geometry_.width() * pixel, 0,
              (psi_layout_.width - geometry_.width()) * pixel);
}

// ---- latents -----------------------------------------------------------------------------------

void LatentCoder::Latents::Clear(int64_t end) {
  for (; cleared_end < end; ++cleared_end) {
    std::memset(ring.WriteRow(cleared_end), 0, layout.width * ring.pixel_bytes());
  }
}

void LatentCoder::Latents::Store(const SymbolLine& line, const int16_t* decoded) {
  const int16_t* next = decoded;
  line.ForEachRun([&](size_t position, const ChannelRun& run) {
    const int64_t row = line.RowOf(position);
    const size_t at = line.ColumnOf(position) * layout.channels + run.channel;
    if (quantisation == nullptr) {
      kernels::FixedToFloat(next, ring.WriteFloats(row) + at, run.count, fixed_scale);
    } else {
      kernels::Limit(next, ring.WriteInts(row) + at, run.count,
                     static_cast<int16_t>(quantisation->max));
    }
    next += run.count;
  });
}

const int16_t* LatentCoder::FixedRow(int64_t row) {
  const size_t count = y_.row_values();
  if (y_.quantisation == nullptr) {
    // The floats are multiples of 2^-fraction_bits: this gives back what was coded.
    kernels::FloatToFixed(y_.ring.Floats(row), row_.get(), count, y_.fixed_scale);
  } else {
    std::memcpy(row_.get(), y_.ring.Row(row), count * sizeof(int16_t));
  }
  return row_.get();
}

uint32_t LatentCoder::LatentCrc(int64_t segment) {
  const size_t count = y_.row_values();
  uint32_t crc = 0;
  for (int64_t row = geometry_.LatentEnd(segment - 1); row < geometry_.LatentEnd(segment); ++row) {
    FixedRow(row);
    auto* const bytes = reinterpret_cast<uint8_t*>(row_.get());
    SwapToLittleEndian(bytes, count, sizeof(int16_t));
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
  if (has_hyper_) append("h_s", *h_s_);
  for (const Step& step : steps_) {
    if (step.executor != nullptr) append(step.coding->graph, *step.executor);
    if (step.runner != nullptr) append(step.coding->graph, step.runner->executor());
  }
}

}  // namespace glint
