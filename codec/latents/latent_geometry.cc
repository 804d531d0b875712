#include "codec/latents/latent_geometry.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/graph_rows.h"

namespace glint {
namespace {

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t PsiAhead(const Coding& coding, const Graphs& graphs) {
  constexpr int64_t kFar = int64_t{1} << 20;  // so far down that no kernel reaches row 0
  int64_t ahead = 0;
  for (const CodingStep& step : coding.steps) {
    if (!step.has_graph()) continue;
    std::vector<int64_t> ends;
    GraphRows(graphs.at(step.graph)).InputEnds(kFar, GraphRows::kEndless, &ends);
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      if (step.inputs[i].is_psi) ahead = std::max(ahead, step.ahead + ends[i] - kFar);
    }
  }
  return static_cast<int64_t>(ahead);
}

}  // namespace

LatentGeometry::LatentGeometry(const ModelDocument& document, const Graphs& graphs, uint32_t width,
                               uint32_t height)
    : document_(&document), picture_height_(static_cast<int64_t>(height)) {
  const int64_t stride = document.picture_stride;
  padded_width_ = static_cast<size_t>(CeilDivide(width, stride) * stride);
  padded_height_ = CeilDivide(height, stride) * stride;
  if (document.padding == Padding::kCentredZeros) {
    left_ = (padded_width_ - width) / 2;
    top_ = (padded_height_ - static_cast<int64_t>(height)) / 2;
  }
  width_ = padded_width_ / static_cast<size_t>(document.latent_stride);
  height_ = padded_height_ / document.latent_stride;
  if (document.has_hyper) {
    hyper_width_ =
        static_cast<size_t>(CeilDivide(static_cast<int64_t>(width_), document.hyper_ratio()));
    hyper_height_ = CeilDivide(height_, document.hyper_ratio());
  }
  segments_ = CeilDivide(height_, document.coding.segment_rows);
  psi_ahead_ = PsiAhead(document.coding, graphs);
}

int64_t LatentGeometry::LatentEnd(int64_t segment) const {
  return std::min(height_, document_->coding.segment_rows * (segment + 1));
}

int64_t LatentGeometry::SegmentOf(int64_t picture_row) const {
  const int64_t rows = int64_t{document_->latent_stride} * document_->coding.segment_rows;
  return std::min((picture_row + top_) / rows, segments_ - 1);
}

int64_t LatentGeometry::StepEnd(const CodingStep& step, int64_t segment) const {
  if (segment < 0) return 0;
  const int64_t rows = document_->coding.segment_rows * (segment + 1);
  if (step.codes == Coded::kLatents) return std::min(height_, rows + step.ahead);
  return std::min(hyper_height_, CeilDivide(rows, document_->hyper_ratio()) + step.ahead);
}

int64_t LatentGeometry::PsiEnd(int64_t segment) const {
  return std::min(height_, document_->coding.segment_rows * (segment + 1) + psi_ahead_);
}

Bands LatentGeometry::StepBands(const CodingStep& step, int64_t rows) const {
  return {rows, document_->coding.segment_rows, step.ahead};
}

Bands LatentGeometry::PsiBands(int64_t rows) const {
  return {rows, document_->coding.segment_rows, psi_ahead_};
}

uint64_t LatentGeometry::SymbolsOfRows(const CodingStep& step, int64_t begin, int64_t end) const {
  const auto rows = static_cast<uint64_t>(end - begin);
  const uint64_t odd = (rows + static_cast<uint64_t>(begin & 1)) / 2;  // rows of odd number
  uint64_t symbols = 0;
  for (const CodedPart& part : step.parts) {
    const size_t width = WidthOf(step.codes);
    const uint64_t positions = (rows - odd) * PositionsOfRow(part.positions, 0, width).count +
                               odd * PositionsOfRow(part.positions, 1, width).count;
    symbols += positions * static_cast<uint64_t>(part.channels());
  }
  return symbols;
}

uint64_t LatentGeometry::Symbols(int64_t segment, size_t steps) const {
  uint64_t symbols = 0;
  const std::span<const CodingStep> all = document_->coding.steps;
  for (const CodingStep& step : all.first(std::min(steps, all.size()))) {
    symbols += SymbolsOfRows(step, StepEnd(step, segment - 1), StepEnd(step, segment));
  }
  return symbols;
}

uint64_t LatentGeometry::MostSymbols() const {
  const int64_t ratio = document_->has_hyper ? document_->hyper_ratio() : 1;
  uint64_t most = 0;
  // The first has the rows ahead as well; afterwards the counts repeat with the phase of the hyper
  // rows, and with the parity of the first row.
  for (int64_t s = 0; s < std::min(segments_, 2 * ratio + 2); ++s)
    most = std::max(most, Symbols(s));
  return most;
}

uint64_t LatentGeometry::AllSymbols() const {
  uint64_t symbols = 0;
  for (const CodingStep& step : document_->coding.steps) {
    symbols += SymbolsOfRows(step, 0, step.codes == Coded::kHyper ? hyper_height_ : height_);
  }
  return symbols;
}

}  // namespace glint
