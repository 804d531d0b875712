#include "codec/latents/latent_geometry.h"

#include <algorithm>

#include "engine/graph_rows.h"

namespace glint {
namespace {

long CeilDivide(long a, long b) { return (a + b - 1) / b; }

long PsiAhead(const ModelDocument& document) {
  constexpr int64_t kFar = int64_t{1} << 20;  // so far down that no kernel reaches row 0
  int64_t ahead = 0;
  for (const CodingStep& step : document.coding.steps) {
    std::vector<int64_t> ends;
    GraphRows(document.graphs.at(step.graph)).InputEnds(kFar, GraphRows::kEndless, &ends);
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      if (step.inputs[i].is_psi) ahead = std::max(ahead, step.ahead + ends[i] - kFar);
    }
  }
  return static_cast<long>(ahead);
}

}  // namespace

RowPositions PositionsOf(Parity parity, long row, size_t width) {
  if (parity == Parity::kAll) return {0, 1, width};
  RowPositions positions;
  positions.first = static_cast<size_t>(row & 1) ^ (parity == Parity::kOdd ? 1U : 0U);
  positions.step = 2;
  positions.count = (width + 1 - positions.first) / 2;
  return positions;
}

LatentGeometry::LatentGeometry(const ModelDocument& document, uint32_t width, uint32_t height)
    : document_(&document) {
  const long stride = document.picture_stride;
  padded_width_ = static_cast<size_t>(CeilDivide(width, stride) * stride);
  padded_height_ = CeilDivide(height, stride) * stride;
  width_ = padded_width_ / static_cast<size_t>(document.latent_stride);
  height_ = padded_height_ / document.latent_stride;
  const long ratio = document.hyper_stride / document.latent_stride;
  hyper_width_ = static_cast<size_t>(CeilDivide(static_cast<long>(width_), ratio));
  hyper_height_ = CeilDivide(height_, ratio);
  segments_ = CeilDivide(height_, document.coding.segment_rows);
  psi_ahead_ = PsiAhead(document);
}

long LatentGeometry::LatentEnd(long segment) const {
  return std::min(height_, document_->coding.segment_rows * (segment + 1));
}

long LatentGeometry::HyperEnd(long segment) const {
  if (segment < 0) return 0;
  const long rows = document_->coding.segment_rows * (segment + 1);
  const long share = CeilDivide(rows * document_->latent_stride, document_->hyper_stride);
  return std::min(hyper_height_, share + document_->coding.hyper_ahead);
}

long LatentGeometry::StepEnd(const CodingStep& step, long segment) const {
  if (segment < 0) return 0;
  return std::min(height_, document_->coding.segment_rows * (segment + 1) + step.ahead);
}

long LatentGeometry::PsiEnd(long segment) const {
  return std::min(height_, document_->coding.segment_rows * (segment + 1) + psi_ahead_);
}

Bands LatentGeometry::StepBands(const CodingStep& step, long rows) const {
  return {rows, document_->coding.segment_rows, step.ahead};
}

Bands LatentGeometry::PsiBands(long rows) const {
  return {rows, document_->coding.segment_rows, psi_ahead_};
}

uint64_t LatentGeometry::Symbols(long segment) const {
  const long hyper_rows = HyperEnd(segment) - HyperEnd(segment - 1);
  uint64_t symbols = static_cast<uint64_t>(hyper_rows) * hyper_width_ *
                     static_cast<uint64_t>(document_->hyper_channels);
  for (const CodingStep& step : document_->coding.steps) {
    uint64_t positions = 0;
    for (long row = StepEnd(step, segment - 1); row < StepEnd(step, segment); ++row) {
      positions += PositionsOf(step.parity, row, width_).count;
    }
    symbols += positions * static_cast<uint64_t>(step.channel_end - step.channel_begin);
  }
  return symbols;
}

uint64_t LatentGeometry::MostSymbols() const {
  const long ratio = document_->hyper_stride / document_->latent_stride;
  uint64_t most = 0;
  // The first has the rows ahead as well; afterwards the counts repeat with the phase of the hyper
  // rows.
  for (long s = 0; s < std::min(segments_, 2 * ratio + 2); ++s) most = std::max(most, Symbols(s));
  return most;
}

uint64_t LatentGeometry::AllSymbols() const {
  uint64_t symbols = static_cast<uint64_t>(hyper_height_) * hyper_width_ *
                     static_cast<uint64_t>(document_->hyper_channels);
  const auto height = static_cast<uint64_t>(height_);
  for (const CodingStep& step : document_->coding.steps) {
    const uint64_t positions = (height + 1) / 2 * PositionsOf(step.parity, 0, width_).count +
                               height / 2 * PositionsOf(step.parity, 1, width_).count;
    symbols += positions * static_cast<uint64_t>(step.channel_end - step.channel_begin);
  }
  return symbols;
}

}  // namespace glint
