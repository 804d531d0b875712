// Everything between the stream's symbols and the latents, once for encoder and decoder: the coding
// steps with their hyper synthesis, contexts and parameter nets, means and table indices, decoded
// latents. What differs is behind SymbolPort. Called by codec/api, one LatentCoder per picture.
// Thread rules: one caller; uses its runner's workers inside CodeSegment.
#ifndef GLINT_CODEC_LATENTS_LATENT_CODER_H_
#define GLINT_CODEC_LATENTS_LATENT_CODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/latents/front_runner.h"
#include "codec/latents/latent_geometry.h"
#include "codec/latents/latent_schedule.h"
#include "codec/latents/symbol_lines.h"
#include "codec/model/model_impl.h"
#include "engine/aligned.h"
#include "engine/executor.h"
#include "engine/row_ring.h"
#include "engine/status.h"

namespace glint {

// A g_s that reads y behind its segment, or none.
struct SynthesisBehind {
  const Plan* plan = nullptr;
  const ExecutorOptions* options = nullptr;
  int64_t unit = 1;  // rows that it makes for one of y
};

struct LatentCoderOptions {
  double t = 0;
  Runner runner;
  bool profile = false;
  SynthesisBehind synthesis = {};  // the g_s that reads latents()
  size_t steps = SIZE_MAX;         // how many of the model's are run: others code what nobody reads
};

class LatentCoder {
 public:
  // `model` and `geometry` must outlive the coder.
  LatentCoder(const Model::Impl& model, const LatentGeometry& geometry,
              const LatentCoderOptions& options);

  // Sizes of everything; before any other call.
  Status Plan();
  // Bytes that Allocate will take.
  uint64_t MemoryNeeded() const { return memory_; }
  Status Allocate();

  // Segments in order, none twice. Adds to times->hyper, context and entropy.
  Status CodeSegment(int64_t segment, SymbolPort* port, StageTimes* times);
  // A row of y_hat in fixed point, columns x channels; of a segment that CodeSegment has just
  // coded. It stays until the next call.
  const int16_t* FixedRow(int64_t row);
  size_t fixed_row_values() const { return y_.row_values(); }
  // CRC-32 of all rows of the segment, little-endian; after CodeSegment.
  uint32_t LatentCrc(int64_t segment);
  // y_hat as the nets read it, all channels, 0 where steps are left out; rows of coded segments as
  // far back as g_s may need them.
  const RowRing& latents() const { return y_.ring; }

  void AppendProfile(std::vector<LayerProfile>* layers) const;

 private:
  // Decoded z or y, as graphs read it.
  struct Latents {
    RowRing ring;
    RowRing::Layout layout;
    const Quantisation* quantisation = nullptr;  // nullptr: floats
    float fixed_scale = 1;                       // 2^fraction_bits
    int64_t cleared_end = 0;                     // rows that have been zeroed for their use

    size_t row_values() const { return layout.width * layout.channels; }
    // A row still has the latents of the row that it held before; dense kernels must read zeros
    // where nothing has been coded yet.
    void Clear(int64_t end);
    void Store(const SymbolLine& line, const int16_t* decoded);
  };
  struct Step {
    const CodingStep* coding = nullptr;
    const glint::Plan* plan = nullptr;  // nullptr: fixed tables
    StepSymbols symbols;
    size_t first_table = 0;
    const std::vector<float>* thresholds = nullptr;
    std::unique_ptr<Executor> executor;  // of steps that run by rows
    const FrontGraph* front = nullptr;   // of wavefront steps
    std::unique_ptr<FrontRunner> runner;
    int64_t end = 0;  // rows that are coded, where there is no executor
    // Fixed: of a row, by row parity.
    std::array<AlignedBuffer<uint16_t>, 2> fixed_tables;
  };

  Latents& LatentsOf(Coded coded) { return coded == Coded::kHyper ? z_ : y_; }
  LatentGraphs Graphs() const;
  RowRing::Layout LayoutOf(const Quantisation* quantisation, size_t channels, size_t width,
                           int64_t height, size_t halo, int64_t capacity) const;
  void PlanHyper(const LatentRows& rows, size_t psi_halo);
  Result<uint64_t> PlanMemory() const;
  ExecutorOptions HyperOptions() const;
  ExecutorOptions StepOptions(const CodingStep& coding) const;
  std::vector<Executor::BoundInput> HyperInputs() const;
  std::vector<Executor::BoundInput> StepInputs(const Step& step) const;
  std::unique_ptr<FrontRunner> MakeFrontRunner(size_t index) const;
  // No front has more symbols than a row.
  size_t BandSymbols() const { return most_row_symbols_ * static_cast<size_t>(step_band_); }
  static void FillFixedTables(Step* step);

  Status CodeFixedStep(Step* step, int64_t segment, SymbolPort* port, StageTimes* times);
  Status CodeGraphStep(Step* step, int64_t segment, SymbolPort* port, StageTimes* times);
  Status CodeWavefrontStep(Step* step, int64_t segment, SymbolPort* port, StageTimes* times);
  void ObserveLatents(const Step& step, int64_t begin, int64_t end) const;
  Status CodeLine(Step* step, const SymbolLine& line, const int16_t* mean, const LineTables& tables,
                  SymbolPort* port);
  void PredictRows(const Step& step, int64_t begin, int64_t end);
  template <typename OutputOf>
  void PredictLine(const Step& step, const SymbolLine& line, size_t place, OutputOf&& output);
  void SynthesiseHyper(int64_t segment);
  void ClearBeyondPsi(int64_t row);

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  LatentCoderOptions options_;
  bool has_hyper_ = false;
  int64_t hyper_band_ = 1;
  int64_t step_band_ = 1;
  size_t most_row_symbols_ = 0;  // of any step
  std::vector<Step> steps_;
  Latents z_, y_;
  uint64_t memory_ = 0;  // that all of it takes
  RowRing::Layout psi_layout_;
  RowRing psi_ring_;
  std::unique_ptr<Executor> h_s_;
  // Of the rows of a band of a step.
  AlignedBuffer<int16_t> means_;
  AlignedBuffer<uint8_t> tables_;
  AlignedBuffer<int16_t> row_;    // a row of decoded latents
  AlignedBuffer<int16_t> zeros_;  // the means of a row that has none
};

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_LATENT_CODER_H_
