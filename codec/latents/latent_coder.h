// Everything between z and the symbols, once for encoder and decoder: hyper synthesis, contexts,
// parameter nets, means and table indices, y_hat. What differs is behind SymbolPort. Called by
// codec/api/encoder and codec/api/decoder, one LatentCoder per picture. Thread rules: one caller;
// uses its runner's workers inside CodeSegment.
#ifndef GLINT_CODEC_LATENTS_LATENT_CODER_H_
#define GLINT_CODEC_LATENTS_LATENT_CODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/latents/latent_geometry.h"
#include "codec/model/model_impl.h"
#include "engine/aligned.h"
#include "engine/executor.h"
#include "engine/row_ring.h"
#include "engine/status.h"

namespace glint {

// The positions and channels of y that a step codes in one row.
struct LatentRow {
  long row = 0;
  RowPositions positions;
  size_t channel_begin = 0;
  size_t channels = 0;
  size_t symbols() const { return positions.count * channels; }
};

// Where symbols go to or come from, a row at a time, in the order of the stream.
class SymbolPort {
 public:
  virtual ~SymbolPort() = default;
  // A row of z, `count` values, column by column with its channels; values[i] stands under
  // table[i]. The encoder fills `values` from its z, the decoder from the stream.
  virtual Status CodeHyperRow(long row, const uint16_t* table, size_t count, int16_t* values) = 0;
  // Position by position with the step's channels: means in fixed point and tables in, y_hat out.
  virtual Status CodeLatentRow(const LatentRow& row, const int16_t* mean, const uint8_t* table,
                               int16_t* y_hat) = 0;
};

struct LatentCoderOptions {
  double t = 0;
  Runner runner;
  bool profile = false;
  const ExecutorOptions* synthesis = nullptr;  // of the g_s that reads latents(), or none does
};

class LatentCoder {
 public:
  // `model` and `geometry` must outlive the coder.
  LatentCoder(const Model::Impl& model, const LatentGeometry& geometry,
              const LatentCoderOptions& options);

  // Sizes of everything; before any other call.
  Status Plan();
  // Bytes that Allocate will take.
  Result<uint64_t> MemoryNeeded() const;
  Status Allocate();

  // Segments in order, none twice. Adds to times->hyper, context and entropy.
  Status CodeSegment(long segment, SymbolPort* port, StageTimes* times);
  // CRC-32 of the segment's y_hat in fixed point, as the nets read it; after CodeSegment.
  uint32_t LatentCrc(long segment);
  // y_hat as the nets read it, all channels; rows of coded segments as far back as g_s may need
  // them.
  const RowRing& latents() const { return y_ring_; }

  void AppendProfile(std::vector<LayerProfile>* layers) const;

 private:
  struct Step {
    const CodingStep* coding = nullptr;
    const glint::Plan* plan = nullptr;
    std::unique_ptr<Executor> executor;
  };

  ExecutorOptions HyperOptions() const;
  ExecutorOptions StepOptions(const Step& step) const;
  std::vector<Executor::BoundInput> HyperInputs() const;
  std::vector<Executor::BoundInput> StepInputs(const Step& step) const;
  size_t MostRowSymbols() const;

  Status CodeHyper(long segment, SymbolPort* port, StageTimes* times);
  void SynthesiseHyper(long segment);
  void ClearBeyondPsi(long row);
  Status CodeStep(Step* step, long segment, SymbolPort* port, StageTimes* times);
  void PredictRows(Step* step, long begin, long end);
  void ClearRows(long end);
  LatentRow RowOf(const Step& step, long row) const;
  void StoreRow(const LatentRow& row, const int16_t* y_hat);

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  LatentCoderOptions options_;
  float fixed_scale_ = 1;                         // 2^fraction_bits
  const Quantisation* y_quantisation_ = nullptr;  // of what the nets read; nullptr: floats
  long hyper_band_ = 1;
  long step_band_ = 1;
  std::vector<Step> steps_;
  RowRing::Layout z_layout_, psi_layout_, y_layout_;
  RowRing z_ring_, psi_ring_, y_ring_;
  std::unique_ptr<Executor> h_s_;
  long cleared_end_ = 0;  // rows of y_ring_ that have been zeroed for their use
  // Of a row of z, and of the rows of a band of a step.
  AlignedBuffer<uint16_t> z_tables_;
  AlignedBuffer<int16_t> z_values_;
  AlignedBuffer<int16_t> means_;
  AlignedBuffer<uint8_t> tables_;
  AlignedBuffer<int16_t> y_hat_;
};

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_LATENT_CODER_H_
