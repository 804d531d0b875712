// Runs the graph of a wavefront step on one front after the other: gathers what the positions of a
// front read into one row for each input, and computes that row. Called by
// codec/latents/latent_coder.
// Thread rules: one caller; uses its runner's workers inside Run.
#ifndef GLINT_CODEC_LATENTS_FRONT_RUNNER_H_
#define GLINT_CODEC_LATENTS_FRONT_RUNNER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/latents/symbol_lines.h"
#include "engine/executor.h"
#include "engine/front_graph.h"
#include "engine/row_ring.h"
#include "engine/status.h"

namespace glint {

class FrontRunner {
 public:
  struct Options {
    size_t longest = 0;  // front, in positions
    int64_t fronts = 0;  // of the whole picture, at most
    double t = 0;
    Runner runner;
    bool profile = false;
  };
  // `front` must outlive the runner; `plan` is of its graph. `sources`: of each input, whose rows
  // are written when a front that reads them is run. Their halo is at least half of the kernel.
  FrontRunner(const FrontGraph& front, std::shared_ptr<const Plan> plan,
              std::vector<Executor::BoundInput> sources, const Options& options);

  // Bytes that Allocate will take.
  Result<uint64_t> MemoryNeeded() const;
  Status Allocate();

  // Computes the graph at the positions of a front, of which there is at least one.
  void Run(const SymbolLine& line);
  // Of a position of the front that was run last.
  const float* Output(size_t position) const {
    return executor_->OutputRow(front_index_ - 1) + position * executor_->output_pixel_stride();
  }
  const Executor& executor() const { return *executor_; }

 private:
  RowRing::Layout LayoutOf(size_t input) const;
  std::vector<Executor::BoundInput> Bound() const;
  ExecutorOptions RunOptions() const;
  void GatherPosition(size_t input, int64_t row, size_t column, uint8_t* to) const;

  const FrontGraph& front_;
  const std::shared_ptr<const Plan> plan_;
  const std::vector<Executor::BoundInput> sources_;
  const Options options_;
  std::vector<RowRing> rows_;  // by input: one row, the front's
  std::unique_ptr<Executor> executor_;
  int64_t front_index_ = 0;  // fronts that have been run
};

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_FRONT_RUNNER_H_
