#include "codec/detail/section.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "codec/stream/container.h"
#include "kernels/detail.h"

namespace glint::detail {
namespace {

constexpr uint8_t kDepth = 8;
constexpr uint8_t kExactBase = 1;
constexpr int kMostActivity = 60;

Status Damaged() {
  return Status::Error(StatusCode::kBadStream, "the head of its details is damaged");
}

bool TakeLeb128(std::span<const uint8_t>* bytes, uint32_t most, uint32_t* value) {
  uint64_t v = 0;
  for (int i = 0; i < 5 && !bytes->empty(); ++i) {
    const uint8_t byte = bytes->front();
    *bytes = bytes->subspan(1);
    v |= static_cast<uint64_t>(byte & 127) << (7 * i);
    if (byte < 128) {
      *value = static_cast<uint32_t>(v);
      return v <= most && (byte != 0 || i == 0);
    }
  }
  return false;
}

}  // namespace

void AppendSection(const SectionHead& head, std::span<const uint8_t> bits,
                   std::span<const uint8_t> raw, std::vector<uint8_t>* out) {
  out->push_back(kDepth);
  out->push_back(head.exact_base ? kExactBase : 0);
  AppendLeb128(static_cast<uint32_t>(head.step), out);
  AppendLeb128(static_cast<uint32_t>(head.near), out);
  AppendLeb128(static_cast<uint32_t>(bits.size()), out);
  out->insert(out->end(), bits.begin(), bits.end());
  out->insert(out->end(), raw.begin(), raw.end());
}

Result<ParsedSection> ParseSection(std::span<const uint8_t> payload) {
  if (payload.size() < 2) return Damaged();
  if (payload[0] != kDepth || (payload[1] & ~kExactBase) != 0) {
    return Status::Error(StatusCode::kUnsupported,
                         "its details are of a kind that this version does not know");
  }
  ParsedSection section;
  section.head.exact_base = (payload[1] & kExactBase) != 0;
  payload = payload.subspan(2);
  uint32_t step = 0, near = 0, size = 0;
  if (!TakeLeb128(&payload, kMostStep, &step) || step == 0 ||
      !TakeLeb128(&payload, kMostNear, &near) || !TakeLeb128(&payload, 0xFFFFFFFFu, &size) ||
      size > payload.size()) {
    return Damaged();
  }
  section.head.step = static_cast<int>(step);
  section.head.near = static_cast<int>(near);
  section.bits = payload.first(size);
  section.raw = payload.subspan(size);
  return section;
}

void MagnitudeField::Look(size_t plane, size_t v, size_t x, Neighbours* neighbours) const {
  const Transform &left = left_[v], &above = above_[x];
  neighbours->left = left.any[plane] ? &left.magnitudes[plane] : nullptr;
  neighbours->above = above.any[plane] ? &above.magnitudes[plane] : nullptr;
}

void MagnitudeField::Store(size_t plane, size_t v, size_t x, const Magnitudes& magnitudes,
                           bool any) {
  for (Transform* t : {&left_[v], &above_[x]}) {
    t->any[plane] = any;
    if (any) t->magnitudes[plane] = magnitudes;
  }
}

void MagnitudeField::Clear(size_t x, size_t columns) {
  for (Transform& t : left_) t.any.fill(false);
  for (size_t i = 0; i < columns; ++i) above_[x + i].any.fill(false);
}

void MagnitudeField::Save(size_t x, size_t columns, Saved* saved) const {
  std::copy_n(above_.begin() + static_cast<std::ptrdiff_t>(x), columns, saved->above.begin());
  saved->left = left_;
}

void MagnitudeField::Restore(size_t x, size_t columns, const Saved& saved) {
  std::copy_n(saved.above.begin(), columns, above_.begin() + static_cast<std::ptrdiff_t>(x));
  left_ = saved.left;
}

SectionState::SectionState(size_t width, size_t channels, int top)
    : width_(width),
      picture_channels_(channels),
      top_(top),
      channels_(channels),
      magnitudes_((width + 7) / 8),
      pixels_(top),
      kinds_above_((width + kBlock - 1) / kBlock),
      kinds_(kinds_above_.size()),
      activities_(kinds_.size() * kTransformsAcross * kTransformsAcross) {}

uint64_t SectionState::MemoryNeeded(size_t width) {
  const uint64_t transforms = (width + 7) / 8, blocks = (width + kBlock - 1) / kBlock;
  return sizeof(SectionState) + PixelCoder::MemoryNeeded() +
         transforms * 3 * (sizeof(Magnitudes) + 1) +
         blocks * (2 + kTransformsAcross * kTransformsAcross * sizeof(uint32_t));
}

void SectionState::Begin(const SectionHead& head) {
  head_ = head;
  channels_ = picture_channels_;
  is_first_row_ = true;
  std::construct_at(&models_);  // in place: they are too large for the stack
  magnitudes_.Reset();
  pixels_.Reset(static_cast<int>(channels_));
  kinds_above_.assign(kinds_above_.size(), BlockKind::kOff);
}

void SectionState::BeginRow(const BlockRow& row, bool gray) {
  row_ = row;
  const size_t channels = gray ? 1 : picture_channels_;
  if (channels != channels_) {
    // Pixels of colour say nothing of gray ones.
    channels_ = channels;
    pixels_.Reset(static_cast<int>(channels));
    is_first_row_ = true;
  }
  step_ = gray ? GrayStep(head_.step) : head_.step;
  kinds_.assign(kinds_.size(), BlockKind::kOff);
  magnitudes_.BeginRow();
  if (!head_.exact_base) return;
  const size_t across = blocks() * kTransformsAcross;
  for (size_t y = 0; y < row.height; y += 8) {
    uint32_t* const activities = activities_.data() + y / 8 * across;
    kernels::DetailActivity(row.rows + y * row.stride, row.stride, width_,
                            std::min<size_t>(8, row.height - y), channels_, activities);
    for (size_t x = 0; x < (width_ + 7) / 8; ++x) {
      const uint64_t activity = uint64_t{activities[x]} * (channels_ == 1 ? 2 : 1);
      const uint64_t ratio = 5 * activity / (4 * static_cast<uint64_t>(step_));
      activities[x] = static_cast<uint32_t>(
          std::min(std::sqrt(static_cast<double>(ratio)), double{kMostActivity}));
    }
  }
}

void SectionState::EndRow() {
  kinds_above_.swap(kinds_);
  is_first_row_ = false;
}

AdaptiveBit* SectionState::KindModels(size_t block) {
  const BlockKind left = block > 0 ? kinds_[block - 1] : BlockKind::kOff;
  return models_
      .kind[static_cast<size_t>(left) * kBlockKinds + static_cast<size_t>(kinds_above_[block])];
}

float SectionState::CostOfKind(size_t block, BlockKind kind) {
  const AdaptiveBit* const models = KindModels(block);
  const int k = static_cast<int>(kind);
  return CostOf(models[1], (k >> 1) != 0) + CostOf(models[2 + (k >> 1)], (k & 1) != 0);
}

Colour SectionState::ColourAt(const uint8_t* pixel) const {
  if (channels_ == 1) return *pixel;
  return pixel[0] | static_cast<Colour>(pixel[1]) << 8 | static_cast<Colour>(pixel[2]) << 16;
}

void SectionState::CopyColours(const uint8_t* from, size_t count, Colour* to) const {
  for (size_t i = 0; i < count; ++i) to[i] = ColourAt(from + i * channels_);
}

void SectionState::Fill(size_t block, PixelField* field) const {
  field->Clear();
  const size_t width = WidthOf(block), first = block * kBlock;
  const uint8_t* const rows = BlockRows(block);
  for (size_t y = 0; y < row_.height; ++y) {
    CopyColours(rows + y * row_.stride, width, &field->at(0, static_cast<int>(y)));
  }
  if (block > 0 && IsKnown(kinds_[block - 1])) {
    for (size_t y = 0; y < row_.height; ++y) {
      CopyColours(rows + y * row_.stride - kPixelHalo * channels_, kPixelHalo,
                  &field->at(-kPixelHalo, static_cast<int>(y)));
    }
  }
  if (is_first_row_) return;
  for (int y = -kPixelHaloRows; y < 0; ++y) {
    const uint8_t* const above = rows + y * static_cast<int64_t>(row_.stride);
    if (IsKnown(kinds_above_[block])) CopyColours(above, width, &field->at(0, y));
    if (block > 0 && IsKnown(kinds_above_[block - 1])) {
      CopyColours(above - kPixelHalo * channels_, kPixelHalo, &field->at(-kPixelHalo, y));
    }
    if (block + 1 < blocks() && IsKnown(kinds_above_[block + 1])) {
      const size_t count = std::min<size_t>(kPixelHaloRight, width_ - first - kBlock);
      CopyColours(above + kBlock * channels_, count, &field->at(static_cast<int>(kBlock), y));
    }
  }
}

void SectionState::StorePixels(size_t block, const PixelField& field) const {
  uint8_t* const rows = BlockRows(block);
  for (size_t y = 0; y < row_.height; ++y) {
    uint8_t* to = rows + y * row_.stride;
    const Colour* from = field.pointer(0, static_cast<int>(y));
    for (size_t x = 0; x < WidthOf(block); ++x) {
      for (size_t c = 0; c < channels_; ++c) *to++ = static_cast<uint8_t>(from[x] >> (8 * c));
    }
  }
}

void SectionState::AddPlanes(size_t block, const int16_t* planes) const {
  for (size_t y = 0; y < row_.height; ++y) {
    uint8_t* const pixels = BlockRows(block) + y * row_.stride;
    const int16_t* const rows[3] = {planes + y * kBlock, planes + (kBlock + y) * kBlock,
                                    planes + (2 * kBlock + y) * kBlock};
    kernels::DetailPixels(pixels, rows, WidthOf(block), channels_, top_, pixels);
  }
}

}  // namespace glint::detail
