#include "tools/common/shrinker.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace glint::tools {
namespace {

constexpr uint64_t kMostLevel = 255;

uint64_t Rounded(uint64_t sum, uint64_t weight) { return (sum + weight / 2) / weight; }

// The side of the result that belongs to `side` where `longest` becomes `most`.
uint32_t Scaled(uint32_t side, uint32_t longest, uint32_t most) {
  if (longest <= most) return side;
  return static_cast<uint32_t>(std::max<uint64_t>(1, Rounded(uint64_t{side} * most, longest)));
}

}  // namespace

Shrinker::Shrinker(const PictureInfo& info, const PictureInfo& whole, uint32_t side)
    : from_(info), samples_(info.SamplesPerPixel()), room_(info.height) {
  const uint32_t longest = std::max(whole.width, whole.height);
  result_.info = info;
  result_.info.bit_depth = 8;
  result_.info.width = Scaled(whole.width, longest, side);
  result_.info.height = Scaled(whole.height, longest, side);
  result_.samples.reserve(result_.info.height * result_.info.RowBytes());
  row_.resize(result_.info.width * samples_);
  sums_.resize(row_.size());
}

// A row of the source weighs as much as the result has rows, and a row of the result takes the
// weight of all rows of the source by turns: so each of them covers its area to the fraction.
void Shrinker::Add(const void* row) {
  SumColumns(static_cast<const uint8_t*>(row));
  const uint64_t weight = result_.info.height;
  const uint64_t first = std::min(weight, room_);
  AddSums(first);
  if (room_ > 0) return;
  FinishRow();
  if (first < weight) AddSums(weight - first);
}

Picture Shrinker::Take() { return std::move(result_); }

// The same along a row.
void Shrinker::SumColumns(const uint8_t* row) {
  std::fill(row_.begin(), row_.end(), 0);
  const size_t colours = from_.channels;
  const auto add = [&](size_t x, size_t ox, uint64_t weight) {
    const uint64_t alpha = from_.has_alpha ? Level(row, x * samples_ + colours) : 1;
    uint64_t* const sums = &row_[ox * samples_];
    for (size_t c = 0; c < colours; ++c) sums[c] += weight * alpha * Level(row, x * samples_ + c);
    if (from_.has_alpha) sums[colours] += weight * alpha;
  };
  const uint64_t weight = result_.info.width;
  uint64_t room = from_.width;
  for (size_t x = 0, ox = 0; x < from_.width; ++x) {
    const uint64_t first = std::min(weight, room);
    add(x, ox, first);
    room -= first;
    if (room > 0) continue;
    ++ox;
    room = from_.width;
    if (first == weight) continue;
    add(x, ox, weight - first);
    room -= weight - first;
  }
}

void Shrinker::AddSums(uint64_t weight) {
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += weight * row_[i];
  room_ -= weight;
}

void Shrinker::FinishRow() {
  const uint64_t whole = uint64_t{from_.width} * from_.height;
  const size_t colours = from_.channels;
  for (size_t at = 0; at < sums_.size(); at += samples_) {
    const uint64_t weight = from_.has_alpha ? sums_[at + colours] : whole;
    for (size_t c = 0; c < colours; ++c) {
      const uint64_t level = weight == 0 ? 0 : Rounded(sums_[at + c], weight);
      result_.samples.push_back(static_cast<uint8_t>(level));
    }
    if (from_.has_alpha) result_.samples.push_back(static_cast<uint8_t>(Rounded(weight, whole)));
  }
  std::fill(sums_.begin(), sums_.end(), 0);
  room_ = from_.height;
}

// 0 to 255, whatever the depth.
uint64_t Shrinker::Level(const uint8_t* row, size_t sample) const {
  if (from_.SampleBytes() == 1) return row[sample] * kMostLevel / ((1u << from_.bit_depth) - 1);
  uint16_t value;
  std::memcpy(&value, row + 2 * sample, sizeof(value));
  return Rounded(value, 257);
}

}  // namespace glint::tools
