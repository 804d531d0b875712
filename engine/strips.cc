#include "engine/strips.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "engine/graph_rows.h"

namespace glint {
namespace {

// The same in input pixels.
int64_t ReachOf(const Graph& graph, const StripShape& shape, Axis Window::*axis) {
  constexpr int64_t kFar = int64_t{1} << 20;  // units: nothing is clamped there
  const auto in_unit = static_cast<int64_t>(shape.in_unit);
  const auto out_unit = static_cast<int64_t>(shape.out_unit);
  std::map<std::string, std::pair<int64_t, int64_t>> needed;  // by tensor, begin and end
  needed[graph.output] = {kFar * out_unit, (kFar + 1) * out_unit};
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const auto output = needed.find(node->output);
    if (output == needed.end()) continue;
    const Axis along = node->window.Grouped().*axis;
    const int64_t begin = along.InputBegin(output->second.first);
    const int64_t end = along.InputEnd(output->second.second, GraphRows::kEndless);
    for (const std::string& input : node->inputs) {
      const auto [at, is_new] = needed.try_emplace(input, begin, end);
      at->second = {std::min(at->second.first, begin), std::max(at->second.second, end)};
    }
  }
  const auto [begin, end] = needed.at(graph.inputs[0].name);
  return std::max({int64_t{0}, kFar * in_unit - begin, end - (kFar + 1) * in_unit});
}

void AddProfile(const std::vector<StepProfile>& strip, std::vector<StepProfile>* sum) {
  if (sum->empty()) {
    *sum = strip;
    return;
  }
  for (size_t i = 0; i < strip.size(); ++i) {
    (*sum)[i].macs += strip[i].macs;
    (*sum)[i].seconds += strip[i].seconds;
  }
}

}  // namespace

size_t MarginOf(const Graph& graph, const StripShape& shape, Axis Window::*axis) {
  const auto reach = static_cast<size_t>(ReachOf(graph, shape, axis));
  const size_t coarsest = size_t{1} << -GraphRows(graph).output_scale().lowest;
  const size_t whole = std::max(shape.in_unit, coarsest);  // powers of two
  return (reach + whole - 1) / whole * (whole / shape.in_unit);
}

StripTransform::StripTransform(std::shared_ptr<const Plan> plan, const Graph& graph,
                               const ExecutorOptions& options, const StripShape& shape)
    : plan_(std::move(plan)),
      options_(options),
      shape_(shape),
      margin_(MarginOf(graph, shape, &Window::columns)) {}

size_t StripTransform::MostUnits() const {
  return std::min(shape_.units, shape_.strip + 2 * margin_);
}

StripTransform::Columns StripTransform::StripAt(size_t begin) const {
  Columns columns;
  columns.begin = begin;
  columns.end = std::min(shape_.units, begin + shape_.strip);
  columns.low = begin - std::min(begin, margin_);
  columns.high = std::min(shape_.units, columns.end + margin_);
  return columns;
}

ExecutorOptions StripTransform::OptionsOf(const Columns& columns) const {
  ExecutorOptions options = options_;
  options.in_width = (columns.high - columns.low) * shape_.in_unit;
  options.out_width = 0;
  return options;
}

// Memory of the widest strip, which has others on both sides.
Result<uint64_t> StripTransform::BytesOf(const ExecutorOptions& options) const {
  ExecutorOptions strip = options;
  strip.in_width = MostUnits() * shape_.in_unit;
  strip.out_width = 0;
  return Executor::MemoryNeeded(*plan_, strip);
}

bool StripTransform::PaysOff(uint64_t buffers) const {
  if (plan_->whole_picture() || shape_.units <= 2 * shape_.strip) return false;
  ExecutorOptions plainest = options_;
  plainest.bands.rows = static_cast<int64_t>(shape_.out_unit);
  plainest.runner = SerialRunner();
  const Result<uint64_t> strips = BytesOf(plainest);
  if (!strips.ok()) return false;
  const Result<uint64_t> bands = Executor::MemoryNeeded(*plan_, plainest);
  return !bands.ok() || 2 * (*strips + buffers) < *bands;
}

Status StripTransform::Run(const Read& read, const Write& write,
                           const std::function<Status(double)>& progress) {
  for (size_t begin = 0; begin < shape_.units; begin += shape_.strip) {
    const Columns columns = StripAt(begin);
    GLINT_TRY(RunStrip(columns, read, write));
    GLINT_TRY(progress(static_cast<double>(columns.end) / static_cast<double>(shape_.units)));
  }
  return Status::Ok();
}

Status StripTransform::RunStrip(const Columns& columns, const Read& read, const Write& write) {
  const ExecutorOptions options = OptionsOf(columns);
  GLINT_ASSIGN(const std::unique_ptr<Executor> executor, Executor::Make(plan_, options));
  const size_t skipped = (columns.begin - columns.low) * shape_.out_unit;
  const size_t first = columns.begin * shape_.out_unit;
  const size_t count = (columns.end - columns.begin) * shape_.out_unit;
  int64_t fed = 0;
  for (int64_t done = 0; done < executor->out_height();) {
    for (const int64_t end = executor->InputEnd(); fed < end; ++fed) {
      read(fed, columns.low * shape_.in_unit, options.in_width, executor->InputRow(0, fed));
      executor->StoreInput(0, fed);
    }
    executor->Advance();
    const size_t stride = executor->output_pixel_stride();
    for (; done < executor->end(); ++done) {
      write(done, first, count, executor->OutputRow(done) + skipped * stride, stride);
    }
  }
  AddProfile(executor->profile(), &profile_);
  return Status::Ok();
}

}  // namespace glint
