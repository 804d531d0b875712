#include "codec/latents/front_runner.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/element.h"

namespace glint {

FrontRunner::FrontRunner(const FrontGraph& front, std::shared_ptr<const Plan> plan,
                         std::vector<Executor::BoundInput> sources, const Options& options)
    : front_(front),
      plan_(std::move(plan)),
      sources_(std::move(sources)),
      options_(options),
      rows_(front.inputs.size()) {}

RowRing::Layout FrontRunner::LayoutOf(size_t input) const {
  RowRing::Layout layout;
  // Integers here are int16: the checks of a model see to it.
  layout.element =
      plan_->input_quantisation(input) == nullptr ? kernels::Element::kF32 : kernels::Element::kI16;
  layout.channels = plan_->input_channels(input);
  layout.width = options_.longest;
  layout.height = options_.fronts;
  layout.capacity = 1;
  return layout;
}

std::vector<Executor::BoundInput> FrontRunner::Bound() const {
  std::vector<Executor::BoundInput> bound;
  for (const RowRing& row : rows_) bound.push_back({&row, 0});
  return bound;
}

ExecutorOptions FrontRunner::RunOptions() const {
  ExecutorOptions options;
  options.in_width = options_.longest;
  options.in_height = options_.fronts;
  options.t = options_.t;
  options.runner = options_.runner;
  options.profile = options_.profile;
  return options;
}

Result<uint64_t> FrontRunner::MemoryNeeded() const {
  GLINT_ASSIGN(uint64_t bytes, Executor::MemoryNeeded(*plan_, RunOptions(), Bound()));
  for (size_t i = 0; i < rows_.size(); ++i) bytes += LayoutOf(i).Bytes();
  return bytes;
}

Status FrontRunner::Allocate() {
  for (size_t i = 0; i < rows_.size(); ++i) GLINT_TRY(rows_[i].Allocate(LayoutOf(i)));
  GLINT_ASSIGN(executor_, Executor::Make(plan_, RunOptions(), Bound()));
  return Status::Ok();
}

void FrontRunner::Run(const SymbolLine& line) {
  for (size_t i = 0; i < rows_.size(); ++i) {
    uint8_t* to = rows_[i].WriteRow(front_index_);
    for (size_t p = 0; p < line.positions; ++p) {
      GatherPosition(i, line.RowOf(p), line.ColumnOf(p), to + p * rows_[i].pixel_bytes());
    }
  }
  executor_->SetWidth(line.positions);
  executor_->Advance();
  ++front_index_;
}

void FrontRunner::GatherPosition(size_t input, int64_t row, size_t column, uint8_t* to) const {
  const RowRing& source = *sources_[input].ring;
  const FrontInput& read = front_.inputs[input];
  const size_t pixel = source.pixel_bytes(), element = kernels::BytesOf(source.element());
  const size_t offset = sources_[input].channel_offset * element;
  if (read.kernel == 0) {
    std::memcpy(to, source.Row(row) + column * pixel + offset, rows_[input].pixel_bytes());
    return;
  }
  const size_t bytes = rows_[input].pixel_bytes() / read.taps();  // of a tap
  const int64_t reach = read.kernel / 2;
  for (int64_t dy = -reach; dy <= 0; ++dy) {
    const int64_t taps = dy < 0 ? read.kernel : reach;
    const uint8_t* from = source.RowOrZero(row + dy) + offset +
                          (static_cast<int64_t>(column) - reach) * static_cast<int64_t>(pixel);
    for (int64_t dx = 0; dx < taps; ++dx, from += pixel, to += bytes) std::memcpy(to, from, bytes);
  }
}

}  // namespace glint
