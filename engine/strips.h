// Runs a graph over a whole picture in strips of columns, one after the other. That is for pictures
// so wide and low that bands of whole rows would take far more memory than the picture itself.
// Every strip reads beyond its sides as far as its outputs look, so the outputs are those of the
// whole picture.
// Called by codec/api/encoder and codec/api/decoder.
// Thread rules: one caller; uses its runner's workers.
#ifndef GLINT_ENGINE_STRIPS_H_
#define GLINT_ENGINE_STRIPS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/executor.h"
#include "engine/graph.h"
#include "engine/status.h"
#include "engine/window.h"

namespace glint {

// Picture columns of a strip: so many that what a strip reads beside it is little, so few that a
// band of it fits caches.
inline constexpr size_t kStripPixels = 4096;

// Columns are counted in units, the columns of latents.
struct StripShape {
  size_t units = 0;     // of the picture
  size_t in_unit = 1;   // input pixels of a unit
  size_t out_unit = 1;  // output pixels of a unit
  size_t strip = 1;     // units of a strip, without what it reads beside it
};

// How many units beside a unit its outputs look at, of both sides the greater number, along rows or
// columns; in whole pixels of the graph's coarsest tensor.
size_t MarginOf(const Graph& graph, const StripShape& shape, Axis Window::*axis);

class StripTransform {
 public:
  // `options`: as for an Executor of the whole picture. The graph has one input.
  StripTransform(std::shared_ptr<const Plan> plan, const Graph& graph,
                 const ExecutorOptions& options, const StripShape& shape);

  // Whether strips take less than half of the memory of bands; `buffers` is what strips need
  // besides. The answer depends on sizes alone, not on threads and bands that a caller may choose:
  // both ways give the same results only within rounding, and a picture should always give the same
  // file.
  bool PaysOff(uint64_t buffers) const;
  // Bytes that Run takes at most.
  Result<uint64_t> MemoryNeeded() const { return BytesOf(options_); }

  // Puts pixels [first, first + count) of a row of the input into `values`, channel by channel.
  using Read = std::function<void(int64_t row, size_t first, size_t count, float* values)>;
  // Takes pixels [first, first + count) of a row of the output, `stride` floats apart. All rows of
  // a strip come before the next strip.
  using Write = std::function<void(int64_t row, size_t first, size_t count, const float* values,
                                   size_t stride)>;
  // `progress` hears the part that is done after each strip.
  Status Run(const Read& read, const Write& write, const std::function<Status(double)>& progress);

  // Of all strips together.
  const std::vector<StepProfile>& profile() const { return profile_; }

 private:
  struct Columns {
    size_t begin = 0, end = 0;  // units that the strip gives
    size_t low = 0, high = 0;   // units that it reads
  };
  size_t MostUnits() const;  // that a strip reads
  Columns StripAt(size_t begin) const;
  Result<uint64_t> BytesOf(const ExecutorOptions& options) const;
  ExecutorOptions OptionsOf(const Columns& columns) const;
  Status RunStrip(const Columns& columns, const Read& read, const Write& write);

  std::shared_ptr<const Plan> plan_;
  ExecutorOptions options_;
  StripShape shape_;
  size_t margin_ = 0;  // units that a strip reads beside it
  std::vector<StepProfile> profile_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_STRIPS_H_
