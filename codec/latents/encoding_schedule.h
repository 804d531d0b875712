// What an encoder can do when: rows of y come one after the other, h_a makes rows of z of them, and
// a segment is coded as soon as the rows are there that its steps code. The encoder runs by this
// schedule. Run on row numbers alone it tells how many rows must live side by side.
// Called by codec/api/analysis.
// Thread rules: an EncodingSchedule is a value of one caller; PlanEncodingRows is a pure function.
#ifndef GLINT_CODEC_LATENTS_ENCODING_SCHEDULE_H_
#define GLINT_CODEC_LATENTS_ENCODING_SCHEDULE_H_

#include <cstdint>

#include "codec/latents/latent_geometry.h"
#include "engine/executor.h"
#include "engine/repeating_schedule.h"
#include "engine/status.h"

namespace glint {

class EncodingSchedule {
 public:
  // `h_a`: nullptr in models without z. All must outlive the schedule.
  Status Init(const ModelDocument& document, const LatentGeometry& geometry, const Plan* h_a,
              const ExecutorOptions& hyper);

  int64_t y_end() const { return y_end_; }  // rows [0, y_end) of y are there, or have been
  int64_t z_end() const { return z_end_; }
  int64_t segment() const { return segment_; }  // the next to be coded

  // What comes next while the next segment cannot be coded: a band of z where h_a can make one,
  // else a row of y. In this order no rows pile up, not even at the bottom, where the last row of y
  // lets h_a make all that are left.
  bool HyperReady() const;
  void AddHyperBand();
  void AddRow() { ++y_end_; }
  // Until rows [0, result) of y are there nothing but rows of y can come next.
  int64_t RowsEnd() const;
  void AddRows(int64_t end) { y_end_ = end; }
  // Whether the next segment can be coded; and that it is.
  bool SegmentReady() const;
  void EndSegment() { ++segment_; }

  // Rows that are there and that segments to come will code.
  int64_t HeldY() const { return y_end_ - Lowest(Coded::kLatents); }
  int64_t HeldZ() const { return z_end_ - Lowest(Coded::kHyper); }

  // From the first segment on where this is true, numbers repeat every period() segments until the
  // bottom is in reach.
  bool steady() const { return segment_ > 0 && (!has_hyper_ || hyper_.steady()); }
  int64_t period() const;

 private:
  int64_t Lowest(Coded coded) const;  // row that is not coded

  const ModelDocument* document_ = nullptr;
  const LatentGeometry* geometry_ = nullptr;
  bool has_hyper_ = false;
  RepeatingSchedule hyper_;
  int64_t y_end_ = 0;
  int64_t z_end_ = 0;
  int64_t segment_ = 0;
};

// The graphs around the segments, with the options that their executors will get.
struct EncodingGraphs {
  const Plan* h_a = nullptr;  // nullptr: no step codes z
  ExecutorOptions hyper;
  // Where the source is kept until the decoded picture is there: all rows of it that g_a reads,
  // until g_s, which reads y behind the segments, has made them. Both run in bands.
  const Plan* g_a = nullptr;
  ExecutorOptions analysis;
  const Plan* g_s = nullptr;
  ExecutorOptions synthesis;
};

struct EncodingRows {
  int64_t y = 1, z = 1;
  int64_t source = 1;  // of the picture; where there are g_a and g_s
};

// kInvalidArgument for sizes that a graph cannot take.
Result<EncodingRows> PlanEncodingRows(const ModelDocument& document, const LatentGeometry& geometry,
                                      const EncodingGraphs& graphs);

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_ENCODING_SCHEDULE_H_
