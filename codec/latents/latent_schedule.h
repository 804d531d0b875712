// How many rows of z, psi and y must live side by side while a picture's segments are coded: the
// coding of all segments, and the synthesis that reads y behind it, run on row numbers alone with
// the schedules that the executors will run. Called by codec/latents/latent_coder.
// Thread rules: a pure function.
#ifndef GLINT_CODEC_LATENTS_LATENT_SCHEDULE_H_
#define GLINT_CODEC_LATENTS_LATENT_SCHEDULE_H_

#include <cstdint>
#include <vector>

#include "codec/latents/latent_geometry.h"
#include "engine/executor.h"
#include "engine/front_graph.h"
#include "engine/status.h"

namespace glint {

// The graphs that share these rings, with the options that their executors will get.
struct LatentGraphs {
  struct Step {
    const CodingStep* coding = nullptr;
    const Plan* plan = nullptr;         // nullptr: fixed tables
    const FrontGraph* front = nullptr;  // of a wavefront step, which runs on all its segment's rows
    ExecutorOptions options;            // not of a wavefront step
  };
  const Plan* h_s = nullptr;  // nullptr: no step codes z
  ExecutorOptions hyper;
  std::vector<Step> steps;
  const Plan* g_s = nullptr;  // nullptr: nothing reads y behind its segment
  ExecutorOptions synthesis;
  int64_t synthesis_unit = 1;  // rows that g_s makes for one of y
};

struct LatentRows {
  int64_t z = 1, psi = 1, y = 1;
  int64_t visits = 0;  // of all steps of graphs, to find this out
};

// kInvalidArgument for sizes that a graph cannot take, kBadModel when a graph would read rows that
// its segment does not have.
Result<LatentRows> PlanLatentRows(const ModelDocument& document, const LatentGeometry& geometry,
                                  const LatentGraphs& graphs);

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_LATENT_SCHEDULE_H_
