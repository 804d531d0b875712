#include "codec/latents/encoding_schedule.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace glint {
namespace {

class Simulation {
 public:
  Simulation(const ModelDocument& document, const LatentGeometry& geometry,
             const EncodingGraphs& graphs)
      : document_(document), geometry_(geometry), graphs_(graphs) {}

  Result<EncodingRows> Run() {
    GLINT_TRY(schedule_.Init(document_, geometry_, graphs_.h_a, graphs_.hyper));
    if (KeepsSource()) {
      GLINT_TRY(analysis_.Init(*graphs_.g_a, graphs_.analysis));
      GLINT_TRY(synthesis_.Init(*graphs_.g_s, graphs_.synthesis));
    }
    int64_t end = geometry_.segments();
    for (bool steady = false; schedule_.segment() < end;) {
      if (!steady && Steady()) {
        steady = true;
        end = std::min(end, schedule_.segment() + Period());
      }
      RunSegment();
    }
    return rows_;
  }

 private:
  bool KeepsSource() const { return graphs_.g_a != nullptr && graphs_.g_s != nullptr; }

  void RunSegment() {
    while (!schedule_.SegmentReady()) {
      if (schedule_.HyperReady()) {
        schedule_.AddHyperBand();
      } else {
        ReadFor(schedule_.y_end());
        const int64_t end = schedule_.RowsEnd();
        schedule_.AddRows(KeepsSource() ? std::min(end, analysis_.end()) : end);
      }
      Raise(schedule_.HeldY(), &rows_.y);
      Raise(schedule_.HeldZ(), &rows_.z);
    }
    const int64_t coded = geometry_.LatentEnd(schedule_.segment());
    schedule_.EndSegment();
    if (!KeepsSource()) return;
    while (!synthesis_.done() && synthesis_.InputEnd() <= coded) synthesis_.Advance();
  }

  // What g_a reads before it has given row `row` of y.
  void ReadFor(int64_t row) {
    if (!KeepsSource()) return;
    for (; analysis_.end() <= row; analysis_.Advance()) {
      const int64_t read = geometry_.PictureRows(analysis_.InputEnd());
      Raise(read - geometry_.PictureRows(synthesis_.end()), &rows_.source);
    }
  }

  static void Raise(int64_t rows, int64_t* most) { *most = std::max(*most, rows); }

  bool Steady() const {
    if (!schedule_.steady()) return false;
    return !KeepsSource() || (analysis_.steady() && synthesis_.steady());
  }

  int64_t Period() const {
    if (!KeepsSource()) return schedule_.period();
    const int64_t rows = document_.coding.segment_rows;
    return std::lcm(std::lcm(schedule_.period(), SegmentsOf(rows, analysis_.period())),
                    SegmentsOf(rows * document_.latent_stride, synthesis_.period()));
  }

  const ModelDocument& document_;
  const LatentGeometry& geometry_;
  const EncodingGraphs& graphs_;
  EncodingSchedule schedule_;
  RepeatingSchedule analysis_, synthesis_;
  EncodingRows rows_;
};

}  // namespace

Status EncodingSchedule::Init(const ModelDocument& document, const LatentGeometry& geometry,
                              const Plan* h_a, const ExecutorOptions& hyper) {
  document_ = &document;
  geometry_ = &geometry;
  has_hyper_ = h_a != nullptr;
  return has_hyper_ ? hyper_.Init(*h_a, hyper) : Status::Ok();
}

bool EncodingSchedule::HyperReady() const {
  return has_hyper_ && z_end_ < geometry_->hyper_height() && hyper_.InputEnd() <= y_end_;
}

void EncodingSchedule::AddHyperBand() {
  hyper_.Advance();
  z_end_ = hyper_.end();
}

int64_t EncodingSchedule::RowsEnd() const {
  int64_t end = geometry_->height();
  if (has_hyper_ && z_end_ < geometry_->hyper_height()) end = std::min(end, hyper_.InputEnd());
  int64_t coded = 0;  // that the segment codes
  for (const CodingStep& step : document_->coding.steps) {
    if (step.codes == Coded::kLatents) coded = std::max(coded, geometry_->StepEnd(step, segment_));
  }
  return coded > y_end_ ? std::min(end, coded) : end;
}

bool EncodingSchedule::SegmentReady() const {
  for (const CodingStep& step : document_->coding.steps) {
    const int64_t there = step.codes == Coded::kHyper ? z_end_ : y_end_;
    if (geometry_->StepEnd(step, segment_) > there) return false;
  }
  return true;
}

int64_t EncodingSchedule::Lowest(Coded coded) const {
  int64_t lowest = coded == Coded::kHyper ? z_end_ : y_end_;
  for (const CodingStep& step : document_->coding.steps) {
    if (step.codes == coded) lowest = std::min(lowest, geometry_->StepEnd(step, segment_ - 1));
  }
  return lowest;
}

int64_t EncodingSchedule::period() const {
  if (!has_hyper_) return 1;
  return SegmentsOf(document_->coding.segment_rows, document_->hyper_ratio() * hyper_.period());
}

Result<EncodingRows> PlanEncodingRows(const ModelDocument& document, const LatentGeometry& geometry,
                                      const EncodingGraphs& graphs) {
  return Simulation(document, geometry, graphs).Run();
}

}  // namespace glint
