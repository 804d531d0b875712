#include "codec/api/refinement.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "codec/api/quantising_port.h"
#include "codec/stream/container.h"
#include "codec/stream/rans.h"
#include "engine/thread_pool.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

// Neighbours move at the same time: the curvature counts for more.
constexpr double kCaution = 1.1;
// Moves change what means and tables are predicted from; they are taken anew after so many passes.
constexpr int kPassesOfPrediction = 7;
// Of the probes that the curvature is measured by: how far latents go from where they are.
constexpr float kProbe = 0.25f;
// Positions that are probed at least, so that chance averages out; and probes at most.
constexpr int64_t kProbedPositions = 1024;
constexpr int64_t kMostProbes = 64;
// A sample from 0 to 1 is so many levels; lambda is for the mean of three channels.
constexpr double kLevels = 255;
constexpr double kColours = 3;
constexpr size_t kColumnsOfTask = 16;

// Signs drawn at random, the same everywhere: +1 or -1 for latent after latent of a row.
class Signs {
 public:
  Signs(int64_t probe, int64_t row)
      : state_((static_cast<uint64_t>(probe) << 32) + static_cast<uint64_t>(row)) {}
  float Next() {
    if (left_ == 0) Draw();
    --left_;
    const bool is_negative = (bits_ & 1) != 0;
    bits_ >>= 1;
    return is_negative ? -1.0f : 1.0f;
  }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014).
  void Draw() {
    state_ += 0x9E3779B97F4A7C15U;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    bits_ = z ^ (z >> 31);
    left_ = 64;
  }

  uint64_t state_, bits_ = 0;
  int left_ = 0;
};

}  // namespace

int RefinementPasses(int effort) {
  constexpr std::array<int, kMostEffort + 1> kPasses = {0, 1, 2, 3, 5, 7, 10, 15, 22, 40};
  return kPasses[static_cast<size_t>(effort)];
}

// Puts decoded y, means and tables of all latents where Refinement keeps them.
class Refinement::Prediction final : public QuantisingPort {
 public:
  explicit Prediction(Refinement* refinement)
      : QuantisingPort(refinement->model_.document, *refinement->analysis_), to_(*refinement) {}

  double bits() const { return bits_; }  // of y

 private:
  void Take(Coded coded, const SymbolLine& line, const Symbols& symbols) override {
    if (coded == Coded::kHyper) return;
    size_t i = 0;
    line.ForEachRun([&](size_t position, const ChannelRun& run) {
      const int64_t row = line.RowOf(position);
      const size_t at = line.ColumnOf(position) * to_.channels_ + run.channel;
      std::copy_n(symbols.decoded + i, run.count, to_.analysis_->UpdateY(row) + at);
      std::copy_n(symbols.means + i, run.count, to_.means_.Update(row) + at);
      uint16_t* tables = to_.tables_.Update(row) + at;
      const EntropyTables& all = to_.model_.tables;
      for (size_t c = 0; c < run.count; ++c, ++i) {
        tables[c] = static_cast<uint16_t>(symbols.tables.At(i));
        bits_ += SymbolBits(all, all.table(tables[c]), symbols.values[i]);
      }
    });
  }

  Refinement& to_;
  double bits_ = 0;
};

Refinement::Refinement(const Model::Impl& model, const LatentGeometry& geometry,
                       const PictureInfo& info, const Options& options)
    : model_(model),
      geometry_(geometry),
      output_(OutputInfo(info)),
      options_(options),
      channels_(static_cast<size_t>(model.document.latent_channels)),
      bits_per_error_(options.lambda * kLevels * kLevels / kColours),
      gradient_(model, geometry, info, options.context, options.call, options.t) {}

Status Refinement::Plan() {
  if (options_.lambda <= 0) {
    return Status::Error(StatusCode::kUnsupported,
                         model_.file->name() +
                             ": it does not say for what lambda it was trained, " +
                             "so no effort can weigh bits against errors");
  }
  if (model_.document.rate.squared_error_share < 1) {
    return Status::Error(StatusCode::kUnsupported,
                         model_.file->name() +
                             ": it was tuned for another measure than squared error, " +
                             "and that is what an effort makes small");
  }
  const size_t row = geometry_.width() * channels_;
  means_.SetSize(row, geometry_.height());
  tables_.SetSize(row, geometry_.height());
  before_.SetSize(row, geometry_.height());
  proposals_.SetSize(geometry_.width(), geometry_.height());
  return gradient_.Plan();
}

Synthesis Refinement::MakeSynthesis(Synthesis::Colour colour) const {
  return Synthesis(model_, geometry_, output_,
                   {options_.context, options_.call, model_.WholeSynthesis(), options_.t, colour});
}

LatentCoder Refinement::MakeCoder(const Synthesis* synthesis) const {
  const SynthesisBehind behind =
      synthesis == nullptr ? SynthesisBehind() : synthesis->behind_segments();
  return LatentCoder(model_, geometry_, {options_.t, options_.context.runner(), false, behind});
}

Result<uint64_t> Refinement::MemoryNeeded() const {
  const Synthesis synthesis = MakeSynthesis(Synthesis::Colour::kThree);
  LatentCoder coder = MakeCoder(&synthesis);
  GLINT_TRY(coder.Plan());
  GLINT_ASSIGN(const uint64_t decoding, synthesis.MemoryWith(coder));
  GLINT_ASSIGN(const uint64_t gradient, gradient_.RunBytes());
  return std::max(decoding, gradient) + gradient_.SourceBytes() + means_.MemoryNeeded() +
         tables_.MemoryNeeded() + before_.MemoryNeeded() + proposals_.MemoryNeeded();
}

Status Refinement::AllocateState() {
  if (!means_.Allocate() || !tables_.Allocate() || !before_.Allocate() || !proposals_.Allocate()) {
    return Status::Error(StatusCode::kLimit, "out of memory for the latents");
  }
  for (int64_t row = 0; row < geometry_.height(); ++row) {
    std::fill_n(means_.WriteRow(row), means_.row_values(), int16_t{0});
    std::fill_n(tables_.WriteRow(row), tables_.row_values(), uint16_t{0});
    std::fill_n(proposals_.WriteRow(row), proposals_.row_values(), Proposal());
  }
  return Status::Ok();
}

Status Refinement::Run(Analysis* analysis, Synthesis::Colour colour,
                       const std::function<Status(double done)>& progress) {
  analysis_ = analysis;
  GLINT_TRY(AllocateState());
  GLINT_ASSIGN(const double cost, Cost(colour));
  for (int64_t row = 0; row < geometry_.height(); ++row) {
    std::copy_n(analysis_->y_row(row), before_.row_values(), before_.WriteRow(row));
  }
  GLINT_TRY(MeasureCurvature());
  for (int pass = 0; pass < options_.passes; ++pass) {
    if (pass > 0 && pass % kPassesOfPrediction == 0) GLINT_TRY(Predict());
    GLINT_TRY(Move());
    GLINT_TRY(progress(static_cast<double>(pass + 1) / options_.passes));
  }
  GLINT_ASSIGN(const double cost_of_moved, Cost(colour));
  if (cost_of_moved < cost) return Status::Ok();
  for (int64_t row = 0; row < geometry_.height(); ++row) {
    std::copy_n(before_.Row(row), before_.row_values(), analysis_->UpdateY(row));
  }
  return Status::Ok();
}

// y becomes what is decoded of it.
Status Refinement::Predict() {
  LatentCoder coder = MakeCoder(nullptr);
  GLINT_TRY(coder.Plan());
  GLINT_TRY(coder.Allocate());
  Prediction port(this);
  StageTimes times;
  for (int64_t segment = 0; segment < geometry_.segments(); ++segment) {
    GLINT_TRY(coder.CodeSegment(segment, &port, &times));
  }
  return Status::Ok();
}

// The same, and what it costs: bits of y, and those that its error in the decoded picture is worth.
Result<double> Refinement::Cost(Synthesis::Colour colour) {
  Synthesis synthesis = MakeSynthesis(colour);
  auto coder = std::make_unique<LatentCoder>(MakeCoder(&synthesis));
  GLINT_TRY(coder->Plan());
  GLINT_TRY(coder->Allocate());
  GLINT_TRY(synthesis.Allocate(*coder));
  Prediction port(this);
  double error = 0, seconds = 0;
  const Synthesis::Sink rows = {[&](int64_t row, const uint8_t* levels) {
                                  error += RowError(row, levels);
                                  return Status::Ok();
                                },
                                [](double) { return Status::Ok(); }};
  StageTimes times;
  for (int64_t segment = 0; segment < geometry_.segments(); ++segment) {
    GLINT_TRY(coder->CodeSegment(segment, &port, &times));
    GLINT_TRY(synthesis.AddSegment(*coder, segment, rows, &seconds));
  }
  coder.reset();
  GLINT_TRY(synthesis.Finish(rows, &seconds));
  return port.bits() + options_.lambda * error;
}

// Squared, in levels of 8 bits, of the mean channel.
double Refinement::RowError(int64_t row, const uint8_t* levels) const {
  const uint8_t* source = gradient_.SourceRow(row);
  uint64_t sum = 0;
  for (size_t i = 0; i < size_t{output_.width} * output_.channels; ++i) {
    const int difference = levels[i] - source[i];
    sum += static_cast<uint64_t>(difference * difference);
  }
  const double level = kLevels / TopLevel(output_);
  return static_cast<double>(sum) * level * level / output_.channels;
}

int64_t Refinement::Probes() const {
  const int64_t positions = geometry_.height() * static_cast<int64_t>(geometry_.width());
  return std::clamp<int64_t>((kProbedPositions + positions - 1) / positions, 1, kMostProbes);
}

// The diagonal of the squared error's second derivative, averaged over positions: Hutchinson's
// estimate v (H v), signs v drawn at random, where H v comes from gradients on both sides.
Status Refinement::MeasureCurvature() {
  std::vector<double> sums(channels_);
  const auto scale = static_cast<float>(1 << model_.document.fraction_bits);
  const int64_t probes = Probes();
  for (int64_t probe = 0; probe < probes; ++probe) {
    for (const float side : {1.0f, -1.0f}) {
      const auto read = [&](int64_t row, float* y) {
        kernels::FixedToFloat(analysis_->y_row(row), y, geometry_.width() * channels_, scale);
        Signs signs(probe, row);
        for (size_t i = 0; i < geometry_.width() * channels_; ++i) {
          y[i] += side * kProbe * signs.Next();
        }
      };
      const auto add = [&](int64_t begin, int64_t end, const PictureGradient::At& at) {
        for (int64_t row = begin; row < end; ++row) {
          Signs signs(probe, row);
          for (size_t x = 0; x < geometry_.width(); ++x) {
            const float* gradient = at(row, x);
            for (size_t c = 0; c < channels_; ++c) {
              const double sign = side * signs.Next();
              sums[c] += sign * gradient[c];
            }
          }
        }
        return Status::Ok();
      };
      GLINT_TRY(gradient_.Run(read, add));
    }
  }
  const double positions = static_cast<double>(geometry_.height()) *
                           static_cast<double>(geometry_.width()) * static_cast<double>(probes);
  curvature_.resize(channels_);
  for (size_t c = 0; c < channels_; ++c) {
    const double measured = sums[c] / (2 * double{kProbe} * positions);
    curvature_[c] = kCaution * bits_per_error_ * std::max(0.0, measured);
  }
  return Status::Ok();
}

// One step up or down of the one symbol that gains most at each position, if it gains.
Status Refinement::Move() {
  const auto scale = static_cast<float>(1 << model_.document.fraction_bits);
  const auto read = [&](int64_t row, float* y) {
    kernels::FixedToFloat(analysis_->y_row(row), y, geometry_.width() * channels_, scale);
  };
  const size_t tasks = (geometry_.width() + kColumnsOfTask - 1) / kColumnsOfTask;
  const auto propose = [&](int64_t begin, int64_t end, const PictureGradient::At& at) {
    for (int64_t row = begin; row < end; ++row) {
      ParallelFor(options_.context.runner(), tasks, [&](size_t task, size_t) {
        const size_t stop = std::min(geometry_.width(), (task + 1) * kColumnsOfTask);
        for (size_t x = task * kColumnsOfTask; x < stop; ++x) {
          proposals_.Update(row)[x] = Propose(row, x, at(row, x));
        }
      });
    }
    return Status::Ok();
  };
  GLINT_TRY(gradient_.Run(read, propose));
  TakeProposals();
  return Status::Ok();
}

Refinement::Proposal Refinement::Propose(int64_t row, size_t column, const float* gradient) const {
  const int step = 1 << model_.document.fraction_bits;
  const int16_t* y = analysis_->y_row(row) + column * channels_;
  const int16_t* means = means_.Row(row) + column * channels_;
  const uint16_t* tables = tables_.Row(row) + column * channels_;
  Proposal best;
  for (size_t c = 0; c < channels_; ++c) {
    const EntropyTables::Table& table = model_.tables.table(tables[c]);
    const int symbol = (y[c] - means[c]) >> model_.document.fraction_bits;
    const double bits = SymbolBits(model_.tables, table, symbol);
    const double slope = 2 * bits_per_error_ * double{gradient[c]};
    for (const int direction : {-1, 1}) {
      const double gain = direction * slope + curvature_[c] +
                          SymbolBits(model_.tables, table, symbol + direction) - bits;
      if (!(gain < double{best.change})) continue;
      const int moved = y[c] + direction * step;
      if (moved < INT16_MIN || moved > INT16_MAX) continue;
      best = {static_cast<float>(gain), static_cast<int16_t>(c), static_cast<int16_t>(direction)};
    }
  }
  return best;
}

// A proposal is taken where none beside it is for the same channel and gains more: in smooth parts
// all neighbours want the same, and one of them is enough.
bool Refinement::IsTaken(int64_t row, int64_t column) const {
  const Proposal& own = proposals_.Row(row)[column];
  if (own.direction == 0) return false;
  const int64_t width = static_cast<int64_t>(geometry_.width());
  for (int64_t r = std::max<int64_t>(0, row - 1); r <= std::min(geometry_.height() - 1, row + 1);
       ++r) {
    for (int64_t c = std::max<int64_t>(0, column - 1); c <= std::min(width - 1, column + 1); ++c) {
      const Proposal& other = proposals_.Row(r)[c];
      if (other.direction == 0 || other.channel != own.channel) continue;
      const bool is_earlier = r < row || (r == row && c < column);
      if (other.change < own.change || (other.change == own.change && is_earlier)) return false;
    }
  }
  return true;
}

void Refinement::TakeProposals() {
  const int step = 1 << model_.document.fraction_bits;
  for (int64_t row = 0; row < geometry_.height(); ++row) {
    int16_t* y = analysis_->UpdateY(row);
    for (size_t x = 0; x < geometry_.width(); ++x) {
      if (!IsTaken(row, static_cast<int64_t>(x))) continue;
      const Proposal& proposal = proposals_.Row(row)[x];
      int16_t& value = y[x * channels_ + static_cast<size_t>(proposal.channel)];
      value = static_cast<int16_t>(value + proposal.direction * step);
    }
  }
}

}  // namespace glint
