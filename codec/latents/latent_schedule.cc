#include "codec/latents/latent_schedule.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>

#include "engine/repeating_schedule.h"

namespace glint {
namespace {

class Simulation {
 public:
  Simulation(const ModelDocument& document, const LatentGeometry& geometry,
             const LatentGraphs& graphs)
      : document_(document),
        geometry_(geometry),
        graphs_(graphs),
        steps_(graphs.steps.size()),
        front_ends_(graphs.steps.size()) {}

  Result<LatentRows> Run() {
    if (graphs_.h_s != nullptr) {
      GLINT_TRY(hyper_.Init(*graphs_.h_s, graphs_.hyper));
      GLINT_TRY(RunHyperAlone());
    }
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (!RunsByRows(i)) continue;
      GLINT_TRY(steps_[i].Init(*graphs_.steps[i].plan, graphs_.steps[i].options));
    }
    if (HasSynthesis()) GLINT_TRY(synthesis_.Init(*graphs_.g_s, graphs_.synthesis));
    int64_t end = geometry_.segments();
    bool steady = false;
    for (int64_t s = 0; s < end; ++s) {
      // What is read moves on by the same rows from here on; it did not where the top cuts off.
      if (!steady && s > 0 && Steady()) {
        steady = true;
        end = std::min(end, s + Period());
      }
      GLINT_TRY(RunSegment(s));
    }
    if (graphs_.g_s != nullptr && graphs_.g_s->whole_picture()) rows_.y = geometry_.height();
    rows_.visits += hyper_.visits() + synthesis_.visits();
    for (const RepeatingSchedule& step : steps_) rows_.visits += step.visits();
    return rows_;
  }

 private:
  // One that reads y behind its segments, band by band; not all of it at the end.
  bool HasSynthesis() const { return graphs_.g_s != nullptr && !graphs_.g_s->whole_picture(); }
  bool IsWavefront(size_t step) const { return graphs_.steps[step].front != nullptr; }
  bool RunsByRows(size_t step) const {
    return graphs_.steps[step].plan != nullptr && !IsWavefront(step);
  }

  Status RunSegment(int64_t segment) {
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (graphs_.steps[i].coding->codes == Coded::kHyper) {
        MakePsi(segment);
      } else {
        GLINT_TRY(RunStep(i, segment));
      }
    }
    coded_end_ = geometry_.LatentEnd(segment);
    if (!HasSynthesis()) return Status::Ok();
    while (!synthesis_.done() && synthesis_.InputEnd() <= coded_end_) synthesis_.Advance();
    return Status::Ok();
  }

  // For z, whose rows may take thousands of segments to repeat where those of psi take two. What
  // else there is does not look at z.
  Status RunHyperAlone() {
    const int64_t rows = document_.coding.segment_rows;
    int64_t end = geometry_.segments();
    bool steady = false;
    for (int64_t s = 0; s < end; ++s) {
      if (!steady && s > 0 && hyper_.steady()) {
        steady = true;
        end = std::min(end, s + std::lcm(SegmentsOf(rows, document_.hyper_ratio()),
                                         SegmentsOf(rows, hyper_.period())));
      }
      for (const LatentGraphs::Step& step : graphs_.steps) {
        if (step.coding->codes == Coded::kHyper) GLINT_TRY(ReadHyper(*step.coding, s));
      }
    }
    return Status::Ok();
  }

  // All rows of z, and what reads them.
  Status ReadHyper(const CodingStep& coding, int64_t segment) {
    const int64_t z_end = geometry_.StepEnd(coding, segment);
    Raise(z_end - std::min(z_end, hyper_.InputLowest(0)), &rows_.z);
    for (; hyper_.end() < geometry_.PsiEnd(segment); hyper_.Advance()) {
      if (hyper_.InputEnd() > z_end) return Missing(segment, "h_s", "z", hyper_.InputEnd(), z_end);
    }
    return Status::Ok();
  }

  void MakePsi(int64_t segment) {
    while (psi_end_ < geometry_.PsiEnd(segment)) {
      psi_end_ = graphs_.hyper.bands.Next(psi_end_, geometry_.height());
      Raise(PsiWritten() - PsiLowest(), &rows_.psi);
    }
  }
  // In pairs where they come so.
  int64_t PsiWritten() const {
    const int64_t group = hyper_.OutputGroup();
    return (psi_end_ + group - 1) / group * group;
  }

  // y is cleared as far as a step goes before the step reads it.
  Status RunStep(size_t index, int64_t segment) {
    const CodingStep& coding = *graphs_.steps[index].coding;
    if (!RunsByRows(index)) {
      const int64_t end = geometry_.StepEnd(coding, segment);
      if (IsWavefront(index) && ReadsPsi(coding) && end > psi_end_) {
        return Missing(segment, coding.graph, "psi", end, psi_end_);
      }
      y_end_ = std::max(y_end_, end);
      Raise(y_end_ - YLowest(), &rows_.y);
      front_ends_[index] = end;
      return Status::Ok();
    }
    RepeatingSchedule& step = steps_[index];
    while (step.end() < geometry_.StepEnd(coding, segment)) {
      y_end_ = std::max(y_end_, step.next_end());
      for (size_t i = 0; i < coding.inputs.size(); ++i) {
        const bool is_psi = coding.inputs[i].is_psi;
        const int64_t there = is_psi ? psi_end_ : y_end_;
        if (step.InputEnd(i) <= there) continue;
        return Missing(segment, coding.graph, is_psi ? "psi" : "y", step.InputEnd(i), there);
      }
      Raise(y_end_ - YLowest(), &rows_.y);
      step.Advance();
    }
    return Status::Ok();
  }

  static bool ReadsPsi(const CodingStep& coding) {
    return std::any_of(coding.inputs.begin(), coding.inputs.end(),
                       [](const StepInput& input) { return input.is_psi; });
  }

  static void Raise(int64_t rows, int64_t* most) { *most = std::max(*most, rows); }

  static Status Missing(int64_t segment, const std::string& graph, const std::string& tensor,
                        int64_t need, int64_t there) {
    return Status::Error(StatusCode::kBadModel, "segment " + std::to_string(segment) + ": graph " +
                                                    graph + " needs " + std::to_string(need) +
                                                    " rows of " + tensor + ", there are " +
                                                    std::to_string(there));
  }

  int64_t Lowest(bool psi) const {
    int64_t lowest = psi ? PsiWritten() : coded_end_;
    for (size_t i = 0; i < steps_.size(); ++i) {
      const std::vector<StepInput>& inputs = graphs_.steps[i].coding->inputs;
      for (size_t k = 0; k < inputs.size(); ++k) {
        if (inputs[k].is_psi == psi) lowest = std::min(lowest, InputLowest(i, k));
      }
    }
    return lowest;
  }
  // The lowest row that the step will read.
  int64_t InputLowest(size_t step, size_t input) const {
    if (!IsWavefront(step)) return steps_[step].InputLowest(input);
    return std::max<int64_t>(
        0, front_ends_[step] - graphs_.steps[step].front->inputs[input].kernel / 2);
  }
  int64_t PsiLowest() const { return Lowest(true); }
  // Of y, rows of the segment in work are read once more by its CRC.
  int64_t YLowest() const {
    const int64_t lowest = Lowest(false);
    return HasSynthesis() ? std::min(lowest, synthesis_.InputLowest(0)) : lowest;
  }

  bool Steady() const {
    if (YLowest() <= 0) return false;
    if (graphs_.h_s != nullptr && PsiLowest() <= 0) return false;
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (RunsByRows(i) && !steps_[i].steady()) return false;
      if (IsWavefront(i) && front_ends_[i] == 0) return false;
    }
    return !HasSynthesis() || synthesis_.steady();
  }

  // Segments after which rows of psi and y have moved on by whole periods.
  int64_t Period() const {
    const int64_t rows = document_.coding.segment_rows;
    int64_t period = graphs_.h_s == nullptr ? 1 : SegmentsOf(rows, hyper_.OutputGroup());
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (RunsByRows(i)) period = std::lcm(period, SegmentsOf(rows, steps_[i].period()));
    }
    if (!HasSynthesis()) return period;
    return std::lcm(period, SegmentsOf(rows * graphs_.synthesis_unit, synthesis_.period()));
  }

  const ModelDocument& document_;
  const LatentGeometry& geometry_;
  const LatentGraphs& graphs_;
  RepeatingSchedule hyper_, synthesis_;
  std::vector<RepeatingSchedule> steps_;
  std::vector<int64_t> front_ends_;  // rows that wavefront steps have coded
  int64_t psi_end_ = 0;              // rows of psi that steps can read
  int64_t y_end_ = 0;                // rows of y that are cleared or coded
  int64_t coded_end_ = 0;            // rows of y whose segments are done
  LatentRows rows_;
};

}  // namespace

Result<LatentRows> PlanLatentRows(const ModelDocument& document, const LatentGeometry& geometry,
                                  const LatentGraphs& graphs) {
  return Simulation(document, geometry, graphs).Run();
}

}  // namespace glint
