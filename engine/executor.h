// Runs a planned graph in horizontal bands: rows of inputs in, rows of the output out, every tensor
// a ring of the rows that are still needed. Results do not depend on the band height or the
// threads. Called by codec/, one Executor per picture and graph; a Plan is shared by all of them.
// Thread rules: a Plan is immutable; an Executor belongs to one caller at a time (it uses its
// runner's workers inside Advance).
#ifndef GLINT_ENGINE_EXECUTOR_H_
#define GLINT_ENGINE_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/memory_budget.h"
#include "engine/model_file.h"
#include "engine/row_ring.h"
#include "engine/status.h"
#include "engine/tensor_observer.h"
#include "engine/thread_pool.h"
#include "engine/work_progress.h"

namespace glint {

// What one step of a plan costs; multiply-adds are counted, seconds measured while running.
struct StepProfile {
  std::string name;    // of the nodes that were fused into it, "a2+ag2+as2"
  std::string kernel;  // "conv5x5/2 32>64", "gdn 64", ...
  double macs = 0;     // so far
  double seconds = 0;  // wall clock inside Advance
};

// What the making of a plan is given beside its graph.
struct PlanOptions {
  // Sees every tensor. With one nothing is fused, so that every tensor exists. It must outlive
  // the plan.
  TensorObserver* observer = nullptr;
  // Packed weights are taken from it, before they are packed, and given back where the plan
  // fails; nullptr: no limit.
  MemoryBudget* budget = nullptr;
  // Hears of `share` of its part for each unit of Work; nullptr: nobody hears.
  WorkProgress* progress = nullptr;
  double share = 0;
};

// A graph after shape inference, fusion and packing of its weights for the current SIMD target.
class Plan {
 public:
  // What making a plan of the graph takes: its nodes and the weights that they read.
  static uint64_t Work(const Graph& graph);

  // `wanted`: which positions of the output are wanted. A tensor that only pointwise steps read is
  // computed at these positions alone; its rows are "compact": the wanted positions side by side.
  static Result<std::shared_ptr<const Plan>> Make(const ModelFile& model, const Graph& graph,
                                                  PositionSet wanted = kAllPositions,
                                                  const PlanOptions& options = {});
  virtual ~Plan() = default;

  virtual size_t input_count() const = 0;
  virtual size_t input_channels(size_t input) const = 0;
  virtual size_t output_channels() const = 0;
  // Zero pixels that steps read beyond the ends of a row of this input (for bound rings).
  virtual size_t input_halo(size_t input) const = 0;
  // How an input and the output are kept; nullptr: in float. `element`: on this target.
  virtual const Quantisation* input_quantisation(size_t input) const = 0;
  virtual const Quantisation* output_quantisation() const = 0;
  // Whether steps work on all of a picture at once, because ranges are the picture's own (dynamic).
  // Then the first Advance wants all rows of the inputs and computes all rows, whatever the band.
  virtual bool whole_picture() const = 0;
  virtual size_t packed_bytes() const = 0;
  // One line a step: what was fused, the kernel, shapes, class, multiply-adds per output pixel.
  virtual std::string Describe() const = 0;
};

// How far the output comes with each Advance: `rows` at a time, but never across a stop. Stops lie
// at stop_every * k + stop_ahead for k = 1, 2, ... and at the last row.
struct Bands {
  int64_t rows = 1;
  int64_t stop_every = 0;  // 0: no stops but the last row
  int64_t stop_ahead = 0;
  // The end of the band that begins at `end` < height.
  int64_t Next(int64_t end, int64_t height) const;
};

struct ExecutorOptions {
  size_t in_width = 0;  // of every input, in pixels
  int64_t in_height = 0;
  // Size of the output; 0: what the graph gives. Smaller: cropped right and bottom (h_s).
  size_t out_width = 0;
  int64_t out_height = 0;
  Bands bands;
  double t = 0;   // rate parameter of the gains (engine/rate.h)
  Runner runner;  // SerialRunner() for none
  bool profile = false;
};

class Executor {
 public:
  // Rings of inputs and of the output that the caller owns (nullptr: the executor's own).
  // A bound input is channels [channel_offset, + input_channels) of its ring.
  struct BoundInput {
    const RowRing* ring = nullptr;
    size_t channel_offset = 0;
  };
  // kLimit when memory cannot be had, kInvalidArgument for sizes that the graph cannot take.
  static Result<std::unique_ptr<Executor>> Make(std::shared_ptr<const Plan> plan,
                                                const ExecutorOptions& options,
                                                const std::vector<BoundInput>& inputs = {},
                                                RowRing* output = nullptr);
  // Bytes that Make would allocate, without allocating.
  static Result<uint64_t> MemoryNeeded(const Plan& plan, const ExecutorOptions& options,
                                       const std::vector<BoundInput>& inputs = {},
                                       const RowRing* output = nullptr);
  virtual ~Executor() = default;

  // Output size in full rows; compact rows hold the wanted positions only.
  virtual size_t out_width() const = 0;
  virtual int64_t out_height() const = 0;
  // Output rows [0, end()) have been computed; the next Advance computes [end(), next_end()).
  virtual int64_t end() const = 0;
  virtual int64_t next_end() const = 0;
  // Rows [0, result) of every input must have been written before the next Advance.
  virtual int64_t InputEnd() const = 0;
  // Row r of an own input: the caller writes in_width * channels floats to InputRow(input, r), then
  // calls StoreInput(input, r). Rows in order, none twice.
  virtual float* InputRow(size_t input, int64_t r) = 0;
  virtual void StoreInput(size_t input, int64_t r) = 0;
  // Rows of all tensors have this many pixels from now on, at most as many as options said. For
  // graphs whose every node reads its own position alone.
  virtual void SetWidth(size_t width) = 0;
  // Computes the next band; nothing when all rows are there.
  virtual void Advance() = 0;
  // A computed row of the last band; for outputs that are kept in float.
  virtual const float* OutputRow(int64_t r) const = 0;
  virtual size_t output_pixel_stride() const = 0;
  virtual const std::vector<StepProfile>& profile() const = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_EXECUTOR_H_
